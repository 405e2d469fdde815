import type { Abortable } from '../async/abortable.ts'
import { DocumentBudget } from '../content/document-budget.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { InputError, OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parseImageConfig } from '../oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../oci/manifest.ts'
import { DOCKER_CONFIG, OCI_CONFIG, isIndexType, isManifestType } from '../oci/media-type.ts'
import { formatPlatform, normalisePlatform, samePlatform, type Platform } from '../oci/platform.ts'

/** A manifest, what it is for, and of an index what is in it. */
export interface Member {
  readonly descriptor: Descriptor
  /** As the index says it, else as the image's config does; undefined for what is for no platform. */
  readonly platform: Platform | undefined
  /** Of an attestation that the index keeps: what it is about. */
  readonly attests: Digest | undefined
  readonly members: readonly Member[]
}

/** Indexes within indexes: more is an attack or a mistake. */
const MAX_DEPTH = 8

/**
 * Reads which manifests there are below a root, through indexes within indexes.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, TOO_LARGE
 */
export async function readMember(source: Source, root: Descriptor, { signal }: Abortable = {}): Promise<Member> {
  const budget = new DocumentBudget()
  const read = async (descriptor: Descriptor, depth: number): Promise<Member> => {
    const attests = attestedBy(descriptor)
    if (!isIndexType(descriptor.mediaType)) {
      const platform = isAttestation(descriptor) ? undefined : await platformOf(source, descriptor, { signal })
      return { descriptor, platform, attests, members: [] }
    }
    const where = `${source.place}@${descriptor.digest}`
    if (depth >= MAX_DEPTH) throw new OciPublishError('INVALID_DOCUMENT', `${where}: indexes nest too deep`)
    budget.read(descriptor, where)
    const { manifests } = parseImageIndex(
      await readDocument(source, descriptor, { signal }),
      where,
      descriptor.mediaType,
    )
    budget.meet(manifests, where)
    const members: Member[] = []
    for (const one of manifests.filter(({ mediaType }) => isManifestType(mediaType))) {
      members.push(await read(one, depth + 1))
    }
    return { descriptor, platform: undefined, attests, members }
  }
  return read(root, 0)
}

/** BuildKit's attestations name what they are about. */
function attestedBy({ annotations }: Descriptor): Digest | undefined {
  const digest = annotations?.['vnd.docker.reference.digest'] ?? ''
  return isDigest(digest) ? digest : undefined
}

/** What is not there, as in a layout that lacks some platforms, has none. */
async function platformOf(source: Source, descriptor: Descriptor, io: Abortable): Promise<Platform | undefined> {
  if (descriptor.platform) return normalisePlatform(descriptor.platform)
  if (!isManifestType(descriptor.mediaType)) return undefined
  try {
    const where = `${source.place}@${descriptor.digest}`
    const { config } = parseManifest(await readDocument(source, descriptor, io), where, descriptor.mediaType)
    if (!isImageConfig(config)) return undefined
    return normalisePlatform(parseImageConfig(await readDocument(source, config, io), `${where}, config`))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Whether it is the config of something to run. */
export function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG
}

/**
 * The bytes of a manifest or config.
 *
 * @throws {OciPublishError} NOT_FOUND, TOO_LARGE
 */
export function readDocument(source: Source, descriptor: Descriptor, { signal }: Abortable = {}): Promise<Uint8Array> {
  const what = `${source.place}@${descriptor.digest}`
  return readAll(source.open(descriptor, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal })
}

/** Which manifests behind a reference are meant: the index itself, every platform, or one. */
export type Choice = 'index' | 'all' | Platform

/**
 * The manifests that are meant, each once; without a choice the root itself.
 *
 * @param input what the choices are called where the user typed them
 * @throws {InputError} for a platform that is not there, with those that are, and for an index that is none
 */
export async function chosenOf(
  source: Source,
  root: Descriptor,
  choices: readonly Choice[],
  { input, signal }: Abortable & { readonly input: string },
): Promise<readonly Member[]> {
  const member = await readMember(source, root, { signal })
  if (choices.length === 0) return [member]
  const where = `${source.place}@${root.digest}`
  const runnable = leavesOf(member)
  const chosen = new Map<Digest, Member>()
  const lacking: string[] = []
  for (const choice of choices) {
    const found = choice === 'index' ? [member] : runnable.filter(one => isMeant(choice, one))
    if (found.length === 0) lacking.push(choice === 'all' ? 'a platform' : formatPlatform(choice as Platform))
    for (const one of found) chosen.set(one.descriptor.digest, one)
  }
  if (choices.includes('index') && !isIndexType(root.mediaType)) {
    throw new InputError([{ input, problem: `${where} is no index`, hint: `leave "index" out` }])
  }
  if (lacking.length > 0) {
    const has = [...new Set(runnable.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : [])))].join(
      ', ',
    )
    throw new InputError([
      { input, problem: `${where} lacks ${lacking.join(' and ')}; it has ${has || 'nothing with a platform'}` },
    ])
  }
  return [...chosen.values()]
}

function isMeant(choice: Exclude<Choice, 'index'>, { platform }: Member): boolean {
  return choice === 'all' || (platform !== undefined && samePlatform(platform, choice))
}

/** Manifests that are neither indexes nor attestations, in the order of the documents. */
function leavesOf({ descriptor, members, attests, ...rest }: Member): readonly Member[] {
  if (isIndexType(descriptor.mediaType)) return members.flatMap(leavesOf)
  return attests !== undefined || isAttestation(descriptor) ? [] : [{ descriptor, members, attests, ...rest }]
}
