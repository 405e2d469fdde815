import type { Answer, Exchange, Refusal } from './answer.ts'
import { Refused, refuse } from './answer.ts'
import { checkDigest } from './digest.ts'
import type { Store, StoredBytes } from './store.ts'

/** What a registry may choose about blobs. */
export interface BlobChoices {
  /** HEAD finds what any repository has, and from then on this one has it too. Default false. */
  readonly blobsEverywhere?: boolean | undefined
  /** Says with Docker-Content-Digest what it has. Default true. */
  readonly digestHeader?: boolean | undefined
  /** Deletes. Default true. */
  readonly deletes?: boolean | undefined
}

/** Said where the registry deletes nothing by this API. */
export const NO_DELETE: Refusal = { status: 405, code: 'UNSUPPORTED', message: 'nothing is deleted here' }

/**
 * `HEAD`, `GET` and `DELETE /v2/<name>/blobs/<digest>`.
 *
 * @param storage of a blob, where clients are sent on to another place for it
 */
export function answerBlob(
  store: Store,
  name: string,
  reference: string,
  { method, headers }: Exchange,
  choices: BlobChoices,
  storage?: (digest: string) => string,
): Answer {
  const digest = checkDigest(reference)
  if (method === 'HEAD' && choices.blobsEverywhere) adopt(store, name, digest)
  const repository = store.repositories.get(name)
  const blob = repository?.blobs.get(digest)
  if (!repository || !blob || store.isHidden(digest))
    throw new Refused(404, { code: 'BLOB_UNKNOWN', message: 'no such blob', detail: { digest } })
  if (method === 'DELETE') {
    if (choices.deletes === false) refuse(NO_DELETE)
    repository.blobs.delete(digest)
    return { status: 202 }
  }
  if (method === 'GET' && storage) return { status: 307, headers: { location: storage(digest) } }
  const { digestHeader = true } = choices
  return contentOf(blob, { method, headers }, digestHeader ? { 'docker-content-digest': digest } : {})
}

function adopt(store: Store, name: string, digest: string): void {
  const bytes = store.anywhere(digest)
  if (bytes) store.repository(name).blobs.set(digest, bytes)
}

/** Bytes, all or the part that is asked for. */
export function contentOf(
  blob: StoredBytes,
  { method, headers }: Pick<Exchange, 'method' | 'headers'>,
  more: Readonly<Record<string, string>> = {},
): Answer {
  const about = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', ...more }
  const range = method === 'GET' ? parseRange(headers['range'], blob.size) : undefined
  if (range === undefined) return { status: 200, headers: about, size: blob.size, body: blob.read() }
  if (range === 'beyond') {
    throw new Refused(
      416,
      { code: 'SIZE_INVALID', message: 'the range is beyond the blob', detail: { size: blob.size } },
      { 'content-range': `bytes */${blob.size}` },
    )
  }
  const { start, end } = range
  return {
    status: 206,
    headers: { ...about, 'content-range': `bytes ${start}-${end - 1}/${blob.size}` },
    size: end - start,
    body: blob.read(start, end),
  }
}

/**
 * RFC 9110, 14.1.2: one range, of any of the three forms. What is not understood is ignored, as the RFC wants.
 *
 * @returns `end` is exclusive
 */
function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'beyond' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'beyond' : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'beyond' : { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
