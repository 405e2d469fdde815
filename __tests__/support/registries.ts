import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CountedRequest } from './counting-proxy.ts'
import { startCountingProxy } from './counting-proxy.ts'
import { findPeer, run, temporaryDirectory } from './peers.ts'
import type { TokenServer } from './token-server.ts'

export interface Password {
  readonly username: string
  readonly password: string
}

export interface StartOptions {
  /** Refuses everybody else, with a Basic challenge. */
  readonly password?: Password
  /** Lets those in who bring a token from there. */
  readonly token?: TokenServer
}

/** A registry process of this test, gone with its data at the end of the block. */
export interface RunningRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`, by way of the proxy that counts. */
  readonly host: string
  /** The registry itself: for what a test prepares and does not count. */
  readonly directHost: string
  /** What came through `host`, in order. */
  readonly requests: readonly CountedRequest[]
}

export interface RealRegistry {
  readonly name: string
  /** Whether it can ask for a password or a token. */
  readonly passwords: boolean
  /** Whether it has the referrers API. */
  readonly referrers: boolean
  readonly start: (options?: StartOptions) => Promise<RunningRegistry>
}

/** Real registries, of which each does some things in a way of its own. */
export const REGISTRIES: readonly RealRegistry[] = [
  {
    name: 'docker-registry 2.8',
    passwords: true,
    referrers: false,
    start: options => start(distribution('docker-registry'), options),
  },
  {
    name: 'distribution 3',
    passwords: true,
    referrers: false,
    start: options => start(distribution('registry'), options),
  },
  { name: 'refreg', passwords: false, referrers: true, start: options => start(inMemory('refreg'), options) },
  { name: 'ociserver', passwords: false, referrers: true, start: options => start(inMemory('ocireg'), options) },
  { name: 'olareg', passwords: false, referrers: true, start: options => start(olareg, options) },
]

/** One of them, for a test that does not care which, or only whether it has the referrers API. */
export async function startRegistry({
  referrers = false,
}: { readonly referrers?: boolean } = {}): Promise<RunningRegistry> {
  return start(referrers ? inMemory('refreg') : distribution('registry'))
}

interface Place {
  readonly port: number
  /** Of the registry alone, and empty. */
  readonly directory: string
}

/** Gives the command that serves a registry at a place. */
type Prepare = (place: Place, options: StartOptions) => Promise<readonly [command: string, ...args: string[]]>

function distribution(command: string): Prepare {
  return async ({ port, directory }, { password, token }) => {
    const config = join(directory, 'config.yml')
    const passwords = join(directory, 'htpasswd')
    if (password) {
      const line = await run('htpasswd', ['-Bbn', password.username, password.password])
      await writeFile(passwords, line)
    }
    const certificate = join(directory, 'token.pem')
    if (token) await writeFile(certificate, token.certificate)
    const settings = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}`, secret: 'of one test' },
      ...(password && { auth: { htpasswd: { realm: 'test', path: passwords } } }),
      ...(token && { auth: { token: tokenSettings(token, certificate) } }),
    }
    await writeFile(config, JSON.stringify(settings)) // JSON is YAML
    return [command, 'serve', config]
  }
}

function tokenSettings({ realm, service, issuer }: TokenServer, rootcertbundle: string): object {
  return { realm, service, issuer, rootcertbundle }
}

/** One of our own few lines around a library: COMMAND PORT. */
function inMemory(command: string): Prepare {
  return ({ port }, options) => {
    refuseSecrets(command, options)
    return Promise.resolve([command, String(port)])
  }
}

const olareg: Prepare = async ({ port, directory }, options) => {
  refuseSecrets('olareg', options)
  const data = join(directory, 'data')
  await mkdir(data)
  return ['olareg', String(port), data]
}

function refuseSecrets(command: string, { password, token }: StartOptions): void {
  if (password || token) throw new Error(`${command} is run without passwords and tokens`)
}

async function start(prepare: Prepare, options: StartOptions = {}): Promise<RunningRegistry> {
  await using stack = new AsyncDisposableStack()
  const { path: directory } = stack.use(await temporaryDirectory())
  const port = await freePort()
  const directHost = `127.0.0.1:${port}`
  const [command, ...args] = await prepare({ port, directory }, options)
  const log = join(directory, 'log')
  const server = spawnServer(command, args, log)
  stack.defer(() => stopServer(server))
  await answering(directHost, server, log)
  const { host, requests } = stack.use(await startCountingProxy(directHost))
  const running = stack.move()
  return { host, directHost, requests, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function spawnServer(command: string, args: readonly string[], log: string): ChildProcess {
  const output = openSync(log, 'a')
  // With the death signal, a run of tests that is killed leaves no registry behind.
  const server = spawn(findPeer('setpriv'), ['--pdeathsig', 'TERM', '--', findPeer(command), ...args], {
    stdio: ['ignore', output, output],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  closeSync(output)
  server.unref() // a test that fails to stop it does not keep the whole run from ending
  return server
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.ref()
  server.kill()
  await once(server, 'exit')
}

const PATIENCE_MS = 30_000
const STEP_MS = 20

async function answering(host: string, server: ChildProcess, log: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += STEP_MS) {
    if (server.exitCode !== null) break
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200 || answer?.status === 401) return
    await sleep(STEP_MS)
  }
  throw new Error(`the registry at ${host} does not answer:\n${await readFile(log, 'utf8')}`)
}
