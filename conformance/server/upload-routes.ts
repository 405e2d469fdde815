import { randomUUID } from 'node:crypto'
import type { Answer, ErrorCode, Exchange, Refusal } from './answer.ts'
import { Refused, refuse } from './answer.ts'
import { algorithmOf, checkDigest } from './digest.ts'
import { mountedFrom, type MountChoices } from './mount.ts'
import type { Store, Upload } from './store.ts'
import { digestOf } from './store.ts'

/** What a registry may choose about uploads. */
export interface UploadChoices extends MountChoices {
  /** Takes a blob in the POST itself, 201; `false` drops its body and answers 202. Default true. */
  readonly singlePost?: boolean | undefined
  /** Keeps what came of a request that was cut, so that a client can go on. Default false. */
  readonly resumable?: boolean | undefined
  /** Ends a session whose request was cut. Default false. */
  readonly endsWhenCut?: boolean | undefined
  /** Knows nothing of a session by an old Location: 404 instead of 416, also where it is asked how far it came. */
  readonly forgetsOldLocations?: boolean | undefined
  /** A shorter chunk must be the last. */
  readonly minChunkBytes?: number | undefined
  /** Says so, with OCI-Chunk-Min-Length. Default true. */
  readonly announcesMinChunk?: boolean | undefined
  /** A longer chunk is refused with 416, where it comes with a Content-Range. */
  readonly maxChunkBytes?: number | undefined
  /**
   * What becomes of chunks: they must be in order; they are taken in any order, Content-Range or not; all after the first
   * are thanked for and dropped; none are taken that come with a Content-Range. Default `checked`.
   */
  readonly chunks?: 'checked' | 'appended' | 'only-first' | 'refused' | undefined
  /** Answer to a chunk. Default 202. */
  readonly chunkStatus?: 201 | 202 | 204 | undefined
  /** Tells how far an upload came (GET). Default true. */
  readonly uploadStatus?: boolean | undefined
  /** Ends sessions on request (DELETE). Default true. */
  readonly uploadCancel?: boolean | undefined
  /** What is in front of it refuses longer bodies with 413, before they are read. */
  readonly maxBodyBytes?: number | undefined
  /** Refuses a Location whose query comes back in other bytes, as where it is signed. Default false. */
  readonly signedLocations?: boolean | undefined
  /** Says with Docker-Content-Digest what it has. Default true. */
  readonly digestHeader?: boolean | undefined
}

/** Where an upload session is; with the base of an absolute URL in front where the registry answers so. */
export type Locate = (path: string) => string

const NO_STATUS: Refusal = { status: 400, code: 'UNSUPPORTED', message: 'uploads are not told about here' }
const NO_CANCEL: Refusal = { status: 405, code: 'UNSUPPORTED', message: 'uploads end by themselves here' }
const NO_CHUNKS: Refusal = { status: 400, code: 'UNSUPPORTED', message: 'uploads in chunks are not supported' }
/** What is in front of a registry speaks HTML. */
const TOO_LARGE: Answer = {
  status: 413,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from('<html><h1>413 Request Entity Too Large</h1></html>'),
}
const FORGOTTEN: Refusal = { status: 404, code: 'BLOB_UPLOAD_INVALID', message: 'blob upload invalid' }
const BAD_SIGNATURE: Refusal = { status: 403, code: 'DENIED', message: 'the signature is not that of this query' }

/** `POST /v2/<name>/blobs/uploads/`: a mount, a blob in one request, or a session. */
export async function answerPost(
  store: Store,
  name: string,
  { query, headers, body }: Exchange,
  choices: UploadChoices,
  locate: Locate,
): Promise<Answer> {
  const { singlePost = true, minChunkBytes, announcesMinChunk = true } = choices
  requireLength(headers)
  const mounted = mountedFrom(store, query, choices)
  if (mounted) {
    store.repository(name).blobs.set(mounted.digest, mounted.bytes)
    store.landed.push({ what: 'blob', repository: name, name: mounted.digest, missing: [] })
    return created(name, mounted.digest, choices, locate)
  }
  const digest = query.get('digest')
  const algorithm = query.get('digest-algorithm') ?? 'sha256'
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new Refused(400, { code: 'UNSUPPORTED', message: `digests of ${algorithm} are not supported` })
  }
  const upload = await store.startUpload(name, algorithm)
  if (digest !== null && singlePost) {
    await receive(store, upload, body, choices)
    return await finish(store, upload, checkDigest(digest), choices, locate)
  }
  const least = minChunkBytes === undefined || !announcesMinChunk ? {} : { 'oci-chunk-min-length': `${minChunkBytes}` }
  return {
    status: 202,
    headers: { location: locate(pathOf(upload, choices)), 'docker-upload-uuid': upload.id, ...least },
    upload: upload.id,
  }
}

