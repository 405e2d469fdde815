import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { accessSync, constants, existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'

export interface RunOptions {
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string | Uint8Array
  readonly cwd?: string
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const MAX_OUTPUT_BYTES = 64 << 20

/** Where tools/peers/install puts what Debian does not have installed. */
function peersDirectory(...names: readonly string[]): string {
  return join(process.env['OCI_PUBLISH_PEERS'] ?? join(homedir(), '.cache', 'oci-publish-peers'), ...names)
}

/** A program for `architecture`, which may not be that of this machine: Debian's static busybox. */
export function findBusybox(architecture: 'amd64' | 'arm64'): string {
  const path = peersDirectory('busybox', architecture, 'busybox')
  if (isExecutable(path)) return path
  throw new Error(`${path} is not there: tools/peers/install puts it there`)
}

/**
 * The path of a real tool. Interop tests never skip: without the tool they fail, and say how to get it.
 *
 * @throws {Error} when it is neither among the built peers nor in PATH
 */
export function findPeer(command: string): string {
  if (isAbsolute(command)) return command
  const pinned = peersDirectory('bin')
  const directories = [pinned, ...(process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute)]
  const found = directories.map(directory => join(directory, command)).find(isExecutable)
  if (found !== undefined) return found
  throw new Error(`${command} is neither in ${pinned} nor in PATH: tools/peers/install puts it there`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Runs a real tool to its end and gives what it wrote to standard output.
 *
 * @throws {Error} with the exit code and what the tool wrote to standard error
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', cwd, env, signal } = options
  const path = findPeer(command)
  return new Promise((resolve, reject) => {
    const settings = { cwd, signal, maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, ...env } }
    const child = execFile(path, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${[command, ...args].join(' ')}: ${outcome(error)}\n${stderr}${stdout}`, { cause: error }))
    })
    // A tool that does not read its input closes it early.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function outcome(error: { readonly code?: number | string | null | undefined; readonly signal?: unknown }): string {
  if (typeof error.code === 'number') return `exit code ${error.code}`
  return String(error.code ?? error.signal)
}

/** The manifest that `reference` (`host/repository:tag`) points at, byte for byte, as skopeo reads it. */
export async function skopeoInspectRaw(reference: string): Promise<string> {
  return run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`])
}

/** Has crane download everything that `reference` points at, and compare it with digests, sizes and diff IDs. */
export async function craneValidate(reference: string): Promise<void> {
  await run('crane', ['validate', '--insecure', '--remote', reference])
}

/** Unpacks `name` of an OCI layout into a runtime bundle, with owners and modes: needs root. */
export async function umociUnpack(layout: string, name: string, bundle: string): Promise<void> {
  await run('umoci', ['unpack', '--image', `${layout}:${name}`, bundle])
}

interface RuntimeConfig {
  readonly process: { readonly terminal?: boolean; readonly args: readonly string[] }
}

/** Runs a bundle to its end and gives what it wrote; `args` take the place of the image's own. Needs root. */
export async function runcRun(bundle: string, { args }: { readonly args?: readonly string[] } = {}): Promise<string> {
  const path = join(bundle, 'config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as RuntimeConfig
  const process = { ...config.process, terminal: false, ...(args && { args }) }
  await writeFile(path, JSON.stringify({ ...config, process }))
  const id = `oci-publish-${randomUUID()}`
  try {
    return await run('runc', ['run', '--bundle', bundle, id])
  } finally {
    await run('runc', ['delete', '--force', id])
  }
}

export interface RunImageOptions {
  /** `linux/arm64`, `linux/arm/v7`. */
  readonly platform?: string
  /** Instead of the image's entrypoint and command. */
  readonly args?: readonly string[]
}

/**
 * Runs one platform of an image that is in a registry, the way a user's machine would, and gives what it wrote.
 * skopeo fetches it, umoci unpacks it, runc runs it: none of them is ours. Needs root.
 */
export async function runImage(reference: string, options: RunImageOptions = {}): Promise<string> {
  const { platform = 'linux/amd64', args } = options
  const [os = '', arch = '', variant] = platform.split('/')
  await ensureBinfmt()
  await using work = await temporaryDirectory()
  const only = ['--override-os', os, '--override-arch', arch, ...(variant ? ['--override-variant', variant] : [])]
  const layout = join(work.path, 'layout')
  const bundle = join(work.path, 'bundle')
  await run('skopeo', [...only, 'copy', '--src-tls-verify=false', `docker://${reference}`, `oci:${layout}:image`])
  await umociUnpack(layout, 'image', bundle)
  return await runcRun(bundle, args && { args })
}

const BINFMT = '/proc/sys/fs/binfmt_misc'

/** Sees to it that programs for other architectures run here. Needs root; once done, it stays so until a reboot. */
export async function ensureBinfmt(): Promise<void> {
  const entry = join(BINFMT, 'qemu-aarch64')
  if (!existsSync(join(BINFMT, 'register'))) await run('mount', ['-t', 'binfmt_misc', 'binfmt_misc', BINFMT])
  if (!existsSync(entry)) await run('update-binfmts', ['--enable'])
  const state = await readFile(entry, 'utf8')
  // F: the kernel keeps the interpreter open, so that it need not be inside the image.
  if (!/^enabled$/m.test(state) || !/^flags: .*F/m.test(state)) throw new Error(`${entry} is not ready:\n${state}`)
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

/** A directory that is gone at the end of the block. */
export async function temporaryDirectory(parent: string = tmpdir()): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(parent, 'oci-publish-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
