import { composeArtifact, type Artifact } from '../../src/artifact/artifact.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import type { Target } from '../../src/content/ports.ts'
import type { Annotations, Descriptor } from '../../src/oci/descriptor.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { OCI_CONFIG } from '../../src/oci/media-type.ts'
import { multiPlatform, textBlob } from './sample.ts'

export const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
export const SBOM = 'application/spdx+json'

/** Something of a type that says something about a manifest. */
export function referrer(artifactType: string, text: string, subject: Descriptor): Artifact {
  return composeArtifact({ artifactType, layers: [textBlob(text, artifactType)], subject })
}

/** As cosign writes signatures of the older form: a layer each, and nothing that names the subject. */
export function signatures(...made: readonly string[]): Artifact {
  const layers = made.map(signature => {
    const { descriptor, ...blob } = textBlob('{"critical":{}}', 'application/vnd.dev.cosign.simplesigning.v1+json')
    const annotations: Annotations = { 'dev.cosignproject.cosign/signature': signature }
    return { ...blob, descriptor: { ...descriptor, annotations } }
  })
  return composeArtifact({ config: textBlob('{"rootfs":{"type":"layers","diff_ids":[]}}', OCI_CONFIG), layers })
}

export function tagOf(subject: { readonly digest: Digest }, ending: 'sig' | 'att' | 'sbom'): string {
  return `${subject.digest.replace(':', '-')}.${ending}`
}

/** Puts an artifact there so that it is found: by what it refers to, or by a tag. */
export async function put(target: Target, artifact: Artifact, ...tags: readonly string[]): Promise<void> {
  await pushArtifact(target, artifact)
  await target.tag(artifact.manifest, tags)
}

/** An index of two platforms with all that hangs on it. */
export interface SignedImage {
  readonly root: Descriptor
  readonly amd64: Descriptor
  readonly arm64: Descriptor
  /** What hangs there, by name: its digest, and what it hangs on. */
  readonly hanging: Readonly<Record<Name, { readonly digest: Digest; readonly on: Digest }>>
}

export type Name = 'signature' | 'sbom' | 'signature of the sbom' | 'old signature' | 'old signature of the sbom'

/** Pushes it under a tag. The signature of the index and the SBOM of one platform refer to them; both are signed by tag, too. */
export async function putSigned(target: Target, tag = 'v1'): Promise<SignedImage> {
  const { root, blobs } = multiPlatform()
  for (const blob of blobs) await target.push(blob)
  await target.tag(root, [tag])
  const [amd64, arm64] = blobs.map(blob => blob.descriptor).filter(({ mediaType }) => mediaType.includes('manifest'))
  if (!amd64 || !arm64) throw new Error('the sample has two platforms')
  const index = root.descriptor
  const sbom = referrer(SBOM, 'sbom', amd64)
  const signature = referrer(BUNDLE, 'signature', index)
  const seal = referrer(BUNDLE, 'signature of the sbom', sbom.manifest.descriptor)
  const [old, oldSeal] = [signatures('of the index'), signatures('of the sbom')]
  for (const artifact of [signature, sbom, seal]) await put(target, artifact)
  await put(target, old, tagOf(index, 'sig'))
  await put(target, oldSeal, tagOf(sbom.manifest.descriptor, 'sig'))
  await target.close?.()
  const as = ({ manifest }: Artifact, on: Descriptor): { digest: Digest; on: Digest } => {
    return { digest: manifest.descriptor.digest, on: on.digest }
  }
  return {
    ...{ root: index, amd64, arm64 },
    hanging: {
      signature: as(signature, index),
      sbom: as(sbom, amd64),
      'signature of the sbom': as(seal, sbom.manifest.descriptor),
      'old signature': as(old, index),
      'old signature of the sbom': as(oldSeal, sbom.manifest.descriptor),
    },
  }
}
