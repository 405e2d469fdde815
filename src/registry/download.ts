import type { ReadOptions } from '../content/blob.ts'
import { IntegrityError, RegistryError, type OciPublishError } from '../errors.ts'
import { HttpError } from '../http/error.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isManifestType } from '../oci/media-type.ts'
import { verified } from '../content/verify.ts'
import type { Access } from './access.ts'
import { unreachable } from './error.ts'
import type { RegistryEvent } from './event.ts'
import { ACCEPT } from './manifests.ts'
import { watchQuiet, type QuietOptions } from './quiet.ts'

export interface DownloadDeps {
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
  readonly onEvent: (event: RegistryEvent) => void
  /** How long no byte may come, and by which clock. */
  readonly quiet?: Pick<QuietOptions, 'mostMs' | 'clock'> | undefined
}

const ATTEMPTS = 4
/** A transfer that came this much further since it was last cut is getting on. */
const PROGRESS_BYTES = 1 << 20
const BASE_MS = 500

/**
 * Bytes of a manifest or blob. A transfer that is cut goes on where it stopped, from the registry's own URL: the one it
 * redirected to has perhaps expired.
 *
 * @throws {IntegrityError} when read from the start and not what the descriptor says
 */
export function download(
  access: Access,
  descriptor: Descriptor,
  { offset = 0, signal }: ReadOptions,
  deps: DownloadDeps,
): AsyncIterable<Uint8Array> {
  const from = `${access.host.name}/${access.repository}@${descriptor.digest}`
  const bytes = resumed(access, descriptor, { offset, signal }, deps, from)
  return offset === 0 ? verified(bytes, descriptor, from) : bytes
}

async function* resumed(
  access: Access,
  descriptor: Descriptor,
  { offset, signal: outer }: { readonly offset: number; readonly signal: AbortSignal | undefined },
  deps: DownloadDeps,
  from: string,
): AsyncGenerator<Uint8Array> {
  let failure: HttpError | undefined
  const hint = 'try again later'
  const { operation, method, to } = requestFor(access, descriptor, { at: offset, signal: outer })
  const watched = { ...deps.quiet, failure: () => failure, signal: outer }
  const quiet = watchQuiet(access, { operation, method, path: to, hint }, watched)
  const onCut = (because: HttpError | undefined): void => {
    failure = because
  }
  try {
    for await (const chunk of continued(access, descriptor, { offset, signal: quiet.signal, from, onCut }, deps)) {
      quiet.moved()
      quiet.pause()
      yield chunk
      quiet.goOn()
    }
  } finally {
    quiet.end()
  }
}

interface ContinueOptions {
  readonly offset: number
  readonly signal: AbortSignal
  readonly from: string
  readonly onCut: (because: HttpError | undefined) => void
}

async function* continued(
  access: Access,
  descriptor: Descriptor,
  { offset, signal, from, onCut }: ContinueOptions,
  { sleep, random, onEvent }: DownloadDeps,
): AsyncGenerator<Uint8Array> {
  const { size } = descriptor
  let at = offset
  let failures = 0
  let attempt = 0
  let lastCut = offset
  while (at < size || size === 0) {
    signal.throwIfAborted()
    const request = requestFor(access, descriptor, { at, signal })
    const response = await access.ask({ ...request, answers: [200, 206] })
    let skip = response.status === 206 ? 0 : at
    let because: HttpError | undefined
    await check(response, { at, size, from })
    try {
      for await (const chunk of response.body) {
        signal.throwIfAborted()
        if (skip >= chunk.byteLength) {
          skip -= chunk.byteLength
          continue
        }
        const wanted = skip === 0 ? chunk : chunk.subarray(skip)
        skip = 0
        at += wanted.byteLength
        yield wanted
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      because = error
    }
    if (at >= size) return
    onCut(because)
    failures = at - lastCut >= PROGRESS_BYTES ? 1 : failures + 1
    lastCut = at
    if (failures >= ATTEMPTS || because?.retriable === false) throw cut(access, request, at, size, because)
    const waitMs = Math.round(random() * BASE_MS * 2 ** failures)
    onEvent({
      type: 'download-resume',
      ...{ host: access.host.name, repository: access.repository, digest: descriptor.digest },
      ...{ reason: because?.reason ?? endedEarly(at, size), attempt: ++attempt, waitMs, offset: at },
    })
    await sleep(waitMs, signal)
  }
}

interface DownloadRequest {
  readonly method: 'GET'
  readonly to: string
  readonly headers: Readonly<Record<string, string>>
  readonly operation: string
  readonly signal: AbortSignal | undefined
}

function requestFor(
  access: Access,
  { mediaType, digest, size }: Descriptor,
  { at, signal }: { readonly at: number; readonly signal: AbortSignal | undefined },
): DownloadRequest {
  const manifest = isManifestType(mediaType)
  return {
    method: 'GET',
    to: manifest ? access.manifest(digest) : access.blob(digest),
    headers: {
      ...(manifest && { accept: ACCEPT }),
      // With its end: there are registries that do not know an open range.
      ...(at > 0 && { range: `bytes=${at}-${size - 1}` }),
    },
    operation: `read ${manifest ? 'manifest' : 'blob'} ${digest}`,
    signal,
  }
}

/** Refuses at once what cannot be right, before any of it is read. */
async function check(
  response: HttpResponse,
  { at, size, from }: { readonly at: number; readonly size: number; readonly from: string },
): Promise<void> {
  const length = response.header('content-length')
  const encoded = response.header('content-encoding') !== undefined
  let problem: [expected: string, actual: string] | undefined
  if (response.status === 206) {
    const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(response.header('content-range') ?? '') ?? []
    if (Number(first) !== at || Number(last) !== size - 1) {
      problem = [`bytes ${at}-${size - 1}`, response.header('content-range') ?? 'no Content-Range']
    }
  } else if (length !== undefined && !encoded && Number(length) !== size) {
    problem = [`${size} bytes`, length]
  }
  if (!problem) return
  await response.discard()
  throw new IntegrityError(from, ...problem)
}

function cut(
  access: Access,
  { method, operation }: DownloadRequest,
  at: number,
  size: number,
  because: HttpError | undefined,
): OciPublishError {
  const { side, host, repository } = access
  const asked = { side, host: host.name, repository, operation, method }
  if (because) return unreachable(because, asked)
  return new RegistryError({
    ...asked,
    url: new URL(access.root, host.base).href,
    status: 0,
    codes: [],
    detail: endedEarly(at, size),
    requestId: undefined,
    retriable: true,
  })
}

function endedEarly(at: number, size: number): string {
  return `the answer ended after ${at} of ${size} bytes`
}
