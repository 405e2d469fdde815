import type { Blob } from '../../content/blob.ts'
import type { PushOptions, Pushed } from '../../content/ports.ts'
import { RegistryError, messageOf } from '../../errors.ts'
import type { Access } from '../access.ts'
import { answerOf } from '../error.ts'
import type { RegistryEvent } from '../event.ts'
import { counted } from './counted.ts'
import { cancelSession, hasBlob, openSession, sendBlob } from './session.ts'
import { START, next, waitMs, type UploadEvent, type UploadState } from './state.ts'

export interface UploadDeps {
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
  readonly onEvent: (event: RegistryEvent) => void
}

/**
 * Makes a blob exist in the repository: carries out what `next` decides.
 *
 * @throws {RegistryError} when retries are spent; the session is cancelled
 * @throws {IntegrityError} when the source has other bytes than the descriptor says
 */
export async function uploadBlob(
  access: Access,
  blob: Blob,
  { mountFrom = [], onBytes, signal }: PushOptions,
  deps: UploadDeps,
): Promise<Pushed> {
  const { descriptor } = blob
  let state: UploadState = START
  let session: URL | undefined
  let failure: unknown
  let attempt = 0
  let bytes = 0
  let lost = 0
  const cancel = async (): Promise<void> => {
    if (session) await cancelSession(access, session)
    session = undefined
  }
  try {
    for (;;) {
      signal?.throwIfAborted()
      switch (state.at) {
        case 'check': {
          const found = await hasBlob(access, descriptor, { signal })
          state = next(state, { on: 'head', found, candidates: found ? [] : candidatesOf(access, mountFrom) })
          break
        }
        case 'open':
          state = next(state, await open(access, blob, state.candidates[0], signal))
          break
        case 'send': {
          session = state.location
          attempt++
          if (lost > 0) onBytes?.(-lost)
          const sending = counted(blob, { verify: state.tries.mismatches > 0, onBytes })
          let event: UploadEvent = { on: 'sent' }
          try {
            await sendBlob(access, sending.blob, session, { signal })
            session = undefined
          } catch (error) {
            signal?.throwIfAborted()
            failure = error
            if (closes(error)) session = undefined
            event = { on: 'failed', because: judge(access, error), bytes: sending.current() }
          }
          lost = sending.current()
          bytes += sending.total()
          state = next(state, event)
          break
        }
        case 'wait': {
          await cancel()
          const pauseMs = waitMs(state.tries, deps.random())
          const { host, repository } = access
          const { digest } = descriptor
          const told = { host: host.name, repository, digest, attempt, waitMs: pauseMs }
          deps.onEvent({
            type: 'upload-retry',
            ...told,
            reason: failure instanceof RegistryError ? answerOf(failure) : messageOf(failure),
          })
          await deps.sleep(pauseMs, signal)
          state = next(state, { on: 'waited' })
          break
        }
        case 'done':
          return { how: state.how, bytes }
        case 'failed':
          throw failure
      }
    }
  } finally {
    await cancel()
  }
}

function candidatesOf({ host, repository }: Access, mountFrom: readonly string[]): readonly string[] {
  if (!host.profile.mount) return []
  return mountFrom.filter(from => from !== repository && !host.refusedMounts.has(`${from}>${repository}`))
}

async function open(
  access: Access,
  { descriptor }: Blob,
  mountFrom: string | undefined,
  signal: AbortSignal | undefined,
): Promise<UploadEvent> {
  try {
    return { on: 'opened', location: await openSession(access, descriptor, { mountFrom, signal }) }
  } catch (error) {
    signal?.throwIfAborted()
    if (mountFrom === undefined) throw error
    // Registries refuse mounts with 400, 401, 403, 404, 405 and 500; whatever is really wrong, the plain way will say.
    access.host.refusedMounts.add(`${mountFrom}>${access.repository}`)
    return { on: 'refused' }
  }
}

/** The session is gone, but a new one may work. */
const SESSION_CODES = ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID']
const MISMATCH_CODES = ['DIGEST_INVALID', 'SIZE_INVALID']

/** Whether the registry has closed the session itself, so that there is nothing to cancel. */
function closes(error: unknown): boolean {
  return error instanceof RegistryError && (error.status === 404 || error.codes.includes('DIGEST_INVALID'))
}

function judge(access: Access, error: unknown): 'retriable' | 'mismatch' | 'final' {
  // What the source of the bytes threw has been retried where the source is.
  if (!(error instanceof RegistryError) || error.side !== access.side) return 'final'
  if (error.codes.some(code => MISMATCH_CODES.includes(code))) return 'mismatch'
  const gone = error.status === 404 || error.status === 416 || error.codes.some(code => SESSION_CODES.includes(code))
  return gone || error.retriable ? 'retriable' : 'final'
}
