import { randomUUID } from 'node:crypto'
import type { Answer, ErrorCode, Exchange } from './answer.ts'
import { Refused } from './answer.ts'
import { algorithmOf, checkDigest } from './digest.ts'
import type { Store, Upload } from './store.ts'
import { digestOf } from './store.ts'

/** What a registry may choose about uploads. */
export interface UploadChoices {
  /** Mounts blobs of other repositories, 201; `false` always answers 202. Default true. */
  readonly mount?: boolean | undefined
  /** Takes a blob in the POST itself, 201; `false` drops its body and answers 202. Default true. */
  readonly singlePost?: boolean | undefined
  /** Keeps what came of a request that was cut, so that a client can go on. Default false. */
  readonly resumable?: boolean | undefined
  /** Announced as OCI-Chunk-Min-Length; a shorter chunk must be the last. */
  readonly minChunkBytes?: number | undefined
}

/** Where an upload session is; with the base of an absolute URL in front where the registry answers so. */
export type Locate = (path: string) => string

/** `POST /v2/<name>/blobs/uploads/`: a mount, a blob in one request, or a session. */
export async function answerPost(
  store: Store,
  name: string,
  { query, headers, body }: Exchange,
  { mount = true, singlePost = true, ...choices }: UploadChoices,
  locate: Locate,
): Promise<Answer> {
  requireLength(headers)
  const mounted = query.get('mount')
  const from = query.get('from')
  if (mounted !== null) {
    const blob = from === null ? undefined : store.repositories.get(from)?.blobs.get(checkDigest(mounted))
    if (mount && blob) {
      store.repository(name).blobs.set(mounted, blob)
      return created(name, mounted, locate)
    }
  }
  const digest = query.get('digest')
  const algorithm = query.get('digest-algorithm') ?? 'sha256'
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new Refused(400, { code: 'UNSUPPORTED', message: `digests of ${algorithm} are not supported` })
  }
  const upload = await store.startUpload(name, algorithm)
  if (digest !== null && singlePost) {
    await receive(store, upload, body, false)
    return await finish(store, upload, checkDigest(digest), locate)
  }
  const { minChunkBytes } = choices
  const least = minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': `${minChunkBytes}` }
  return { status: 202, headers: { location: locate(pathOf(upload)), ...least } }
}

/** `PATCH`, `PUT`, `GET` and `DELETE` of an upload session. */
export async function answerUpload(
  store: Store,
  name: string,
  id: string,
  { method, query, headers, body }: Exchange,
  { resumable = false, minChunkBytes = 0 }: UploadChoices,
  locate: Locate,
): Promise<Answer> {
  const upload = store.uploads.get(id)
  if (upload?.repository !== name) throw new Refused(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
  if (method === 'DELETE') {
    await store.dropUpload(upload)
    return { status: 204 }
  }
  if (method === 'GET') return { status: 204, headers: progress(upload, locate) }

  const length = requireLength(headers)
  // What was sent to an old location would be a repetition, or out of order.
  if (query.get('_state') !== upload.state) {
    throw refuseChunk(upload, locate, 'BLOB_UPLOAD_INVALID', 'the location of this upload is another one by now')
  }
  const digest = method === 'PUT' ? checkDigest(query.get('digest') ?? '') : undefined
  const range = headers['content-range']
  if (range !== undefined) checkRange(range, length, upload, locate)
  if (upload.short && length !== 0) {
    throw new Refused(400, {
      code: 'SIZE_INVALID',
      message: `only the last chunk may be shorter than ${minChunkBytes} bytes`,
    })
  }
  const before = upload.content.size
  await receive(store, upload, body, resumable)
  if (digest !== undefined) return await finish(store, upload, digest, locate)
  upload.short = upload.content.size - before < minChunkBytes
  return { status: 202, headers: progress(upload, locate) }
}

async function receive(
  store: Store,
  upload: Upload,
  body: AsyncIterable<Uint8Array>,
  resumable: boolean,
): Promise<void> {
  const { content } = upload
  const before = content.size
  try {
    for await (const piece of body) await content.append(piece)
  } catch (error) {
    if (!resumable) await content.truncate(before)
    throw error
  } finally {
    if (store.uploads.has(upload.id)) upload.state = randomUUID()
  }
}

async function finish(store: Store, upload: Upload, digest: string, locate: Locate): Promise<Answer> {
  const { id, repository, content } = upload
  const actual = await digestOf(content, algorithmOf(digest))
  if (actual !== digest) {
    await store.dropUpload(upload)
    throw new Refused(400, {
      code: 'DIGEST_INVALID',
      message: 'the content has another digest',
      detail: { expected: digest, actual },
    })
  }
  store.uploads.delete(id)
  store.repository(repository).blobs.set(digest, await content.finish(digest))
  return created(repository, digest, locate)
}

function created(name: string, digest: string, locate: Locate): Answer {
  return {
    status: 201,
    headers: { location: locate(`/v2/${name}/blobs/${digest}`), 'docker-content-digest': digest },
  }
}

function pathOf({ repository, id, state }: Upload): string {
  return `/v2/${repository}/blobs/uploads/${id}?_state=${state}`
}

function progress(upload: Upload, locate: Locate): Record<string, string> {
  return { location: locate(pathOf(upload)), range: `0-${Math.max(0, upload.content.size - 1)}` }
}

/** @returns bytes of the body, or undefined where it comes in HTTP chunks */
function requireLength(headers: Exchange['headers']): number | undefined {
  const length = headers['content-length']
  if (length !== undefined) return Number(length)
  if (headers['transfer-encoding'] !== undefined) return undefined
  throw new Refused(411, { code: 'SIZE_INVALID', message: 'there is neither Content-Length nor Transfer-Encoding' })
}

function checkRange(range: string, length: number | undefined, upload: Upload, locate: Locate): void {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(range) ?? []
  if (first === undefined || last === undefined) {
    throw new Refused(400, {
      code: 'BLOB_UPLOAD_INVALID',
      message: 'Content-Range is not START-END',
      detail: { range },
    })
  }
  if (Number(first) !== upload.content.size) {
    throw refuseChunk(upload, locate, 'BLOB_UPLOAD_INVALID', `the next byte is ${upload.content.size}, not ${first}`)
  }
  if (length !== undefined && Number(last) - Number(first) + 1 !== length) {
    throw new Refused(400, {
      code: 'SIZE_INVALID',
      message: 'Content-Range and Content-Length differ',
      detail: { range, length },
    })
  }
}

function refuseChunk(upload: Upload, locate: Locate, code: ErrorCode, message: string): Refused {
  return new Refused(416, { code, message }, progress(upload, locate))
}
