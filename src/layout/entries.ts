import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isAttachedTag } from '../oci/attached-tag.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parseImageIndex } from '../oci/image-index.ts'
import { OCI_INDEX } from '../oci/media-type.ts'
import { parseRegistryReference, type RegistryReference } from '../oci/reference.ts'
import { isTag, parseTag, type Tag } from '../oci/tag.ts'

/** image-spec v1.1.1, annotations.md: of an entry of index.json its tag, by convention without the repository. */
export const REF_NAME = 'org.opencontainers.image.ref.name'
/** containerd's: the full reference. */
export const CONTAINERD_NAME = 'io.containerd.image.name'

export function parseEntries(bytes: Uint8Array, where: string): readonly Descriptor[] {
  return parseImageIndex(bytes, where, OCI_INDEX).manifests
}

export function serializeEntries(entries: readonly Descriptor[]): Uint8Array {
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries }
  return new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`)
}

/**
 * The entry that a name stands for: a digest, the ref.name, a full reference (some write that one), or its tag. The empty
 * name is the only image of the layout, however many names it has, and whatever is attached to it.
 *
 * @returns undefined for a digest that has no entry; it may be a blob all the same
 * @throws {OciPublishError} NOT_FOUND, AMBIGUOUS_NAME, with the names that there are
 */
export function findEntry(entries: readonly Descriptor[], name: string, place: string): Descriptor | undefined {
  if (isDigest(name)) return entries.find(({ digest }) => digest === name)
  const found = name === '' ? withoutAttached(entries) : matching(entries, name)
  const [first, ...more] = byDigest(found)
  if (first && more.length === 0) return first
  const names = namesOf(entries)
  if (first) {
    const which = name === '' ? 'several images, say which' : `several images named "${name}", say which by its digest`
    const choice = name === '' ? namesOf(found) : found.map(({ digest }) => digest)
    throw new OciPublishError('AMBIGUOUS_NAME', `${place} holds ${which}: ${choice.join(', ')}`)
  }
  if (names.length === 0) throw new OciPublishError('NOT_FOUND', `${place} holds no image`)
  throw new OciPublishError('NOT_FOUND', `${place} has no image "${name}"; it has: ${names.join(', ')}`)
}

/**
 * Artifacts without a name, and what has one of cosign's, are there because of what they are attached to, unless there is
 * nothing else.
 */
export function withoutAttached(entries: readonly Descriptor[]): readonly Descriptor[] {
  const others = entries.filter(({ artifactType, annotations }) => {
    const name = annotations?.[REF_NAME]
    return name === undefined ? artifactType === undefined : !isAttachedTag(name)
  })
  return others.length === 0 ? entries : others
}

function matching(entries: readonly Descriptor[], name: string): readonly Descriptor[] {
  const ways: ((text: string) => boolean)[] = [text => text === name, text => text.endsWith(`:${name}`)]
  for (const matches of ways) {
    for (const key of [REF_NAME, CONTAINERD_NAME]) {
      const found = entries.filter(({ annotations }) => matches(annotations?.[key] ?? ''))
      if (found.length > 0) return found
    }
  }
  return []
}

function byDigest(entries: readonly Descriptor[]): readonly Descriptor[] {
  const unique = new Map<Digest, Descriptor>()
  for (const entry of entries) if (!unique.has(entry.digest)) unique.set(entry.digest, entry)
  return [...unique.values()]
}

function namesOf(entries: readonly Descriptor[]): readonly string[] {
  return [...new Set(entries.map(({ annotations, digest }) => annotations?.[REF_NAME] ?? digest))]
}

/**
 * The tag of each entry that has one, each once: others write a full reference in its place.
 *
 * @throws {OciPublishError} INVALID_TAG for a name that has none, unless `onOther` is given and told of it
 */
export function tagsOf(
  entries: readonly Descriptor[],
  onOther: (name: string) => void = name => void parseTag(name),
): readonly Tag[] {
  const names = entries.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? annotations?.[CONTAINERD_NAME] ?? [])
  const tags = new Set<Tag>()
  for (const name of new Set(names)) {
    const tag = isTag(name) ? name : tagOfReference(name)
    if (tag === undefined) onOther(name)
    else tags.add(tag)
  }
  return [...tags]
}

/** Of `ghcr.io/team/app:v1`; of nothing that is not a reference. */
function tagOfReference(name: string): Tag | undefined {
  try {
    return parseRegistryReference(name).tag
  } catch {
    return undefined
  }
}

/** The descriptor of an entry without the names that the layout gives it. */
export function withoutNames({ annotations = {}, ...descriptor }: Descriptor): Descriptor {
  const others = Object.entries(annotations).filter(([key]) => key !== REF_NAME && key !== CONTAINERD_NAME)
  return others.length === 0 ? descriptor : { ...descriptor, annotations: Object.fromEntries(others) }
}

/** As others write it before a tag: `ghcr.io/team/app`. */
export function repositoryOf({ host, repository }: RegistryReference): string {
  return `${host}/${repository}`
}

/**
 * Entries with an image under some names, where it takes the place of what had them before; without a name it is an entry
 * all the same, or nobody would find it.
 *
 * @param images repositories that the tags belong to, of which an entry can name one: `ghcr.io/team/app`
 */
export function withEntry(
  entries: readonly Descriptor[],
  root: Descriptor,
  names: readonly string[],
  [image]: readonly string[],
): readonly Descriptor[] {
  const plain = withoutNames(root)
  if (names.length === 0) {
    return entries.some(({ digest }) => digest === root.digest) ? entries : [...entries, plain]
  }
  const others = entries.filter(({ digest, annotations }) => {
    const name = annotations?.[REF_NAME]
    return name === undefined ? digest !== root.digest : !names.includes(name)
  })
  return [
    ...others,
    ...[...new Set(names)].map(name => ({
      ...plain,
      annotations: {
        ...plain.annotations,
        ...(image !== undefined && { [CONTAINERD_NAME]: `${image}:${name}` }),
        [REF_NAME]: name,
      },
    })),
  ]
}
