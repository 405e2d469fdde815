import type { Abortable } from '../async/abortable.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { VerifyPolicy } from '../sign/policy.ts'
import type { PublishDeps } from './deps.ts'

/**
 * Verifies that what a reference stood for is signed by whom one of the policies trusts. Only the digest counts: the tag may
 * move meanwhile.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED, NOT_SIGNED
 */
export async function verifyRoot(
  reference: Reference,
  { digest }: Pick<Descriptor, 'digest'>,
  policies: readonly VerifyPolicy[],
  deps: Pick<PublishDeps, 'locate' | 'signing' | 'onEvent'>,
  io: Abortable,
): Promise<void> {
  const { verifySignatures } = await import('../sign/verify.ts') // most runs verify nothing
  const { whoText } = await import('../sign/signed-by.ts')
  const pinned = reference.kind === 'registry' ? { ...reference, digest } : { ...reference, name: digest }
  const { locate, signing, onEvent } = deps
  const { verified } = await verifySignatures(
    { reference: pinned, policies },
    { locate, readKey: signing.readPublicKey, loadTrustedRoot: signing.loadTrustedRoot, onEvent },
    io,
  )
  const [by] = verified.flatMap(({ signatures }) => signatures.map(one => one.by))
  const who = by?.identity ? whoText(by.identity) : `the key ${by?.keyHint ?? ''}`
  onEvent({ type: 'notice', text: `${formatReference(reference)} at ${digest} is signed by ${who}` })
}
