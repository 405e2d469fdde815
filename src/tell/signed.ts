import type { SignatureReport, SignedReport } from '../publish/report.ts'
import { SIGNATURE_PREDICATE } from '../sign/statement.ts'
import { countText } from './amount.ts'

/** `the key cosign.key: 3 manifests signed, https://slsa.dev/provenance/v1 attested, 6 added`, a line for each signer. */
export function signedTexts(signed: SignedReport | undefined): readonly string[] {
  const signers = new Map<string, SignatureReport[]>()
  for (const one of signed?.signatures ?? []) signers.set(one.by, [...(signers.get(one.by) ?? []), one])
  return [...signers].map(([by, signatures]) => {
    const attested = signatures.filter(one => (one.predicateType ?? SIGNATURE_PREDICATE) !== SIGNATURE_PREDICATE)
    const types = [...new Set(attested.map(one => one.predicateType))].join(', ')
    const subjects = new Set(signatures.filter(one => !attested.includes(one)).map(({ subject }) => subject)).size
    const added = signatures.filter(({ existed }) => !existed).length
    return `${by}: ${[
      ...(subjects > 0 ? [`${countText(subjects, 'manifest')} signed`] : []),
      ...(attested.length > 0 ? [`${types} attested`] : []),
      added === 0 ? 'all of it was there' : `${added} added`,
    ].join(', ')}`
  })
}
