import { createHash } from 'node:crypto'
import type { Answer, Exchange, SpecError } from './answer.ts'
import { Refused, readAll } from './answer.ts'
import { algorithmOf, checkDigest, isTag } from './digest.ts'
import type { Repository, Store, StoredManifest } from './store.ts'

/** What a registry may choose about manifests. */
export interface ManifestChoices {
  /** Takes `?tag=` on a PUT by digest and answers with OCI-Tag; `false` ignores it, as most do. Default true. */
  readonly multiTag?: boolean | undefined
  /** More of them are refused with 414. Default 10, the least that the specification asks for. */
  readonly maxTags?: number | undefined
  /** Has the referrers API, and says so with OCI-Subject. Default true. */
  readonly referrers?: boolean | undefined
  /** A tag that there is cannot be pushed again, not even with the digest that it has. Default false. */
  readonly immutableTags?: boolean | undefined
  /** Gives manifests an ETag, and honours If-Match and If-None-Match when a tag is pushed. Default false, as everywhere. */
  readonly conditions?: boolean | undefined
}

const MAX_MANIFEST_BYTES = 4 << 20

/** `HEAD`, `GET`, `PUT` and `DELETE /v2/<name>/manifests/<reference>`. */
export async function answerManifest(
  store: Store,
  name: string,
  reference: string,
  exchange: Exchange,
  choices: ManifestChoices,
): Promise<Answer> {
  if (exchange.method === 'PUT') return await put(store, name, reference, exchange, choices)
  const repository = store.repositories.get(name)
  const manifest = repository && find(repository, reference)
  if (!repository || !manifest) throw unknown(reference)
  if (exchange.method === 'DELETE') {
    remove(repository, reference)
    return { status: 202 }
  }
  if (!accepts(exchange.headers['accept'], manifest.mediaType)) throw unknown(reference)
  return {
    status: 200,
    headers: {
      'content-type': manifest.mediaType,
      'docker-content-digest': manifest.digest,
      ...(choices.conditions && { etag: `"${manifest.digest}"` }),
    },
    body: manifest.bytes,
  }
}

function unknown(reference: string): Refused {
  return new Refused(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest', detail: { reference } })
}

function find(repository: Repository, reference: string): StoredManifest | undefined {
  const digest = isTag(reference) ? repository.tags.get(reference) : checkDigest(reference)
  return digest === undefined ? undefined : repository.manifests.get(digest)
}

/** By tag only the tag goes, by digest all its tags too. */
function remove({ tags, manifests }: Repository, reference: string): void {
  if (tags.delete(reference)) return
  manifests.delete(reference)
  for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag)
}

function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === '') return true
  const [type = ''] = mediaType.split('/')
  const ranges = header.split(',').map(range => range.split(';', 1)[0]?.trim())
  return [mediaType, `${type}/*`, '*/*'].some(wanted => ranges.includes(wanted))
}

async function put(
  store: Store,
  name: string,
  reference: string,
  { query, headers, body }: Exchange,
  { multiTag = true, maxTags = 10, referrers = true, immutableTags = false, conditions = false }: ManifestChoices,
): Promise<Answer> {
  const byTag = isTag(reference)
  const tags = byTag ? [reference] : multiTag ? query.getAll('tag') : []
  const wrong = tags.find(tag => !isTag(tag))
  if (wrong !== undefined) throw invalid('not a tag', { tag: wrong })
  if (tags.length > maxTags) {
    throw new Refused(414, { code: 'UNSUPPORTED', message: `at most ${maxTags} tags in one request` })
  }
  const bytes = await readAll(body)
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw new Refused(413, { code: 'MANIFEST_INVALID', message: `more than ${MAX_MANIFEST_BYTES} bytes` })
  }
  const algorithm = byTag ? 'sha256' : algorithmOf(checkDigest(reference))
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (!byTag && digest !== reference) {
    throw new Refused(400, {
      code: 'DIGEST_INVALID',
      message: 'the manifest has another digest',
      detail: { expected: reference, actual: digest },
    })
  }
  const mediaType = headers['content-type'] ?? ''
  const document = parseManifest(bytes, mediaType)
  const repository = store.repository(name)
  const kept = immutableTags ? tags.find(tag => repository.tags.has(tag)) : undefined
  if (kept !== undefined) {
    throw new Refused(400, { code: 'TAG_INVALID', message: 'the tag is immutable', detail: { tag: kept } })
  }
  if (conditions && byTag && !isMet(headers, repository.tags.get(reference))) {
    throw new Refused(412, { code: 'DENIED', message: 'the tag is not what you think it is' })
  }
  const missing = missingContent(document, repository)
  if (missing.length > 0) throw new Refused(400, missing)

  repository.manifests.set(digest, { digest, mediaType, bytes })
  for (const tag of tags) repository.tags.set(tag, digest)
  const subject = fieldOf(document['subject'], 'digest')
  return {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...(referrers && subject !== undefined && { 'oci-subject': subject }),
      ...(!byTag && tags.length > 0 && { 'oci-tag': tags }),
    },
  }
}

/** RFC 9110, 13.1: the digest in quotes is the entity tag. */
function isMet(headers: Exchange['headers'], now: string | undefined): boolean {
  const match = headers['if-match']
  if (match !== undefined && match !== `"${now ?? ''}"`) return false
  return headers['if-none-match'] !== '*' || now === undefined
}

function invalid(message: string, detail?: unknown): Refused {
  return new Refused(400, { code: 'MANIFEST_INVALID', message, detail })
}

function parseManifest(bytes: Buffer, mediaType: string): Readonly<Record<string, unknown>> {
  if (mediaType === '') throw invalid('there is no Content-Type')
  const document = parseJson(bytes)
  if (document === undefined) throw invalid('not a JSON object')
  const said = document['mediaType']
  if (said !== undefined && said !== mediaType) throw invalid('Content-Type and mediaType differ', { mediaType: said })
  return document
}

export function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** A text field of something that may be an object. */
export function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined
  const field = (value as Record<string, unknown>)[name]
  return typeof field === 'string' ? field : undefined
}

/** Everything a manifest points at must be there before it, but for a subject and for layers that are kept elsewhere. */
function missingContent(document: Readonly<Record<string, unknown>>, { blobs, manifests }: Repository): SpecError[] {
  const list = (name: string): unknown[] => {
    const value = document[name]
    return Array.isArray(value) ? value : []
  }
  const missing = (descriptor: unknown, where: ReadonlyMap<string, unknown>): SpecError[] => {
    const digest = fieldOf(descriptor, 'digest')
    if (digest === undefined) throw invalid('a descriptor has no digest')
    const elsewhere = /nondistributable|[.]foreign[.]/.test(fieldOf(descriptor, 'mediaType') ?? '')
    if (where.has(digest) || elsewhere) return []
    return [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'the manifest points at what is not there', detail: { digest } }]
  }
  return [
    ...[document['config'] ?? [], ...list('layers'), ...list('blobs')].flat().flatMap(one => missing(one, blobs)),
    ...list('manifests').flatMap(one => missing(one, manifests)),
  ]
}
