import type { Answer, Exchange } from './answer.ts'
import { Refused, json } from './answer.ts'
import { checkDigest } from './digest.ts'
import type { Store, StoredManifest } from './store.ts'
import { fieldOf, parseJson } from './store.ts'

export interface ListChoices {
  /** Entries of one answer at most, whatever `n` asks for. */
  readonly tagsPerPage?: number | undefined
  readonly referrersPerPage?: number | undefined
  /** A larger `n` is refused. */
  readonly maxTagsAsked?: number | undefined
  /** Gives all tags, whatever `n` says. Default false. */
  readonly ignoresPages?: boolean | undefined
}

const INDEX = 'application/vnd.oci.image.index.v1+json'

/** `GET /v2/<name>/tags/list`, with `n`, `last` and Link. */
export function answerTags(
  store: Store,
  name: string,
  { query }: Exchange,
  { tagsPerPage, maxTagsAsked = Infinity, ignoresPages = false }: ListChoices,
): Answer {
  const repository = store.repositories.get(name)
  if (!repository) throw new Refused(404, { code: 'NAME_UNKNOWN', message: 'no such repository', detail: { name } })
  if (ignoresPages) return json(200, { name, tags: [...repository.tags.keys()] })
  const last = query.get('last') ?? ''
  const after = [...repository.tags.keys()].sort().filter(tag => tag > last)
  const asked = query.get('n')
  if (Number(asked) > maxTagsAsked) {
    throw new Refused(400, { code: 'UNSUPPORTED', message: `n is at most ${maxTagsAsked}`, detail: { n: asked } })
  }
  const count = Math.min(asked === null ? Infinity : Number(asked), tagsPerPage ?? Infinity)
  const tags = after.slice(0, count)
  const more = tags.length > 0 && tags.length < after.length
  const next = `/v2/${name}/tags/list?n=${tags.length}&last=${encodeURIComponent(tags.at(-1) ?? '')}`
  return json(200, { name, tags }, more ? { link: `<${next}>; rel="next"` } : {})
}

/** `GET /v2/<name>/referrers/<digest>`: an index, in pages, empty for what nothing refers to. */
export function answerReferrers(
  store: Store,
  name: string,
  reference: string,
  { query }: Exchange,
  { referrersPerPage = Infinity }: ListChoices,
): Answer {
  const subject = checkDigest(reference)
  const wanted = query.get('artifactType')
  const from = Number(query.get('from') ?? 0)
  const { manifests: kept, referrers } = store.repositories.get(name) ?? {}
  const all = (referrers?.get(subject) ?? [])
    .flatMap(digest => kept?.get(digest) ?? [])
    .filter(({ digest }) => !store.isHidden(`${subject} ${digest}`))
    .flatMap(descriptorOf)
    .filter(({ artifactType }) => wanted === null || artifactType === wanted)
  const manifests = all.slice(from, from + referrersPerPage)
  const to = from + manifests.length
  const filter = wanted === null ? '' : `artifactType=${encodeURIComponent(wanted)}&`
  return json(
    200,
    { schemaVersion: 2, mediaType: INDEX, manifests },
    {
      'content-type': INDEX,
      ...(wanted !== null && { 'oci-filters-applied': 'artifactType' }),
      ...(to < all.length && { link: `</v2/${name}/referrers/${subject}?${filter}from=${to}>; rel="next"` }),
    },
  )
}

/** The descriptor that the list has for a manifest: distribution-spec, "Listing Referrers". */
function descriptorOf({ bytes, digest, mediaType }: StoredManifest): {
  readonly artifactType?: string
  readonly [field: string]: unknown
}[] {
  const document = parseJson(bytes) ?? {}
  const artifactType = fieldOf(document, 'artifactType') ?? fieldOf(document['config'], 'mediaType')
  const { annotations } = document
  return [
    {
      mediaType,
      digest,
      size: bytes.byteLength,
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations !== undefined && { annotations }),
    },
  ]
}
