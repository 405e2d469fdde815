import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Services } from './choose-services.ts'

export interface TrustedRootWishes {
  /** Of a file; JSON, or several a line as `gh attestation trusted-root` writes them. */
  readonly path?: string | undefined
  readonly instance: Services['instance']
  /** Of this run, for nobody else, removed by whoever made it. */
  readonly tempDir: string
  /** Another place than that of the public good instance. */
  readonly tuf?: TufRepository | undefined
}

/** A repository of The Update Framework. */
interface TufRepository {
  readonly url: string
  /** Path of the root to begin with. */
  readonly rootPath: string
}

export interface LoadedTrustedRoot {
  /** JSON. */
  readonly bytes: Uint8Array
  /** Names it in messages. */
  readonly where: string
}

const CODE = 'TRUSTED_ROOT_FAILED'
const PUBLIC_GOOD = 'https://tuf-repo-cdn.sigstore.dev'
const TIMEOUT_MS = 20_000

const FROM_FILE =
  'name a file in "trusted-root": "cosign trusted-root create" writes one, and "gh attestation trusted-root" writes those of GitHub'

/**
 * The certificates and keys that are trusted: those of a file, or of the public good instance, by its signed repository.
 *
 * @throws {OciPublishError} TRUSTED_ROOT_FAILED
 * @see The Update Framework 1.0.33
 */
export async function loadTrustedRoot(
  wishes: TrustedRootWishes,
  { signal }: Abortable = {},
): Promise<LoadedTrustedRoot> {
  signal?.throwIfAborted()
  const { path, instance, tuf } = wishes
  if (path !== undefined) return fromFile(path, instance, { signal })
  if (instance === 'public-good' || tuf) return fromTuf(wishes, { signal })
  const whose = instance === 'github' ? "GitHub's own sigstore" : 'a sigstore of your own'
  const hint =
    instance === 'github'
      ? 'run "gh attestation trusted-root > trusted_root.jsonl", and name that file in "trusted-root"'
      : FROM_FILE
  throw new OciPublishError(CODE, `the trusted root of ${whose} has to be given`, { hint })
}

async function fromFile(path: string, instance: Services['instance'], io: Abortable): Promise<LoadedTrustedRoot> {
  let bytes: Buffer
  try {
    bytes = await readFile(path, io)
  } catch (cause) {
    io.signal?.throwIfAborted()
    throw new OciPublishError(CODE, `trusted root ${path}: could not be read: ${messageOf(cause)}`, { cause })
  }
  const lines = bytes
    .toString()
    .split(/\r?\n/)
    .filter(line => line.trim() !== '')
  const where = `trusted root ${path}`
  if (lines.length < 2 || !lines.every(line => authoritiesOf(line) !== undefined)) return { bytes, where }
  const line = lines.find(one => isOf(instance, authoritiesOf(one) ?? []))
  if (line !== undefined) return { bytes: Buffer.from(line), where }
  const message = `${where}: none of its ${lines.length} lines has the certificate authority of ${instance}`
  throw new OciPublishError(CODE, message, { hint: 'a file with one trusted root is taken as it is' })
}

const authorities = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ certificateAuthorities: v.array(v.object({ uri: v.optional(v.string(), '') })) }),
  v.transform(({ certificateAuthorities }) => certificateAuthorities.map(({ uri }) => uri)),
)

/** Addresses of the authorities of a line that is a document of its own. */
function authoritiesOf(line: string): readonly string[] | undefined {
  const { success, output } = v.safeParse(authorities, line)
  return success ? output : undefined
}

function isOf(instance: Services['instance'], uris: readonly string[]): boolean {
  const isGithub = (uri: string): boolean =>
    /^(?:https:\/\/)?fulcio\.(?:githubapp\.com|[a-z0-9-]+\.ghe\.com)\b/.test(uri)
  const isPublic = (uri: string): boolean => /^(?:https:\/\/)?fulcio\.sigstore\.dev\b/.test(uri)
  if (instance === 'github') return uris.some(isGithub)
  if (instance === 'public-good') return uris.some(isPublic)
  return !uris.some(uri => isGithub(uri) || isPublic(uri))
}

/**
 * Begins with the root that came with this program, each time, and follows the repository from there to its newest. To the
 * client whatever root lies in its directory is an anchor of trust, so that is a new one: never one that a cache brings
 * back, or that another job can write. Without the repository there is nothing to fall back to: what came with this
 * program may be older than a key that was taken back.
 *
 * The client brings its own HTTP, whose requests our transport does not see.
 */
async function fromTuf({ tempDir, tuf }: TrustedRootWishes, { signal }: Abortable): Promise<LoadedTrustedRoot> {
  const url = tuf?.url ?? PUBLIC_GOOD
  const { default: client } = await import('@sigstore/tuf')
  try {
    const repository = client.initTUF({
      cachePath: await mkdtemp(join(tempDir, 'tuf-')),
      forceInit: true,
      mirrorURL: url,
      ...(tuf && { rootPath: tuf.rootPath }),
      timeout: TIMEOUT_MS,
      retry: { retries: 2, minTimeout: 300 },
    })
    // It knows no signals.
    const text = await untilAborted(
      repository.then(one => one.getTarget('trusted_root.json')),
      signal,
    )
    return { bytes: Buffer.from(text), where: `trusted root of ${new URL(url).host}` }
  } catch (cause) {
    signal?.throwIfAborted()
    const message = `could not get the trusted root of ${new URL(url).host}: ${reasonsOf(cause).join(': ')}`
    const hint = `${FROM_FILE}; behind a proxy NODE_USE_ENV_PROXY=1 makes this download use it`
    throw new OciPublishError(CODE, message, { cause, hint })
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signal.reason as Error)
    }
  })
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** From the outermost error to what went wrong. */
function reasonsOf(error: unknown, depth = 0): readonly string[] {
  const cause = error instanceof Error ? error.cause : undefined
  return [messageOf(error), ...(cause === undefined || depth > 3 ? [] : reasonsOf(cause, depth + 1))]
}
