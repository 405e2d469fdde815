import { createHash } from 'node:crypto'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type * as toolkit from '@actions/cache'
import type { Abortable } from '../async/abortable.ts'
import { sleep } from '../async/sleep.ts'
import { messageOf } from '../errors.ts'
import { FRAME_BYTES } from './frame.ts'

/** What is needed of the toolkit; it is large, so it is loaded when it is used. */
export type CacheService = Pick<typeof toolkit, 'isFeatureAvailable' | 'restoreCache' | 'saveCache'>

export interface ActionsCacheOptions extends Abortable {
  /** Told in words what kept the cache from being used. */
  readonly onNotice: (text: string) => void
  readonly load?: (() => Promise<CacheService>) | undefined
}

/** What the folder was when the job began to use it, so that it is known at the end whether to keep it. */
export interface RestoredCache {
  /**
   * Whether the service may keep the folder: it answers, and the folder was empty. One that was not lives longer than a
   * job, and may hold what another repository left.
   */
  readonly isKept: boolean
  /** Of what came back. */
  readonly contentHash: string
}

export interface RestoreOptions extends ActionsCacheOptions {
  /** How long the job waits for the service. The toolkit itself tries for half a minute when it answers with errors. */
  readonly patienceMs?: number | undefined
}

/**
 * Brings back the folder of an earlier job from GitHub's cache service; the latest one, whatever it holds. A folder that
 * has something in it is left as it is. Throws nothing but the signal's reason.
 *
 * The toolkit tells its own errors in the log. It cannot be cancelled: what comes later than `patienceMs` is unpacked all
 * the same, which does no harm, because values that are not whole are not there.
 */
export async function restoreActionsCache(
  directory: string,
  { onNotice, patienceMs = 15_000, load = loadToolkit, signal }: RestoreOptions,
): Promise<RestoredCache> {
  const before = await hashOfFolder(directory)
  if (before !== EMPTY) return { isKept: false, contentHash: before }
  const isKept = await restore(directory, { onNotice, patienceMs, load, signal })
  return { isKept, contentHash: await hashOfFolder(directory) }
}

async function restore(
  directory: string,
  {
    onNotice,
    patienceMs,
    load,
    signal,
  }: Abortable & {
    readonly onNotice: (text: string) => void
    readonly patienceMs: number
    readonly load: () => Promise<CacheService>
  },
): Promise<boolean> {
  try {
    const service = await load()
    if (!service.isFeatureAvailable()) {
      onNotice('the cache service of GitHub is not available to this job; nothing is remembered between runs')
      return false
    }
    const restoring = service.restoreCache([directory], keyOf(EMPTY), [PREFIX])
    if (await isDoneWithin(patienceMs, restoring, signal)) return true
    onNotice('the cache service of GitHub is slow or does not answer; this run goes on without what it holds')
  } catch (error) {
    signal?.throwIfAborted()
    onNotice(`the cache was not restored: ${messageOf(error)}`)
  }
  return false
}

async function isDoneWithin(waitMs: number, work: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  const done = new AbortController()
  const late = sleep(waitMs, AbortSignal.any([done.signal, ...(signal ? [signal] : [])]))
  try {
    return await Promise.race([work.then(() => true), late.then(() => false)])
  } finally {
    done.abort()
  }
}

/**
 * Keeps the folder for later jobs, when it holds something new. Throws nothing but the signal's reason; the toolkit tells
 * by itself, in the log, what the service refused (a read-only token, another job with the same key).
 */
export async function saveActionsCache(
  directory: string,
  { restored, onNotice, load = loadToolkit, signal }: ActionsCacheOptions & { readonly restored: RestoredCache },
): Promise<void> {
  signal?.throwIfAborted()
  const now = await hashOfFolder(directory)
  if (!restored.isKept || now === restored.contentHash || now === EMPTY) return
  try {
    const service = await load()
    await service.saveCache([directory], keyOf(now))
  } catch (error) {
    onNotice(`the cache was not saved: ${messageOf(error)}`)
  }
}

function loadToolkit(): Promise<CacheService> {
  return import('@actions/cache')
}

/** The number changes with the format of the folder. */
const PREFIX = `oci-publish-v1-${process.platform}-`

function keyOf(contentHash: string): string {
  return `${PREFIX}${contentHash}`
}

/** Says the same of the same files, whenever they were written and read. Each begins with the digest of the rest. */
async function hashOfFolder(directory: string): Promise<string> {
  const hash = createHash('sha256')
  const names = await readdir(directory).catch((): string[] => [])
  for (const name of names.sort()) {
    const start = await readStart(join(directory, name)).catch(() => undefined)
    if (start) hash.update(`${name} ${start.toString('hex')}\n`)
  }
  return hash.digest('hex').slice(0, 32)
}

async function readStart(path: string): Promise<Buffer | undefined> {
  if (!(await lstat(path)).isFile()) return undefined
  const file = await open(path)
  try {
    const start = Buffer.alloc(FRAME_BYTES)
    const { bytesRead } = await file.read(start, 0, FRAME_BYTES, 0)
    return start.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const EMPTY = createHash('sha256').digest('hex').slice(0, 32)
