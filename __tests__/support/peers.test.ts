import { findBusybox, findPeer, run, temporaryDirectory } from './peers.ts'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const node = process.execPath

describe('run()', () => {
  test('gives what the tool wrote to standard output, untrimmed', async () => {
    expect(await run(node, ['-p', '1 + 1'])).toBe('2\n')
  })

  test('hands over input, environment and directory', async () => {
    await using directory = await temporaryDirectory()
    const program = 'process.stdin.pipe(process.stdout); process.stdout.write(`${process.env.WORD} ${process.cwd()} `)'
    const written = await run(node, ['-e', program], { input: 'read', env: { WORD: 'word' }, cwd: directory.path })
    expect(written).toMatch(/^word .*oci-publish-\w+ read$/)
  })

  test('a tool that fails fails the test, with the words of the tool', async () => {
    const failing = run(node, ['-e', 'console.error("no such manifest"); process.exit(3)'])
    await expect(failing).rejects.toThrow(/exit code 3\nno such manifest/)
  })

  test('a missing tool is a failure that says how to get it, never a skipped test', async () => {
    await expect(run('no-such-peer', [])).rejects.toThrow(
      /^no-such-peer is neither in .*bin nor in PATH: tools\/peers\/install puts it there$/,
    )
  })
})

describe('findPeer()', () => {
  const { OCI_PUBLISH_PEERS, PATH } = process.env
  afterEach(() => {
    for (const [name, value] of Object.entries({ OCI_PUBLISH_PEERS, PATH })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
  })

  test('prefers the pinned version of a tool to that of the machine', async () => {
    await using peers = await temporaryDirectory()
    await using machine = await temporaryDirectory()
    process.env['OCI_PUBLISH_PEERS'] = peers.path
    process.env['PATH'] = machine.path
    const installed = await tool(machine.path)
    expect(findPeer('tool')).toBe(installed)
    const pinned = await tool(join(peers.path, 'bin'))
    expect(findPeer('tool')).toBe(pinned)
  })

  test('a missing program for another architecture is a failure that says how to get it', async () => {
    await using peers = await temporaryDirectory()
    process.env['OCI_PUBLISH_PEERS'] = peers.path
    expect(() => findBusybox('arm64')).toThrow(/arm64.busybox is not there: tools\/peers\/install puts it there$/)
  })

  async function tool(directory: string): Promise<string> {
    const path = join(directory, 'tool')
    await mkdir(directory, { recursive: true })
    await writeFile(path, '')
    await chmod(path, 0o755)
    return path
  }
})

test('a temporary directory is gone at the end of the block, with what is in it', async () => {
  let path: string
  {
    await using directory = await temporaryDirectory()
    path = directory.path
    await writeFile(join(path, 'file'), 'x')
  }
  expect(existsSync(path)).toBe(false)
})
