import type { Abortable } from '../../async/abortable.ts'
import type { Blob } from '../../content/blob.ts'
import { TagError } from '../../content/tag-error.ts'
import { AuthError, OciPublishError, RegistryError, isNotFound, messageOf } from '../../errors.ts'
import { algorithmOf, type Digest } from '../../oci/digest.ts'
import { parseTag, type Tag } from '../../oci/tag.ts'
import type { Access } from '../access.ts'
import { isDigestOf, putManifest, resolveManifest } from '../manifests.ts'
import { isImmutable } from './immutable.ts'

/** As many as every registry that takes several should take (distribution-spec, "Pushing manifests"). */
const MAX_TOGETHER = 10

/**
 * Points tags at a manifest: those that have to be moved in one request where the registry can do that, one by one where
 * it cannot. What is there already is not sent.
 *
 * @throws {OciPublishError} INVALID_TAG before anything is sent
 * @throws {TagError} with those that did move
 */
export async function moveTags(
  access: Access,
  manifest: Blob,
  names: readonly string[],
  { signal }: Abortable,
): Promise<void> {
  const moved: Tag[] = []
  const failed: Tag[] = []
  let cause: unknown
  let waiting: readonly Tag[] = [...new Set(names.map(parseTag))]
  let together = true
  while (waiting.length > 0) {
    signal?.throwIfAborted()
    const [name] = waiting
    if (name === undefined) break
    try {
      const there = await pointsAt(access, name, manifest, { signal })
      let done: readonly Tag[] = there ? [name] : []
      if (!there && together && isWorthwhile(access, manifest, waiting)) {
        const some = waiting.slice(0, MAX_TOGETHER)
        done = await moveTogether(access, manifest, some, { signal })
        // What was left out is moved, or complained of, by itself.
        together = done.length === some.length
      }
      if (!done.includes(name)) {
        await moveOne(access, manifest, name, { signal })
        done = [name, ...done]
      }
      moved.push(...done)
      waiting = waiting.filter(one => !done.includes(one))
    } catch (error) {
      signal?.throwIfAborted()
      cause ??= error
      // The others would only fail the same way.
      const hopeless = error instanceof AuthError || (error instanceof RegistryError && error.status === 0)
      failed.push(...(hopeless ? waiting : [name]))
      waiting = hopeless ? [] : waiting.slice(1)
    }
  }
  if (failed.length > 0) throw new TagError(`${access.host.name}/${access.repository}`, moved, failed, cause)
}

/** Only by its digest can a registry be told that a manifest is to be known by sha512. */
function isWorthwhile({ host }: Access, { descriptor }: Blob, names: readonly Tag[]): boolean {
  return host.tagsTogether && (names.length > 1 || algorithmOf(descriptor.digest) !== 'sha256')
}

/**
 * What goes wrong with several is found out one by one.
 *
 * @returns those that moved, as far as the registry says so
 * @see distribution-spec, "Pushing manifests", end-7b
 */
async function moveTogether(
  access: Access,
  manifest: Blob,
  names: readonly Tag[],
  { signal }: Abortable,
): Promise<readonly Tag[]> {
  const operation = `tag ${names.join(', ')}`
  try {
    const { tags } = await putManifest(access, manifest, manifest.descriptor.digest, { tags: names, operation, signal })
    if (tags.length === 0) access.host.tagsTogether = false
    return names.filter(name => tags.includes(name))
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof RegistryError) || error.status === 0) throw error
    if (!isImmutable(access.host.profile, error)) access.host.tagsTogether = false
    return []
  }
}

async function moveOne(access: Access, manifest: Blob, name: Tag, { signal }: Abortable): Promise<void> {
  try {
    await putManifest(access, manifest, name, { operation: `tag ${name}`, signal })
  } catch (error) {
    signal?.throwIfAborted()
    // An immutable tag that has our digest is what was wanted: perhaps it was us, and the answer was lost.
    const now = await whereIs(access, name, { signal }).catch(() => undefined)
    if (now !== undefined && (await isDigestOf(now, manifest, { signal }))) return
    if (now === undefined || !(error instanceof RegistryError) || !isImmutable(access.host.profile, error)) throw error
    throw new OciPublishError('TAG_IMMUTABLE', `${name} is immutable and stays at ${now}: ${messageOf(error)}`, {
      cause: error,
      hint: 'publish under a tag that is not taken, or have the registry allow tags to be overwritten',
    })
  }
}

async function pointsAt(access: Access, name: Tag, manifest: Blob, options: Abortable): Promise<boolean> {
  const now = await whereIs(access, name, options)
  return now !== undefined && (await isDigestOf(now, manifest, options))
}

/** What cannot be read may be writable all the same: the PUT will say. */
async function whereIs(access: Access, name: Tag, { signal }: Abortable): Promise<Digest | undefined> {
  try {
    return (await resolveManifest(access, name, { signal })).digest
  } catch (error) {
    signal?.throwIfAborted()
    if (isNotFound(error) || (error instanceof RegistryError && error.status !== 0)) return undefined
    throw error
  }
}
