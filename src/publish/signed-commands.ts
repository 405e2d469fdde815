import type { Untagged } from '../content/untagged.ts'
import { identityOf } from '../sign/certificate.ts'
import type { SigningMeans } from '../sign/means.ts'
import type { LegacyReferrer } from '../sign/sign-legacy.ts'
import type { SignedStatement } from '../sign/sign.ts'
import type { SignedBy } from '../sign/signer.ts'
import { SIGNATURE_PREDICATE } from '../sign/statement.ts'
import { verifyCommands, type VerifiedBy } from '../sign/verify-commands.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import type { SigningRequest } from './parse-signing.ts'

/** What signers have made of one thing that is published. */
export interface Made {
  readonly signed: readonly SignedStatement[]
  readonly legacy: readonly LegacyReferrer[]
}

/** The run that made it. */
export interface CommandRun {
  readonly request: Pick<SigningRequest, 'trustedRoot'>
  readonly values: FieldValues
  /** Whether there are signatures, and not only attestations. */
  readonly signature: boolean
  readonly means: readonly SigningMeans[]
}

/** Commands that verify what a tag will lead to, in each registry, by each signer. */
export function commandsOf(
  { root, places }: Untagged,
  { signed, legacy }: Made,
  { request, signature, means, values }: CommandRun,
): readonly string[] {
  const plain = new Set(readEntries(values).of('plain-http'))
  return means.flatMap(one => {
    const { verifiedBy, witnesses, trustedRoot } = one
    const stated = signed.filter(({ means }) => means === one)
    const types = stated.map(({ statement }) => statement.predicateType).filter(type => type !== SIGNATURE_PREDICATE)
    const by = verifiedBy ?? identityOfSigner([...signed, ...legacy].find(({ means }) => means === one)?.by)
    if (!by || trustedRoot === 'unknown') return []
    return places.flatMap(({ output }) => {
      if (output.kind !== 'registry') return []
      return verifyCommands({
        image: output.image,
        digest: root.digest,
        by,
        log: witnesses.log ? 'rekor' : 'none',
        trustedRoot: trustedRoot === 'public-good' ? undefined : request.trustedRoot,
        isSigned: signature,
        predicateTypes: types,
        plainHttp: plain.has(output.image.host),
      })
    })
  })
}

/** Whom the certificate names. */
export function identityOfSigner(by: SignedBy | undefined): VerifiedBy | undefined {
  if (!by?.certificate) return undefined
  const { san, issuer } = identityOf(by.certificate)
  return issuer === undefined ? undefined : { san, issuer }
}
