import type { Hanging } from '../content/hanging.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { BUNDLE_PREDICATE_TYPE, BUNDLE_TYPE_PREFIX, NOTATION_TYPE } from '../sign/media-types.ts'
import { SIGNATURE_PREDICATE } from '../sign/statement.ts'

/** Cosign's tags end with what they are for. */
const TAGGED: Readonly<Record<string, string>> = { sig: 'signature', att: 'attestation', sbom: 'SBOM' }

/** What something that hangs on a manifest says that it is. Nothing of that is verified. */
export function hangingText({ descriptor, by, tag }: Pick<Hanging, 'descriptor' | 'by' | 'tag'>): string {
  const { artifactType, mediaType } = descriptor
  const type = statedText(descriptor) ?? artifactType ?? (by === 'index' ? 'attestation in the index' : mediaType)
  if (tag === undefined) return type
  const ending = tag.slice(tag.lastIndexOf('.') + 1)
  return `${TAGGED[ending] ?? type}, tag ${tag}`
}

/** Signatures and attestations have types that tell how they are written, and annotations that tell what they are. */
function statedText(descriptor: Descriptor): string | undefined {
  if (descriptor.artifactType === NOTATION_TYPE) return 'signature, Notation'
  const predicateType = predicateTypeIn(descriptor)
  if (predicateType === undefined) return undefined
  return `${predicateType === SIGNATURE_PREDICATE ? 'signature' : predicateType}, sigstore bundle`
}

/** Of a sigstore bundle, what it states; undefined for anything else, and where it does not say. */
export function predicateTypeIn({ artifactType = '', annotations }: Descriptor): string | undefined {
  return artifactType.startsWith(BUNDLE_TYPE_PREFIX) ? annotations?.[BUNDLE_PREDICATE_TYPE] : undefined
}
