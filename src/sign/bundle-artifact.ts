import type { AttachParts } from '../artifact/attach.ts'
import { bytesBlob } from '../content/blob.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { digestOf } from '../oci/digest.ts'
import { BUNDLE_PREDICATE_TYPE, BUNDLE_TYPE } from './media-types.ts'

const CONTENT = 'dev.sigstore.bundle.content'

/**
 * What brings a bundle to its subjects, as it is attached to each of them: the same bundle on several is one blob under
 * several manifests.
 *
 * @param created in the form of RFC 3339; without it the same bundle on the same subject is always the same manifest
 * @see sigstore client specification, "OCI artifacts"
 */
export function bundleParts(
  bundle: Uint8Array,
  predicateType: string,
  { created }: { readonly created?: string | undefined } = {},
): AttachParts {
  const descriptor = { mediaType: BUNDLE_TYPE, digest: digestOf(bundle), size: bundle.byteLength }
  const annotations: Annotations = {
    [CONTENT]: 'dsse-envelope',
    [BUNDLE_PREDICATE_TYPE]: predicateType,
    ...(created !== undefined && { 'org.opencontainers.image.created': created }),
  }
  return { artifactType: BUNDLE_TYPE, layers: [bytesBlob({ descriptor, bytes: bundle })], annotations }
}
