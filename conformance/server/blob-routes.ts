import type { Answer, Exchange } from './answer.ts'
import { Refused } from './answer.ts'
import { checkDigest } from './digest.ts'
import type { Store } from './store.ts'

/** `HEAD`, `GET` and `DELETE /v2/<name>/blobs/<digest>`. */
export function answerBlob(store: Store, name: string, reference: string, { method, headers }: Exchange): Answer {
  const digest = checkDigest(reference)
  const repository = store.repositories.get(name)
  const blob = repository?.blobs.get(digest)
  if (!repository || !blob)
    throw new Refused(404, { code: 'BLOB_UNKNOWN', message: 'no such blob', detail: { digest } })
  if (method === 'DELETE') {
    repository.blobs.delete(digest)
    return { status: 202 }
  }
  const about = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
  }
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
