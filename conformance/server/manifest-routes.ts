import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Exchange, Refusal } from './answer.ts'
import { Refused, readAll, refuse } from './answer.ts'
import { NO_DELETE } from './blob-routes.ts'
import { algorithmOf, checkDigest, isTag } from './digest.ts'
import type { Repository, Store, StoredManifest } from './store.ts'
import { fieldOf, listedWith, parseJson } from './store.ts'

/** What a registry may choose about manifests. */
export interface ManifestChoices {
  /** Takes `?tag=` on a PUT by digest and answers with OCI-Tag; `false` ignores it, as most do. Default true. */
  readonly multiTag?: boolean | undefined
  /** More of them are refused with 414. Default 10, the least that the specification asks for. */
  readonly maxTags?: number | undefined
  /** Has the referrers API. Default true. */
  readonly referrers?: boolean | undefined
  /** Says with OCI-Subject that it lists a manifest among the referrers of its subject. Default: where it does. */
  readonly subjectHeader?: boolean | undefined
  /** A tag that there is cannot be pushed again, not even with the digest that it has. Default false. */
  readonly immutableTags?: boolean | Refusal | undefined
  /** Gives manifests an ETag, and honours If-Match and If-None-Match when a tag is pushed. Default false, as everywhere. */
  readonly conditions?: boolean | undefined
  /** Code where a manifest points at what is not there; `taken` takes it all the same. Default MANIFEST_BLOB_UNKNOWN. */
  readonly missingContent?: 'taken' | 'MANIFEST_BLOB_UNKNOWN' | 'MANIFEST_INVALID' | 'MANIFEST_UNKNOWN' | undefined
  /** Said to a manifest without a mediaType of its own. Default: it is taken. */
  readonly mediaTypeMissing?: Refusal | undefined
  /** Said to HEAD of a manifest that is not there. Default 404 MANIFEST_UNKNOWN. */
  readonly absentHead?: Refusal | undefined
  /** Looks at Accept, and does not find what the client does not take. Default true. */
  readonly negotiates?: boolean | undefined
  /** Knows digests by sha512. Default true. */
  readonly sha512?: boolean | undefined
  /** Says with Docker-Content-Digest what it has. Default true. */
  readonly digestHeader?: boolean | undefined
  /** Deletes manifests. Default true. */
  readonly deletes?: boolean | undefined
  /**
   * Reads a list of referrers, changes it and writes it back after a moment: of several pushes at the same moment only the last
   * is listed. Default false.
   */
  readonly racyReferrers?: boolean | undefined
  /** Finds by its digest what any repository has, though the blobs are in that one only. Default false. */
  readonly manifestsEverywhere?: boolean | undefined
  /** Said to a manifest whose subject is an index. Default: it is taken. */
  readonly indexAsSubject?: 'taken' | 'MANIFEST_BLOB_UNKNOWN' | undefined
  /** Types of configs and artifacts that are taken; of others MANIFEST_INVALID is said. Default: all are. */
  readonly knownTypes?: readonly string[] | undefined
}

/** Between reading and writing a list of referrers. */
const RACE_MS = 10

