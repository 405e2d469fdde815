import * as v from 'valibot'
import type { Artifact } from '../artifact/artifact.ts'
import { isImageConfig, readDocument } from '../artifact/members.ts'
import type { Abortable } from '../async/abortable.ts'
import { bytesBlob, type Blob } from '../content/blob.ts'
import type { Target } from '../content/ports.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { digestOf, type Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES, parseManifest, type Document } from '../oci/manifest.ts'
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-type.ts'
import { listOf, parse, parseJson } from '../parse.ts'
import { hasEqualLegacySignature } from './equal.ts'
import { readLegacy, type LegacyManifest } from './find-legacy.ts'
import { goJson } from './go-json.ts'
import { legacyLayer, legacyTag, type LegacyParts } from './legacy.ts'

/** Signatures, or attestations, of one manifest that cosign looks at. */
const MAX_LAYERS = 1_000

/** What is under the tag already. */
export interface LegacyDocuments {
  readonly manifest: Document
  /** Bytes of the config, where that is one of images, as cosign has it. */
  readonly config: Uint8Array | undefined
}

const looseManifest = v.looseObject({ config: v.unknown(), layers: listOf(v.unknown()) }, 'is missing')

/**
 * Composes the manifest of signatures, or of attestations, in the older form. What is there already is kept as it is, other
 * people's above all, and what is new comes last.
 *
 * @param added as `legacyLayer` and `legacyAttestationLayer` make them
 * @param where names in errors what is there
 * @throws {OciPublishError} TOO_LARGE, INVALID_DOCUMENT
 * @see cosign, SIGNATURE_SPEC.md, "Storage"
 */
export function composeLegacyArtifact(
  added: readonly Blob[],
  existing: LegacyDocuments | undefined,
  where: string,
): Artifact {
  const mediaType = existing?.manifest.descriptor.mediaType ?? OCI_MANIFEST
  const kept = existing && parseManifest(existing.manifest.bytes, where, mediaType)
  // Beside the view, what was written: fields of others that the view does not have stay in it.
  const written = existing && parse(looseManifest, parseJson(existing.manifest.bytes, where), where)
  const layers = added.map(({ descriptor }) => descriptor)
  const digests = [...(kept?.layers ?? []), ...layers].map(({ digest }) => digest)
  if (digests.length > MAX_LAYERS) throw full(where, `${MAX_LAYERS} layers`)
  const config =
    kept && !isImageConfig(kept.config) ? undefined : configOf(digests, added.length, kept?.config, existing, where)
  const json = {
    schemaVersion: 2,
    mediaType,
    ...written,
    config: config?.descriptor ?? written?.config,
    layers: [...(written?.layers ?? []), ...layers],
  }
  const bytes = new TextEncoder().encode(goJson(json))
  if (bytes.byteLength > MAX_MANIFEST_BYTES) throw full(where, `${MAX_MANIFEST_BYTES} bytes`)
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
  return { manifest: bytesBlob({ descriptor, bytes }), blobs: [...(config ? [config] : []), ...added] }
}

const NO_TIME = '0001-01-01T00:00:00Z'
const EMPTY_CONFIG = { architecture: '', created: NO_TIME, history: [], os: '', rootfs: {}, config: {} }

/** The config of an image of these layers: cosign keeps one, though nothing runs it. */
function configOf(
  digests: readonly Digest[],
  added: number,
  described: Descriptor | undefined,
  existing: LegacyDocuments | undefined,
  where: string,
): Blob {
  const schema = v.looseObject({ history: v.nullish(v.array(v.unknown()), []) }, 'is no object')
  const before = existing?.config ? parse(schema, parseJson(existing.config, `${where}, config`), where) : undefined
  // One for each layer; where that was not so, as in the empty config of other tools, it is made so.
  const others = digests.length - added
  const kept = before?.history.length === others ? before.history : Array.from({ length: others }, () => NONE)
  const history = [...kept, ...Array.from({ length: added }, () => NONE)]
  const json = { ...EMPTY_CONFIG, ...before, history, rootfs: { type: 'layers', diff_ids: digests } }
  const bytes = new TextEncoder().encode(goJson(json))
  const mediaType = described?.mediaType ?? OCI_CONFIG
  return bytesBlob({ descriptor: { mediaType, size: bytes.byteLength, digest: digestOf(bytes) }, bytes })
}

const NONE = { created: NO_TIME }

function full(where: string, limit: string): OciPublishError {
  return new OciPublishError('TOO_LARGE', `${where}: has no room for more: ${limit} is the limit`, {
    hint: 'delete the tag and sign again, or sign in the form of bundles',
  })
}

export interface AddedLegacySignature {
  readonly tag: string
  readonly manifest: Descriptor
  /** Whether an equal one was there; then nothing was written. */
  readonly existed: boolean
}

/**
 * Adds a signature in the older form to those of a manifest, unless an equal one is there: same payload, same signer. Two
 * who add at the same moment lose one of theirs, as with cosign: a tag has one owner. Makes nothing durable by itself; that
 * is for `close`.
 *
 * @throws {OciPublishError} what the target says; UNSUPPORTED where the tag holds something else
 */
export async function addLegacySignature(
  target: Target,
  subject: Pick<Descriptor, 'digest'>,
  parts: LegacyParts,
  { signal }: Abortable = {},
): Promise<AddedLegacySignature> {
  const tag = legacyTag(subject.digest)
  const { payload, by, logEntry, timestamp } = parts
  const existing = await readLegacy(target, subject, { signal })
  const wanted = { payload, by, log: logEntry !== undefined, timestamp: timestamp !== undefined }
  if (existing && hasEqualLegacySignature(existing.signatures, wanted)) {
    return { tag, manifest: existing.document.descriptor, existed: true }
  }
  const manifest = await addLegacyLayers(target, tag, [legacyLayer(parts)], existing, { signal })
  return { tag, manifest, existed: false }
}

/**
 * Adds layers to what is under a tag of the older form, and moves the tag.
 *
 * @param existing what was read there
 * @throws {OciPublishError} what the target says; TOO_LARGE, INVALID_DOCUMENT
 */
export async function addLegacyLayers(
  target: Target,
  tag: string,
  layers: readonly Blob[],
  existing: LegacyManifest | undefined,
  { signal }: Abortable = {},
): Promise<Descriptor> {
  const config =
    existing && isImageConfig(existing.manifest.config)
      ? await readDocument(target, existing.manifest.config, { signal })
      : undefined
  const there = existing && { manifest: existing.document, config }
  const { manifest, blobs } = composeLegacyArtifact(layers, there, `${target.place}:${tag}`)
  for (const blob of blobs) await target.push(blob, { signal })
  await target.push(manifest, { signal })
  await target.tag(manifest, [tag], { signal })
  return manifest.descriptor
}
