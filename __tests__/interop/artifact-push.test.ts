import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, readFile, readdir, readlink, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { PublishReport } from '../../src/publish/report.ts'
import { put, type Content } from '../artifact/files.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { runCli } from '../support/published.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'

const FILES: Readonly<Record<string, Content>> = {
  'a.txt': 'one file\n',
  'site/index.html': '<p>\n',
  'site/bin/run': { program: '#!/bin/sh\n' },
  'site/bin/also': { link: 'run' },
  'site/ünï cödé/日本.txt': 'not ASCII\n',
  [`site/${'long/'.repeat(30)}name`]: 'far down\n',
  'nested/deep/b.json': '{}',
}
const PUSHED = ['a.txt:text/plain', 'site', 'nested/deep/b.json:application/json']
const TYPE = 'application/vnd.example.thing.v1'

/** Pushes with `--json`; what was printed is the report. */
async function push(cwd: string, to: string, ...args: readonly string[]): Promise<PublishReport> {
  const { exitCode, stdout, stderr } = await runCli(['artifact', 'push', '--json', to, ...args], { cwd })
  if (exitCode !== 0) throw new Error(`oci-publish artifact push ${args.join(' ')}: ${exitCode}\n${stderr}`)
  return JSON.parse(stdout) as PublishReport
}

