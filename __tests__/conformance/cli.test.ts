import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

const DOOR = join(import.meta.dirname, '..', '..', 'conformance', 'cli.js')

/** The suite as a process, and what it has written so far. */
function start(...args: readonly string[]): { readonly child: ChildProcess; readonly written: () => string } {
  const child = spawn(process.execPath, [DOOR, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, written: () => output }
}

async function ended(...args: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const { child, written } = start(...args)
  const [code] = (await once(child, 'close')) as unknown[]
  return { code, output: written() }
}

/** Waits for a text. @returns what the expression found */
async function said({ child, written }: ReturnType<typeof start>, pattern: RegExp): Promise<readonly string[]> {
  for (;;) {
    const found = pattern.exec(written())
    if (found) return found
    if (child.exitCode !== null) throw new Error(`it ended: ${written()}`)
    await new Promise<void>(resolve => setTimeout(resolve, 20))
  }
}

describe('serve', () => {
  test('a registry to try a client on: it fails when told to, tells what it was asked, and stops when told to', async () => {
    const served = start('serve', '--port', '0', '--open', '--fault', '503 retry-after 1 on GET /v2/ nth 1')
    const [, origin = ''] = await said(served, /^spec at (127\.0\.0\.1:\d+), repositories team/m)

    const first = await fetch(`http://${origin}/v2/`)
    const second = await fetch(`http://${origin}/v2/`)
    const third = await fetch(`http://${origin}/v2/team/app/manifests/none`)
    await said(served, /MANIFEST_UNKNOWN/)
    served.child.kill('SIGTERM')
    const [code] = (await once(served.child, 'close')) as unknown[]

    expect([first.status, first.headers.get('retry-after'), second.status, third.status]).toEqual([503, '1', 200, 404])
    expect(code).toBe(0)
    expect(served.written().trim().split('\n').slice(1)).toEqual([
      'GET /v2/ 503 {"status":503,"headers":{"retry-after":"1"}}',
      'GET /v2/ 200',
      'GET /v2/team/app/manifests/none 404 MANIFEST_UNKNOWN',
    ])
  })

  test('it asks for a password unless it is open', async () => {
    const served = start('serve', '--port', '0', '--personality', 'ecr')
    const [, origin = ''] = await said(served, /^ecr at (\S+),/m)
    const auth = Buffer.from('robot:secret').toString('base64')

    const nobody = await fetch(`http://${origin}/v2/`)
    const robot = await fetch(`http://${origin}/v2/`, { headers: { authorization: `Basic ${auth}` } })
    served.child.kill('SIGINT')
    const [code] = (await once(served.child, 'close')) as unknown[]

    expect([nobody.status, robot.status, code]).toEqual([401, 200, 0])
  })

  test('a port that is taken is told, and does not keep the process', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, output } = await ended('serve', '--port', `${port}`)
    other.close()
    expect(output).toContain(`--port ${port}: listen EADDRINUSE`)
    expect(code).toBe(2)
  })
})

test.each([
  [['run', '--client', 'nobody'], 2, "ENOENT: no such file or directory, open 'nobody'"],
  [['run', '--case', 'there is none such'], 2, 'there is no such case'],
  [['run', '--personality', 'moon'], 2, 'there is no personality moon'],
  [['run', '--seed', 'x'], 2, '--seed x is not a whole number'],
  [['run', '--loud'], 2, "Unknown option '--loud'"],
  [['serve', '--fault', 'explode'], 2, '--fault "explode": "explode" is not understood'],
  [['dance'], 2, 'Usage:'],
  [['help'], 0, 'Usage:'],
  [['list'], 0, 'ecr: push'],
  [['run', '--case', 'push an image'], 0, 'ours: 2 of 2 pass'],
  [['run', '--case', 'push an artifact', '--json'], 0, '"result": "pass"'],
  [['soak', '--runs', '2', '--seed', '5'], 0, 'ours, seed 5: 2 runs with faults'],
])('%j ends with %i and says: %s', async (args, exitCode, text) => {
  const { code, output } = await ended(...args)
  expect(output).toContain(text)
  expect(code).toBe(exitCode)
})
