import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Blob } from '../content/blob.ts'
import { outputAt, type Located, type Output } from '../content/places.ts'
import type { Source, Target } from '../content/ports.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { UntaggedPlatform } from '../content/untagged.ts'
import type { OnImageCopyEvent } from '../copy/event.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { isDigest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { composeArtifact, type Artifact } from './artifact.ts'
import { parseAttach, type AttachRequest, type AttachWords } from './attach-request.ts'
import { fileLayers } from './file-layers.ts'
import { checkAttachedSboms } from './attached-sboms.ts'
import { chosenOf, readDocument } from './members.ts'
import { isSbomType, sbomTypeOf } from './sbom-type.ts'

export interface AttachDeps {
  /** Both only build; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly openTarget: (output: Output) => Target
  /** Where directories are packed. */
  readonly tempDir: string
  readonly onEvent: OnImageCopyEvent
}

/** What was attached to one manifest. */
export interface Attachment {
  readonly subject: Descriptor
  /** That the subject is for; undefined for an index, and for what has none. */
  readonly platform: Platform | undefined
  readonly manifest: Descriptor
  /** Whether it was there already, to the byte. */
  readonly existed: boolean
}

export interface Attached {
  readonly place: string
  readonly artifactType: string
  readonly attachments: readonly Attachment[]
}

/**
 * Attaches files to what a reference stands for, or to its platforms: a manifest of its own for each, the files once.
 * What is attached already in the same form is left as it is, and nothing is added.
 *
 * @throws {InputError} with every problem of the request; for a platform that is not there, with those that are
 * @throws {OciPublishError} NOT_FOUND where there is no subject
 * @see image-spec v1.1.1, manifest.md, "subject"; distribution-spec, "Pushing Manifests with Subject"
 */
export async function attachArtifact(words: AttachWords, deps: AttachDeps, io: Abortable = {}): Promise<Attached> {
  const checked = await checkAttach(words, deps, io)
  const { subject, artifactType, choices } = checked
  const { source, name } = deps.locate(subject)
  const root = await resolveSubject(source, name, subject, { soThat: 'nothing can be attached to it', ...io })
  const members = await chosenOf(source, root, choices, { input: 'platforms', ...io })
  const parts = await attachParts(checked, deps, io)
  const target = deps.openTarget(outputAt(subject))
  const attachments = await attachTo(target, members, parts, io)
  await target.close?.(io)
  return { place: target.place, artifactType, attachments }
}

/** A request whose files are there, and are what they are called. */
export interface CheckedAttach extends AttachRequest {
  /** Media type of a file for which none is given. */
  readonly typeOf: (file: { readonly path: string }) => string | undefined
}

/**
 * All that can be known of a request before the subject is there.
 *
 * @throws {InputError} with every problem
 */
export async function checkAttach(
  words: AttachWords,
  { onEvent }: Pick<AttachDeps, 'onEvent'>,
  io: Abortable = {},
): Promise<CheckedAttach> {
  const request = await parseAttach(words)
  const { files, artifactType } = request
  const typeOf = ({ path }: { readonly path: string }): string | undefined =>
    sbomTypeOf(path) ?? (isSbomType(artifactType) ? artifactType : undefined)
  await checkAttachedSboms(files, {
    typeOf: file => file.mediaType ?? typeOf(file),
    onNotice: text => {
      onEvent({ type: 'notice', text })
    },
    ...io,
  })
  return { ...request, typeOf }
}

/** The files as they are going to be attached. @param deps `tempDir` is where directories are packed */
export async function attachParts(
  { files, artifactType, annotations, typeOf }: CheckedAttach,
  { tempDir, onEvent }: Pick<AttachDeps, 'tempDir' | 'onEvent'>,
  io: Abortable = {},
): Promise<AttachParts> {
  return {
    artifactType,
    title: 'Files',
    layers: await fileLayers(files, { tempDir, typeOf, ...io }),
    annotations,
    onEvent,
  }
}

/**
 * What a reference stands for, if that can be a subject.
 *
 * @param soThat what cannot be done where it is not there
 * @throws {OciPublishError} NOT_FOUND; UNSUPPORTED for what is no manifest
 */
