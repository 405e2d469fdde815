import { createHash } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type * as toolkit from '@actions/cache'
import { messageOf } from '../errors.ts'
import { FRAME_BYTES } from './frame.ts'

/** What is needed of the toolkit; it is large, so it is loaded when it is used. */
export type CacheService = Pick<typeof toolkit, 'isFeatureAvailable' | 'restoreCache' | 'saveCache'>

export interface ActionsCacheOptions {
  /** Told in words what kept the cache from being used. */
  readonly onNotice: (text: string) => void
  readonly load?: (() => Promise<CacheService>) | undefined
}

/** What the folder was when the job began to use it, so that it is known at the end whether to keep it. */
export interface RestoredCache {
  /** Whether the folder had something in it of its own: it lives longer than a job, and may hold what is not this job's. */
  readonly isLocal: boolean
  /** Of what came back. */
  readonly contentHash: string
}

/**
 * Brings back the folder of an earlier job from GitHub's cache service; the latest one, whatever it holds. A folder that
 * has something in it is left as it is. Never throws.
 */
export async function restoreActionsCache(
  directory: string,
  { onNotice, load = loadToolkit }: ActionsCacheOptions,
): Promise<RestoredCache> {
  const before = await hashOfFolder(directory)
  if (before !== EMPTY) return { isLocal: true, contentHash: before }
  try {
    const service = await load()
    if (service.isFeatureAvailable()) await service.restoreCache([directory], keyOf(EMPTY), [PREFIX])
    else onNotice('the cache service of GitHub is not available to this job; nothing is remembered between runs')
  } catch (error) {
    onNotice(`the cache was not restored: ${messageOf(error)}`)
  }
  return { isLocal: false, contentHash: await hashOfFolder(directory) }
}

/**
 * Keeps the folder for later jobs, when it holds something new and was not there before the job. Never throws.
 *
 * The toolkit tells by itself, in the log, what the service refused (a read-only token, another job with the same key).
 */
export async function saveActionsCache(
  directory: string,
  { restored, onNotice, load = loadToolkit }: ActionsCacheOptions & { readonly restored: RestoredCache },
): Promise<void> {
  const now = await hashOfFolder(directory)
  if (restored.isLocal || now === restored.contentHash || now === EMPTY) return
  try {
    const service = await load()
    if (service.isFeatureAvailable()) await service.saveCache([directory], keyOf(now)) // if not, restoring told it
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

async function readStart(path: string): Promise<Buffer> {
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
