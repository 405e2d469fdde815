import type { Blob } from '../../content/blob.ts'
import type { PushOptions, Pushed } from '../../content/ports.ts'
import { isRepository, type Repository } from '../../oci/repository.ts'
import { RegistryError, messageOf } from '../../errors.ts'
import { retryAfterMs } from '../../http/retry.ts'
import type { Access } from '../access.ts'
import { answerOf } from '../error.ts'
import type { RegistryEvent } from '../event.ts'
import type { RegistryHost } from '../host.ts'
import { watchQuiet } from '../quiet.ts'
import { Outgoing } from './outgoing.ts'
import { pieceBytes, piecesFor, type UploadMode } from './pieces.ts'
import { patchPiece, putBlob, type SendRequest } from './send.ts'
import { cancelSession, hasBlob, openSession, sessionStatus } from './session.ts'
import { next, start, type UploadEvent, type UploadState } from './state.ts'
import { isInPieces, waitMs } from './tries.ts'
import { closes, judge } from './verdict.ts'

export interface UploadDeps {
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
  readonly onEvent: (event: RegistryEvent) => void
  /** Default: `auto`. */
  readonly upload?: UploadMode | undefined
  /** How long no byte may move. Default: a quarter of an hour. */
  readonly quietMs?: number | undefined
}

/** An upload under way. */
interface Run {
  readonly access: Access
  readonly blob: Blob
  readonly deps: UploadDeps
  readonly mountFrom: readonly Repository[]
  readonly signal: AbortSignal | undefined
  readonly outgoing: Outgoing
  /** Open at the registry: to be closed or cancelled. */
  session: URL | undefined
  /** Of the session: no piece may be smaller. */
  leastBytes: number
  /** It was interrupted while the whole was sent, and is gone on with. */
  resumed: boolean
  /** The largest piece that was taken. */
  takenBytes: number
  /** The last one, and how long to wait after it by the registry's own word. */
  failure: unknown
  afterMs: number
  /** Failures so far. */
  failures: number
}

/** The fewest bytes that were too many for what is in front of a registry, for the rest of the run. */
const refusedBytes = new WeakMap<RegistryHost, number>()

/**
 * Makes a blob exist in the repository: carries out what `next` decides.
 *
 * @throws {RegistryError} when retries are spent; the session is cancelled
 * @throws {IntegrityError} when the source has other bytes than the descriptor says
 */
export async function uploadBlob(
  access: Access,
  blob: Blob,
  { mountFrom = [], onBytes, signal: outer }: PushOptions,
  deps: UploadDeps,
): Promise<Pushed> {
  const failure = (): unknown => run.failure
  const transfer = {
    ...{ operation: `push blob ${blob.descriptor.digest}`, method: 'PUT', path: access.uploads },
    hint: 'try again later: what did arrive there is not sent again',
  }
  const quiet = watchQuiet(access, transfer, { mostMs: deps.quietMs, failure, signal: outer })
  const { signal } = quiet
  const outgoing = new Outgoing(blob, {
    onBytes: delta => {
      if (delta > 0) quiet.moved()
      onBytes?.(delta)
    },
    signal,
  })
  const fresh = { session: undefined, leastBytes: 0, resumed: false, takenBytes: 0 }
  const calm = { failure: undefined, afterMs: 0, failures: 0 }
  const run: Run = {
    access,
    blob,
    deps,
    mountFrom: mountFrom.filter(isRepository),
    signal,
    outgoing,
    ...fresh,
    ...calm,
  }
  const { size } = blob.descriptor
  const { host } = access
  const facts = { mode: deps.upload ?? 'auto', chunks: host.profile.chunks, size }
  let state = start(piecesFor({ ...facts, refusedBytes: refusedBytes.get(host) ?? Infinity }), size)
  try {
    for (;;) {
      signal.throwIfAborted()
      if (state.at === 'done') return { how: state.how, bytes: outgoing.total }
      if (state.at === 'failed') throw run.failure
      state = next(state, await step(run, state))
    }
  } finally {
    quiet.end()
    outgoing.close()
    await cancel(run)
  }
}

/** Does what a state stands for, and says what came of it. */
async function step(run: Run, state: Exclude<UploadState, { readonly at: 'done' | 'failed' }>): Promise<UploadEvent> {
  const { access, blob, outgoing, signal } = run
  const { size } = blob.descriptor
  switch (state.at) {
    case 'check': {
      await cancel(run)
      const found = await hasBlob(access, blob.descriptor, { signal })
      return { on: 'head', found, candidates: found ? [] : candidatesOf(run) }
    }
    case 'open':
      return open(run, state.candidates[0])
    case 'send':
    case 'piece':
    case 'close': {
      outgoing.verify = state.tries.mismatches > 0
      run.resumed = state.tries.resume === 'did'
      if (state.at === 'piece') return piece(run, state.location, state.offset)
      return close(run, state.location, state.at === 'close' ? size : state.offset)
    }
    case 'ask': {
      const status = await sessionStatus(access, state.location, { signal })
      if (!status || status.offset > size) return { on: 'no-status' }
      run.session = status.location
      // What would be refused is not sent.
      if (!isInPieces(state.tries) && size - status.offset > mostAtOnce(run)) return { on: 'no-status' }
      return { on: 'status', ...status, complete: status.offset === size }
    }
    case 'wait': {
      if (!state.session) await cancel(run)
      await pause(run, waitMs(state.tries, run.deps.random()))
      return { on: 'waited' }
    }
  }
}

