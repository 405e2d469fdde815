import { composeArtifact, type Artifact } from '../../src/artifact/artifact.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { bundleParts } from '../../src/sign/bundle-artifact.ts'

/** The manifest that brings a bundle to one subject, as it is attached there. */
export function bundleReferrer(
  bundle: Uint8Array,
  predicateType: string,
  subject: Descriptor,
  options: { readonly created?: string } = {},
): Artifact {
  return composeArtifact({ ...bundleParts(bundle, predicateType, options), subject })
}