export async function resolveSubject(
  source: Source,
  name: string,
  subject: Reference,
  { soThat, ...io }: Abortable & { readonly soThat: string },
): Promise<Descriptor> {
  let root: Descriptor
  try {
    root = await source.resolve(name, io)
  } catch (error) {
    if (!isNotFound(error)) throw error
    const isRegistry = subject.kind === 'registry'
    const seen = isRegistry ? `tags ${subject.host}/${subject.repository}` : `inspect ${formatReference(subject)}`
    throw new OciPublishError('NOT_FOUND', `${formatReference(subject)} is not there, so ${soThat}`, {
      cause: error,
      hint: `publish it first; what there is shows "oci-publish ${seen}"`,
    })
  }
  if (!isManifestType(root.mediaType)) {
    const message = `${formatReference(subject)} is of type ${root.mediaType}: only manifests and indexes can be subjects`
    throw new OciPublishError('UNSUPPORTED', message)
  }
  if (!isDigest(name)) await readTagged(source, root, subject, io)
  return root
}

/** What a tag stands for is only said by the registry: the manifest with that digest has to be there as well. */
async function readTagged(source: Source, root: Descriptor, subject: Reference, io: Abortable): Promise<void> {
  try {
    await readDocument(source, root, io)
  } catch (error) {
    if (!isNotFound(error)) throw error
    const message = `${formatReference(subject)} is said to be ${root.digest}, but there is no manifest with that digest`
    throw new OciPublishError('NOT_FOUND', message, {
      cause: error,
      hint: 'run it again; if the answer stays the same, push the image again',
    })
  }
}

export interface AttachParts {
  readonly artifactType: string
  /** What it is called where its beginning is told; without it, it is not told. */
  readonly title?: string
  readonly layers: readonly Blob[]
  readonly annotations?: Annotations | undefined
  readonly onEvent?: OnImageCopyEvent | undefined
}

const CONCURRENCY = 4

/**
 * Attaches the same files to several manifests of a target. It is for `close` to make them listed where the registry
 * keeps no lists of referrers.
 */
export async function attachTo(
  target: Target,
  members: readonly UntaggedPlatform[],
  { artifactType, title, layers, annotations, onEvent = (): void => undefined }: AttachParts,
  { signal }: Abortable = {},
): Promise<readonly Attachment[]> {
  const { place } = target
  const slot = limit(CONCURRENCY)
  const composed = members.map(({ descriptor, platform }) => {
    const artifact = composeArtifact({ artifactType, layers, annotations, subject: descriptor })
    return { subject: descriptor, platform, artifact }
  })
  if (title !== undefined) {
    const text = `${title} for ${members.length === 1 ? 'a manifest' : `${members.length} manifests`}`
    onEvent({ type: 'step', step: 'push', text })
  }
  const blobs = composed[0]?.artifact.blobs ?? [] // of all of them the same
  await allOrErrors(
    blobs.map(blob =>
      slot(async () => {
        const { descriptor } = blob
        const onBytes = (bytes: number): void => {
          onEvent({ type: 'blob-progress', blob: descriptor, bytes, place })
        }
        const pushed = await target.push(blob, { onBytes, signal })
        onEvent({ type: 'blob-done', blob: descriptor, ...pushed, place })
      }),
    ),
  )
  const attach = async (artifact: Artifact): Promise<boolean> => {
    const { manifest } = artifact
    // The same manifest under the same subject is the same attachment; a push of it still sees to it that it is listed.
    const pushed = await target.push(manifest, { signal })
    onEvent({ type: 'manifest-done', manifest: manifest.descriptor, ...pushed, place })
    await target.tag(manifest, [], { signal }) // without a name too: a layout lists what it holds
    return pushed.how === 'exists'
  }
  return allOrErrors(
    composed.map(({ subject, platform, artifact }) =>
      slot(async () => ({
        subject,
        platform,
        manifest: artifact.manifest.descriptor,
        existed: await attach(artifact),
      })),
    ),
  )
}
