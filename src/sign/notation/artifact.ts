import { composeArtifact, type Artifact } from '../../artifact/artifact.ts'
import { bytesBlob, type Blob } from '../../content/blob.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { digestOf } from '../../oci/digest.ts'
import { JWS_TYPE, NOTATION_TYPE } from '../media-types.ts'
import { rfc3339 } from './signature.ts'

const THUMBPRINTS = 'io.cncf.notary.x509chain.thumbprint#S256'
const CREATED = 'org.opencontainers.image.created'

export interface NotationArtifactOptions {
  /** Lower-case hex of SHA-256 over each certificate, in the order of the chain. */
  readonly thumbprints: readonly string[]
  /** Seconds since 1970. */
  readonly created: number
}

/**
 * The artifact that carries a signature and refers to its subject. Its type is that of its config, as version 1.1 of the
 * specification has it and notation writes it. A later draft allows `artifactType` with the empty config instead: read by
 * all in registries, but in layouts notation looks at the config alone.
 *
 * @see Notary Project specifications, signature-specification.md, "Storage"
 */
export function composeNotationArtifact(
  jws: Uint8Array,
  subject: Descriptor,
  { thumbprints, created }: NotationArtifactOptions,
): Artifact {
  return composeArtifact({
    config: blobOf(NOTATION_TYPE, new TextEncoder().encode('{}')),
    layers: [blobOf(JWS_TYPE, jws)],
    annotations: { [THUMBPRINTS]: JSON.stringify(thumbprints), [CREATED]: rfc3339(created) },
    subject,
  })
}

function blobOf(mediaType: string, bytes: Uint8Array): Blob {
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}