async function cancel(run: Run): Promise<void> {
  const { session } = run
  run.session = undefined
  if (session) await cancelSession(run.access, session)
}

function candidatesOf({ access: { host, repository }, mountFrom }: Run): readonly Repository[] {
  if (!host.profile.mount) return []
  return mountFrom.filter(from => from !== repository && !host.refusedMounts.has(`${from}>${repository}`))
}

async function open(run: Run, mountFrom: Repository | undefined): Promise<UploadEvent> {
  const { access, blob, signal } = run
  try {
    const session = await openSession(access, blob.descriptor, { mountFrom, signal })
    run.session = session?.location
    run.leastBytes = session?.leastBytes ?? 0
    return { on: 'opened', location: session?.location }
  } catch (error) {
    signal?.throwIfAborted()
    if (mountFrom === undefined) throw error
    // Registries refuse mounts with 400, 401, 403, 404, 405 and 500; whatever is really wrong, the plain way will say.
    access.host.refusedMounts.add(`${mountFrom}>${access.repository}`)
    return { on: 'refused' }
  }
}

/** PUT, with the last of the bytes or with none. */
async function close(run: Run, location: URL, from: number): Promise<UploadEvent> {
  return sending(run, location, from, run.blob.descriptor.size - from, async request => {
    await putBlob(run.access, from, request)
    run.session = undefined
    return { on: 'sent' }
  })
}

async function piece(run: Run, location: URL, offset: number): Promise<UploadEvent> {
  const { access, blob } = run
  const { size } = blob.descriptor
  const bytes = Math.min(mostBytes(run), size - offset)
  return sending(run, location, offset, bytes, async request => {
    const taken = await patchPiece(access, offset, request)
    run.session = taken.location
    const short = taken.offset < offset + bytes
    if (short || taken.offset > size) {
      run.failures++
      run.failure = stalled(access, request, taken.offset)
    }
    if (taken.offset > size) return { on: 'failed', because: 'unfit', bytes }
    if (taken.offset > offset) run.takenBytes = Math.max(run.takenBytes, bytes)
    return { on: 'taken', ...taken, complete: taken.offset === size, short }
  })
}

async function sending(
  run: Run,
  location: URL,
  from: number,
  bytes: number,
  send: (request: SendRequest) => Promise<UploadEvent>,
): Promise<UploadEvent> {
  const { access, blob, outgoing, signal } = run
  const { digest } = blob.descriptor
  run.afterMs = 0
  try {
    const onRefused: SendRequest['onRefused'] = response => {
      run.afterMs = retryAfterMs(response.header('retry-after'), Date.now())
    }
    return await send({ digest, location, body: outgoing.body(from, bytes), onRefused, signal })
  } catch (error) {
    signal?.throwIfAborted()
    run.failure = error
    run.failures++
    if (closes(access, error)) run.session = undefined
    const because = judge(access, error, run.resumed)
    const smaller = because === 'too-large' && mayBeSmaller(run, bytes)
    return { on: 'failed', because, bytes: outgoing.sent, smaller }
  }
}

/** Bytes that a registry takes in one request to a session that has some already. */
function mostAtOnce({ access }: Run): number {
  const { chunks } = access.host.profile
  return chunks === 'never' ? 0 : chunks.maxBytes
}

/** Bytes of a piece, by what is known of the host by now. */
function mostBytes({ access: { host }, leastBytes }: Run): number {
  const { chunks } = host.profile
  if (chunks === 'never') throw new Error(`upload: in pieces to ${host.name}`)
  return pieceBytes(chunks, leastBytes, refusedBytes.get(host) ?? Infinity)
}

/** Remembers how much was too much at once, and says whether a piece can be smaller than that. */
function mayBeSmaller(run: Run, bytes: number): boolean {
  const { host } = run.access
  // As much went through before: it is the blob that is too large, and smaller pieces do not make it smaller.
  if (bytes <= run.takenBytes) return false
  refusedBytes.set(host, Math.min(bytes, refusedBytes.get(host) ?? Infinity))
  return host.profile.chunks !== 'never' && mostBytes(run) < bytes
}

/** What is to be said where a registry takes pieces without keeping them. */
function stalled({ side, host, repository }: Access, { digest, location }: SendRequest, offset: number): RegistryError {
  return new RegistryError({
    ...{ side, host: host.name, repository, operation: `push blob ${digest} in pieces`, method: 'PATCH' },
    ...{
      url: `${location.origin}${location.pathname}`,
      status: 202,
      codes: [],
      requestId: undefined,
      retriable: false,
    },
    detail: `the registry has ${offset} bytes of it and takes no more`,
  })
}

/** Told once, with what the registry itself said about when to come back. */
async function pause(run: Run, waitMs: number): Promise<void> {
  const { access, blob, deps, failure, failures, afterMs, signal } = run
  const pauseMs = Math.max(waitMs, Math.round(afterMs * (1 + deps.random() / 10)))
  const { host, repository } = access
  deps.onEvent({
    type: 'upload-retry',
    ...{ host: host.name, repository, digest: blob.descriptor.digest, attempt: failures, waitMs: pauseMs },
    reason: failure instanceof RegistryError ? answerOf(failure) : messageOf(failure),
  })
  await deps.sleep(pauseMs, signal)
}