const IMMUTABLE: Refusal = { status: 400, code: 'TAG_INVALID', message: 'the tag is immutable' }
const NO_SHA512: Refusal = { status: 400, code: 'DIGEST_INVALID', message: 'only sha256 is known here' }
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
  const repository = choices.manifestsEverywhere ? store.repository(name) : store.repositories.get(name)
  const manifest = repository && (find(repository, reference) ?? elsewhere(store, reference, choices))
  if (!repository || !manifest || store.isHidden(manifest.digest) || store.isHidden(reference)) {
    if (exchange.method === 'HEAD' && choices.absentHead) refuse(choices.absentHead)
    throw unknown(reference)
  }
  if (exchange.method === 'DELETE') {
    if (choices.deletes === false) refuse(NO_DELETE)
    remove(repository, reference)
    return { status: 202 }
  }
  if (choices.negotiates !== false && !accepts(exchange.headers['accept'], manifest.mediaType)) throw unknown(reference)
  return {
    status: 200,
    headers: {
      'content-type': manifest.mediaType,
      ...(choices.digestHeader !== false && { 'docker-content-digest': manifest.digest }),
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

function elsewhere(store: Store, reference: string, choices: ManifestChoices): StoredManifest | undefined {
  if (!choices.manifestsEverywhere || isTag(reference)) return undefined
  return store.manifestAnywhere(checkDigest(reference))
}

/** By tag only the tag goes, by digest all its tags too. */
function remove({ tags, manifests, referrers }: Repository, reference: string): void {
  if (tags.delete(reference)) return
  manifests.delete(reference)
  for (const [subject, list] of referrers)
    referrers.set(
      subject,
      list.filter(digest => digest !== reference),
    )
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
  choices: ManifestChoices,
): Promise<Answer> {
  const { multiTag = true, maxTags = 10, referrers = true, immutableTags = false, conditions = false } = choices
  const { subjectHeader = referrers, missingContent = 'MANIFEST_BLOB_UNKNOWN', digestHeader = true } = choices
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
  if (algorithm === 'sha512' && choices.sha512 === false) refuse(NO_SHA512)
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
  if (choices.mediaTypeMissing && document['mediaType'] === undefined) refuse(choices.mediaTypeMissing)
  const repository = store.repository(name)
  const kept = immutableTags ? tags.find(tag => repository.tags.has(tag)) : undefined
  if (kept !== undefined) refuse(immutableTags === true || !immutableTags ? IMMUTABLE : immutableTags, { tag: kept })
  if (conditions && byTag && !isMet(headers, repository.tags.get(reference))) {
    throw new Refused(412, { code: 'DENIED', message: 'the tag is not what you think it is' })
  }
  checkTypes(document, choices)
  const missing = contentOf(document).filter(({ digest: child, kind }) => {
    return !(kind === 'blob' ? repository.blobs : repository.manifests).has(child) || store.isHidden(child)
  })
  const unknown = missing.filter(({ digest: child, kind }) => {
    return !(kind === 'manifest' && choices.manifestsEverywhere && store.manifestAnywhere(child))
  })
  if (unknown.length > 0 && missingContent !== 'taken') {
    const message = 'the manifest points at what is not there'
    throw new Refused(
      missingContent === 'MANIFEST_UNKNOWN' ? 404 : 400,
      unknown.map(({ digest: child }) => ({ code: missingContent, message, detail: { digest: child } })),
    )
  }
  const subject = fieldOf(document['subject'], 'digest')
  checkSubject(repository, subject, choices)
  repository.manifests.set(digest, { digest, mediaType, bytes })
  const lacks = missing.map(one => one.digest)
  store.landed.push({ what: 'manifest', repository: name, name: digest, missing: lacks })
  for (const tag of tags) {
    repository.tags.set(tag, digest)
    store.landed.push({ what: 'tag', repository: name, name: tag, missing: missingBelow(repository, digest) })
  }
  if (subject !== undefined) {
    const read = repository.referrers.get(subject)
    if (choices.racyReferrers) await pause(RACE_MS)
    repository.referrers.set(
      subject,
      listedWith(choices.racyReferrers ? read : repository.referrers.get(subject), digest),
    )
  }
  return {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      ...(digestHeader && { 'docker-content-digest': digest }),
      ...(subjectHeader && subject !== undefined && { 'oci-subject': subject }),
      ...(!byTag && tags.length > 0 && { 'oci-tag': tags }),
    },
    made: digest,
  }
}

function checkTypes(document: Readonly<Record<string, unknown>>, { knownTypes }: ManifestChoices): void {
  if (!knownTypes) return
  const types = [fieldOf(document, 'artifactType'), fieldOf(document['config'], 'mediaType')]
  const unknown = types.find(type => type !== undefined && !knownTypes.includes(type))
  if (unknown !== undefined) throw invalid('manifest invalid', `unknown media type: ${unknown}`)
}

function checkSubject(
  { manifests }: Repository,
  subject: string | undefined,
  { indexAsSubject = 'taken' }: ManifestChoices,
): void {
  if (subject === undefined || indexAsSubject === 'taken') return
  if (!/index|manifest[.]list/.test(manifests.get(subject)?.mediaType ?? '')) return
  throw new Refused(400, { code: indexAsSubject, message: 'blob unknown to registry', detail: { digest: subject } })
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

interface Pointer {
  readonly kind: 'blob' | 'manifest'
  readonly digest: string
}

/** What must be there before a manifest: all that it points at, but for a subject and for layers that are kept elsewhere. */
function contentOf(document: Readonly<Record<string, unknown>>): readonly Pointer[] {
  const list = (name: string): unknown[] => {
    const value = document[name]
    return Array.isArray(value) ? value : []
  }
  const pointer = (descriptor: unknown, kind: Pointer['kind']): readonly Pointer[] => {
    const digest = fieldOf(descriptor, 'digest')
    if (digest === undefined) throw invalid('a descriptor has no digest')
    const elsewhere = /nondistributable|[.]foreign[.]/.test(fieldOf(descriptor, 'mediaType') ?? '')
    return elsewhere ? [] : [{ kind, digest }]
  }
  return [
    ...[document['config'] ?? [], ...list('layers'), ...list('blobs')].flat().flatMap(one => pointer(one, 'blob')),
    ...list('manifests').flatMap(one => pointer(one, 'manifest')),
  ]
}

/** Digests that are missing anywhere below a manifest, itself included. */
export function missingBelow(repository: Repository, digest: string): readonly string[] {
  const manifest = repository.manifests.get(digest)
  if (!manifest) return [digest]
  return contentOf(parseJson(manifest.bytes) ?? {}).flatMap(child => {
    if (child.kind === 'manifest') return missingBelow(repository, child.digest)
    return repository.blobs.has(child.digest) ? [] : [child.digest]
  })
}
