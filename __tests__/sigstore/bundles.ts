import sigstoreBundle from '@sigstore/bundle'
import specs from '@sigstore/protobuf-specs'
import verify from '@sigstore/verify'
import { composeBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { keyHint } from '../../src/sign/key-signer.ts'
import type { SignedBy } from '../../src/sign/signer.ts'
import type { LocalSigstore } from '../support/sigstore/start-sigstore.ts'

export interface Thresholds {
  readonly tlogThreshold: number
  readonly ctlogThreshold: number
  readonly timestampThreshold: number
}

/**
 * Has another implementation verify a bundle: inclusion proof, checkpoint, promise, timestamps, certificate.
 *
 * @throws when it does not verify
 */
export function verifyBundle(sigstore: LocalSigstore, parts: BundleParts, thresholds: Thresholds): void {
  const bundle = sigstoreBundle.bundleFromJSON(JSON.parse(Buffer.from(composeBundle(parts)).toString()))
  const material = verify.toTrustMaterial(specs.TrustedRoot.fromJSON(sigstore.trustedRoot), hint => {
    if (parts.by.certificate || hint !== keyHint(parts.by.publicKey)) throw new Error(`unknown key ${hint}`)
    return { publicKey: keyOf(parts.by), validFor: () => true }
  })
  new verify.Verifier(material, thresholds).verify(verify.toSignedEntity(bundle))
}

function keyOf({ certificate, publicKey }: SignedBy): NonNullable<SignedBy['publicKey']> {
  return certificate ? certificate.publicKey : publicKey
}