/** `PATCH`, `PUT`, `GET` and `DELETE` of an upload session. */
export async function answerUpload(
  store: Store,
  name: string,
  id: string,
  exchange: Exchange,
  choices: UploadChoices,
  locate: Locate,
): Promise<Answer> {
  const { method, query, target, headers, body } = exchange
  const { minChunkBytes = 0, chunks = 'checked', chunkStatus = 202 } = choices
  const upload = store.uploads.get(id)
  if (upload?.repository !== name) throw new Refused(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
  const isOld = query.get('_state') !== upload.state
  if (isOld && choices.forgetsOldLocations) refuse(FORGOTTEN)
  if (method === 'DELETE') {
    if (choices.uploadCancel === false) refuse(NO_CANCEL)
    await store.dropUpload(upload)
    return { status: 204 }
  }
  if (method === 'GET') {
    if (choices.uploadStatus === false) refuse(NO_STATUS)
    return { status: 204, headers: progress(upload, choices, locate) }
  }
  const length = requireLength(headers)
  if (length !== undefined && length > (choices.maxBodyBytes ?? Infinity)) return TOO_LARGE
  if (choices.signedLocations && !target.startsWith(pathOf(upload, choices))) refuse(BAD_SIGNATURE)
  // What was sent to an old location would be a repetition, or out of order.
  if (isOld) {
    const old = 'the location of this upload is another one by now'
    throw refuseChunk(upload, choices, locate, 'BLOB_UPLOAD_INVALID', old)
  }
  const digest = method === 'PUT' ? checkDigest(query.get('digest') ?? '') : undefined
  const range = headers['content-range']
  if (range !== undefined && chunks === 'refused') refuse(NO_CHUNKS)
  if (range !== undefined && chunks !== 'appended') checkRange(range, length, upload, choices, locate)
  if (upload.short && length !== 0) {
    const message = `only the last chunk may be shorter than ${minChunkBytes} bytes`
    throw new Refused(400, { code: 'SIZE_INVALID', message })
  }
  const before = upload.content.size
  if (method === 'PATCH') upload.pieces++
  const dropped = chunks === 'only-first' && (method === 'PATCH' ? upload.pieces > 1 : upload.pieces > 0)
  await receive(store, upload, dropped ? nothingOf(body) : body, choices)
  if (digest !== undefined) return await finish(store, upload, digest, choices, locate)
  upload.short = upload.content.size - before < minChunkBytes
  return { status: chunkStatus, headers: progress(upload, choices, locate), upload: upload.id }
}

async function receive(
  store: Store,
  upload: Upload,
  body: AsyncIterable<Uint8Array>,
  { resumable = false, endsWhenCut = false }: UploadChoices,
): Promise<void> {
  const { content } = upload
  const before = content.size
  try {
    for await (const piece of body) await content.append(piece)
  } catch (error) {
    if (endsWhenCut) await store.dropUpload(upload)
    else if (!resumable) await content.truncate(before)
    throw error
  } finally {
    if (store.uploads.has(upload.id)) upload.state = randomUUID()
  }
}

/** Reads the bytes, and makes nothing of them. */
async function* nothingOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) yield piece.subarray(0, 0)
}

async function finish(
  store: Store,
  upload: Upload,
  digest: string,
  choices: UploadChoices,
  locate: Locate,
): Promise<Answer> {
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
  store.landed.push({ what: 'blob', repository, name: digest, missing: [] })
  return created(repository, digest, choices, locate)
}

function created(name: string, digest: string, { digestHeader = true }: UploadChoices, locate: Locate): Answer {
  return {
    status: 201,
    headers: {
      location: locate(`/v2/${name}/blobs/${digest}`),
      ...(digestHeader && { 'docker-content-digest': digest }),
    },
    made: digest,
  }
}

/** What is signed has characters that are written in more than one way, and an order of its own. */
function pathOf({ repository, id, state }: Upload, { signedLocations = false }: UploadChoices): string {
  const query = signedLocations ? `zone=a%2fb&_state=${state}&at=1+2%20(3)` : `_state=${state}`
  return `/v2/${repository}/blobs/uploads/${id}?${query}`
}

function progress(upload: Upload, choices: UploadChoices, locate: Locate): Record<string, string> {
  return {
    location: locate(pathOf(upload, choices)),
    'docker-upload-uuid': upload.id,
    range: `0-${Math.max(0, upload.content.size - 1)}`,
  }
}

/** @returns bytes of the body, or undefined where it comes in HTTP chunks */
function requireLength(headers: Exchange['headers']): number | undefined {
  const length = headers['content-length']
  if (length !== undefined) return Number(length)
  if (headers['transfer-encoding'] !== undefined) return undefined
  throw new Refused(411, { code: 'SIZE_INVALID', message: 'there is neither Content-Length nor Transfer-Encoding' })
}

function checkRange(
  range: string,
  length: number | undefined,
  upload: Upload,
  choices: UploadChoices,
  locate: Locate,
): void {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(range) ?? []
  if (first === undefined || last === undefined) {
    throw new Refused(400, {
      code: 'BLOB_UPLOAD_INVALID',
      message: 'Content-Range is not START-END',
      detail: { range },
    })
  }
  const { size } = upload.content
  if (Number(first) !== size) {
    const message = `the next byte is ${size}, not ${first}`
    throw refuseChunk(upload, choices, locate, 'BLOB_UPLOAD_INVALID', message)
  }
  const bytes = Number(last) - Number(first) + 1
  if (length !== undefined && bytes !== length) {
    throw new Refused(400, {
      code: 'SIZE_INVALID',
      message: 'Content-Range and Content-Length differ',
      detail: { range, length },
    })
  }
  const { maxChunkBytes = Infinity } = choices
  if (bytes > maxChunkBytes) {
    const message = `a chunk of ${bytes} bytes exceeds the limit of ${maxChunkBytes}`
    throw refuseChunk(upload, choices, locate, 'RANGE_INVALID', message)
  }
}

function refuseChunk(
  upload: Upload,
  choices: UploadChoices,
  locate: Locate,
  code: ErrorCode,
  message: string,
): Refused {
  return new Refused(416, { code, message }, progress(upload, choices, locate))
}
