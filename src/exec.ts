import { spawn } from 'node:child_process'
import { OciPublishError, messageOf } from './errors.ts'

interface ExecOptions {
  /** Written to standard input, which is closed afterwards; without it there is none. */
  readonly input?: string | Uint8Array | undefined
  /** The whole environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly signal?: AbortSignal | undefined
  /** Standard output of more bytes than this fails the run. */
  readonly maxOutputBytes?: number | undefined
}

interface ExecResult {
  /** 128 and more when a signal ended the program. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program to its end, never through a shell: no argument is ever read as syntax.
 *
 * @throws {OciPublishError} NOT_RUNNABLE when the program cannot be started, TOO_LARGE for too much output
 */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>

const DEFAULT_MAX_OUTPUT_BYTES = 16 << 20
const KILL_AFTER_MS = 5_000

/** `Exec` as a child process: asked to stop on abort, killed if it does not. */
export const exec: Exec = async (command, args, options = {}) => {
  const { input, env, signal, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options
  signal?.throwIfAborted()
  const child = spawn(command, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
    ...(env && { env }),
  })
  let failure: unknown
  const stop = (because: unknown): void => {
    failure ??= because
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
  }
  const onAbort = (): void => {
    stop(signal?.reason)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const stdout = keep(child.stdout, maxOutputBytes, () => {
      stop(new OciPublishError('TOO_LARGE', `${command} wrote more than ${maxOutputBytes} bytes`))
    })
    const stderr = keep(child.stderr, maxOutputBytes)
    // A program that does not read its input closes it early: its exit code says whether that matters.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => {
        resolve(code ?? (killedBy === 'SIGKILL' ? 137 : 143))
      })
    })
    if (failure !== undefined) throw failure as Error
    return { exitCode, stdout: stdout(), stderr: stderr() }
  } catch (error) {
    if (failure !== undefined) throw failure as Error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const because = missing ? 'it is not in PATH' : messageOf(error)
    throw new OciPublishError('NOT_RUNNABLE', `could not run ${command}: ${because}`, { cause: error })
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Collects a stream up to a size; beyond it, the rest is dropped and `onMore` is told. */
function keep(stream: NodeJS.ReadableStream | null, maxBytes: number, onMore?: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size <= maxBytes) chunks.push(chunk)
    else onMore?.()
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
