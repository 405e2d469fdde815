import type { SignatureReport, SignedReport } from '../publish/report.ts'
import { countText } from './amount.ts'

/** `signed by the key cosign.key: 3 manifests, attested https://slsa.dev/provenance/v1, 6 referrers added`, a line for each signer. */
export function signedTexts(signed: SignedReport | undefined): readonly string[] {
  const signers = new Map<string, SignatureReport[]>()
  for (const one of signed?.signatures ?? []) signers.set(one.by, [...(signers.get(one.by) ?? []), one])
  return [...signers].map(([by, signatures]) => {
    const attested = signatures.filter(one => (one.predicateType ?? SIGNATURE) !== SIGNATURE)
    const types = [...new Set(attested.map(one => one.predicateType))].join(', ')
    const added = signatures.filter(({ existed }) => !existed).length
    return [
      `signed by ${by}: ${countText(new Set(signatures.map(({ subject }) => subject)).size, 'manifest')}`,
      ...(attested.length > 0 ? [`attested ${types}`] : []),
      added === 0 ? 'all of it was there' : `${countText(added, 'referrer')} added`,
    ].join(', ')
  })
}

/** What is stated where something is only signed. */
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'