/** What is in a folder: content and whether it is a program, or where a link leads. */
async function contentOf(root: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`
    else if (entry.isFile()) {
      const { mode } = await stat(path)
      found[name] = `${mode & 0o111 ? 'program ' : ''}${await readFile(path, 'utf8')}`
    }
  }
  return found
}

interface Manifest {
  readonly artifactType?: string
  readonly config: Layer
  readonly layers: readonly Layer[]
  readonly annotations?: Readonly<Record<string, string>>
}

interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

async function manifestAt(reference: string): Promise<Manifest> {
  return JSON.parse(await run('crane', ['manifest', '--insecure', reference])) as Manifest
}

async function pullWithOras(reference: string, into: string, ...args: readonly string[]): Promise<void> {
  await mkdir(into, { recursive: true })
  await run('oras', ['pull', '--plain-http', '--no-tty', ...args, reference], { cwd: into })
}

describe.each(REGISTRIES)('on $name', ({ start }) => {
  test('oras, crane and regctl read what was pushed: the same files come back', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const from = join(work.path, 'from')
    await put(from, FILES)
    const to = `${registry.host}/team/thing:v1`
    const report = await push(from, to, ...PUSHED, '--artifact-type', TYPE, '--annotations', 'k=v')

    await pullWithOras(to, join(work.path, 'back'))
    expect(await contentOf(join(work.path, 'back'))).toEqual(await contentOf(from))

    expect(await manifestAt(to)).toMatchObject({ artifactType: TYPE, annotations: { k: 'v' } })
    expect((await run('crane', ['digest', '--insecure', to])).trim()).toBe(report.digest)
    const host = `reg=${registry.host},tls=disabled`
    const file = await run('regctl', ['artifact', 'get', '--host', host, '--file', 'a.txt', to])
    expect(file).toBe('one file\n')

    const seen = registry.requests.length
    const again = await push(from, to, ...PUSHED, '--artifact-type', TYPE, '--annotations', 'k=v')
    expect(again.targets[0]).toMatchObject({ sent: { count: 0, bytes: 0 } })
    const methods = registry.requests.slice(seen).map(({ method }) => method)
    expect(methods.filter(method => method !== 'HEAD' && method !== 'GET')).toEqual([])
  })

  test('what we push and what oras pushes differ in nothing but what oras takes from the clock', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    await put(work.path, FILES)
    await push(work.path, `${registry.host}/t/ours:1`, ...PUSHED, '--artifact-type', TYPE)
    const theirs = ['push', '--plain-http', '--no-tty', '--artifact-type', TYPE, `${registry.host}/t/theirs:1`]
    await run('oras', [...theirs, ...PUSHED], { cwd: work.path })
    const [a, b] = [await manifestAt(`${registry.host}/t/ours:1`), await manifestAt(`${registry.host}/t/theirs:1`)]
    const comparable = ({ artifactType, config, layers }: Manifest): unknown => ({
      artifactType,
      config,
      layers: layers.map(({ mediaType, digest, annotations = {} }) => ({
        mediaType,
        // Of archives: theirs have the times of the files.
        digest: annotations['io.deis.oras.content.unpack'] === 'true' ? 'archive' : digest,
        annotations: { ...annotations, 'io.deis.oras.content.digest': undefined },
      })),
    })
    expect(comparable(a)).toEqual(comparable(b))
    expect([a.annotations, Object.keys(b.annotations ?? {})]).toEqual([undefined, ['org.opencontainers.image.created']])
  })

  test.each([
    ['modelpack', ['site', 'a.txt:weight', '--model', 'name=tiny'], 'application/vnd.cncf.model.manifest.v1+json'],
    ['flux', ['site'], 'application/vnd.cncf.flux.config.v1+json'],
    ['opentofu', ['a.txt', 'nested/deep/b.json'], 'application/vnd.opentofu.modulepkg'],
    ['wasm', ['m.wasm'], 'application/vnd.wasm.config.v0+json'],
  ])('type %s is taken, and whole', async (type, args, artifactType) => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const files = Object.entries(FILES).filter(([, content]) => typeof content === 'string')
    await put(work.path, { ...Object.fromEntries(files), 'm.wasm': Buffer.from('0061736d01000000', 'hex') })
    const to = `${registry.host}/t/${type}:1`
    const report = await push(work.path, to, ...args, '--type', type)
    expect(report.artifactType).toBe(artifactType)
    await run('oras', ['copy', '--from-plain-http', '--to-oci-layout', to, join(work.path, 'layout:1')])
    expect((await run('oras', ['resolve', '--oci-layout', join(work.path, 'layout:1')])).trim()).toBe(report.digest)
  })
})

test('a model is pulled by oras file by file, in its folders', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  const model = { 'm/config.json': '{}', 'm/parts/w-1.safetensors': 'one', 'm/parts/w-2.safetensors': 'two' }
  await put(work.path, model)
  await push(work.path, `${registry.host}/models/tiny:1`, 'm', '--type', 'modelpack')
  await pullWithOras(`${registry.host}/models/tiny:1`, join(work.path, 'back'))
  expect(await contentOf(join(work.path, 'back'))).toEqual(await contentOf(join(work.path, 'm')))
})

test('a config of its own is pulled, and empty files are no trouble', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  await put(work.path, { 'c.json': '{"a":1}', empty: '', 'dir/empty': '' })
  const to = `${registry.host}/t/config:1`
  await push(work.path, to, 'empty', 'dir', '--config', 'c.json:application/vnd.example.config.v1+json')
  await pullWithOras(to, join(work.path, 'back'), '--config', 'config.json')
  expect(await contentOf(join(work.path, 'back'))).toEqual({ 'config.json': '{"a":1}', empty: '', 'dir/empty': '' })
  expect(await manifestAt(to)).not.toHaveProperty('artifactType')
})

test('the digest is the same from another folder, with other times, modes and owners', async () => {
  await using registry = await startRegistry()
  const digests: string[] = []
  for (const [day, mode] of [
    ['2001-02-03', 0o600],
    ['2026-07-08', 0o644],
  ] as const) {
    await using work = await temporaryDirectory()
    await put(work.path, FILES, new Date(day))
    await chmod(join(work.path, 'site/index.html'), mode)
    await utimes(join(work.path, 'site'), new Date(day), new Date(day))
    for (const to of [`${registry.host}/t/same:1`, `oci:${join(work.path, 'layout')}:1`]) {
      digests.push((await push(work.path, to, ...PUSHED)).digest)
    }
  }
  expect(new Set(digests).size).toBe(1)
})

test('a large file arrives over a line that cuts whole uploads, and is not sent again and again from its beginning', async () => {
  const MIB = 1 << 20
  await using registry = await startRegistry()
  await using proxy = await startCuttingProxy(registry.directHost, { every: 1, bytes: 8 * MIB })
  await using work = await temporaryDirectory()
  const path = join(work.path, 'weights.bin')
  const size = 60 * MIB
  const file = await open(path, 'w')
  for (let i = 0; i < 60; i++) await file.write(createHash('sha512').update(`${i}`).digest(), 0, 64, i * MIB)
  await file.truncate(size)
  await file.close()
  const to = `${proxy.host}/models/cut:1`
  const report = await push(work.path, to, 'weights.bin', '--type', 'modelpack')
  expect(proxy.cuts).toBeGreaterThan(0)
  expect(proxy.sentBytes).toBeLessThan(2 * size)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  expect(report.layers).toMatchObject([{ title: 'weights.bin', digest: `sha256:${hash.digest('hex')}`, size }])
  await pullWithOras(`${registry.directHost}/models/cut:1`, join(work.path, 'back'))
  expect((await stat(join(work.path, 'back/weights.bin'))).size).toBe(size)
})

test('what is wrong is told by name at once, with exit code 2, and nothing is sent', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  await put(work.path, { 'a.txt': 'a', 'b/a.txt': 'b', 'd/up': { link: '../a.txt' } })
  await run('mkfifo', [join(work.path, 'pipe')])
  const words = ['gone', 'a.txt:text', 'a.txt', './a.txt', 'd', 'pipe', '--artifact-type', 'thing']
  const seen = registry.requests.length
  const { exitCode, stdout, stderr } = await runCli(['artifact', 'push', `${registry.host}/t/a:1`, ...words], {
    cwd: work.path,
  })
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr.split('\n').filter(line => line.startsWith('  '))).toEqual([
    '  --artifact-type: "thing" is not a media type such as application/vnd.example.thing.v1+json',
    '  FILES: gone is not there',
    '  FILES: "text" in "a.txt:text" is not a media type such as application/json',
    '  FILES: "a.txt" and "./a.txt" have one title, a.txt',
    expect.stringMatching(
      /^ {2}FILES: .*\/d\/up points at \.\.\/a\.txt, which is not in .*\/d; put the file itself there$/,
    ),
    '  FILES: pipe is neither a file nor a directory',
  ])
  expect(registry.requests.slice(seen)).toEqual([])
})
