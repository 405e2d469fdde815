import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'
import { listsReferrers, type Source } from '../content/ports.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { identityOf } from './certificate.ts'
import { findBundles } from './find-bundles.ts'
import { findLegacySignatures } from './find-legacy.ts'
import { findNotation } from './notation/find.ts'
import { verifyNotation } from './notation/verify.ts'
import type { ReadPolicy } from './signed-by.ts'
import { SIGNATURE_PREDICATE } from './statement.ts'
import type { TrustedRoot } from './trusted-root.ts'
import { verifyBundle } from './verify-bundle.ts'
import { verifyLegacy } from './verify-legacy.ts'
import { wantedText } from './wanted.ts'

/** A workflow as certificates name it: the file with its ref, and the repository that ran it. */
export interface WorkflowIdentity {
  readonly san: string
  readonly issuer: string
  readonly sourceRepositoryUri: string
  /** Survives a repository that is renamed, and differs for one that takes its name. */
  readonly sourceRepositoryId: string
}

/** Who signs this run, as far as that is known before anything is signed. */
export type KnownSigner =
  | { readonly publicKey: KeyObject }
  | { readonly workflow: WorkflowIdentity; readonly loadRoot: (io: Abortable) => Promise<TrustedRoot> }
  | { readonly notation: X509Certificate }

export interface VouchedOptions extends Abortable {
  /** Where signatures are looked for: where this run would put its own. */
  readonly format: 'bundle' | 'legacy' | 'both'
}

/** Signatures looked at for each manifest: whoever may push can hang any number there, and that only costs time. */
const MAX_LOOKED_AT = 16

/**
 * Whether a manifest carries a valid signature by that signer, which then stands for everything that the manifest names by
 * digest. An attestation does not count: a scan says nothing of who made what was scanned.
 *
 * Nobody but the source is asked, and for a workflow its trusted root is loaded once there is a certificate that names it.
 *
 * @throws {OciPublishError} what the source says
 */
export async function isVouchedFor(
  source: Source,
  subject: Descriptor,
  signer: KnownSigner,
  { format, signal }: VouchedOptions,
): Promise<boolean> {
  if ('notation' in signer) return hasNotation(source, subject, signer.notation, { signal })
  const { digest } = subject
  const policyOf = policyFinder(signer, { signal })
  if (format !== 'legacy' && listsReferrers(source)) {
    let looked = 0
    for await (const { bundle } of findBundles(source, subject, { predicateType: SIGNATURE_PREDICATE, signal })) {
      const policy = await policyOf(bundle.certificate)
      if (policy && (await holds(() => verifyBundle(bundle, { subject: digest, policy })))) return true
      if (++looked >= MAX_LOOKED_AT) break
    }
  }
  if (format === 'bundle') return false
  let looked = 0
  for await (const found of findLegacySignatures(source, subject, { signal })) {
    const policy = await policyOf(found.certificate)
    const where = `signature ${found.payload.digest}`
    if (policy && (await holds(() => verifyLegacy(found, { subject: digest, policy, where })))) return true
    if (++looked >= MAX_LOOKED_AT) break
  }
  return false
}

/** Gives what is demanded of a signature with that certificate; undefined where it is by somebody else anyway. */
function policyFinder(
  signer: Exclude<KnownSigner, { readonly notation: X509Certificate }>,
  io: Abortable,
): (certificate: X509Certificate | undefined) => Promise<ReadPolicy | undefined> {
  const conditions = { predicateType: SIGNATURE_PREDICATE, annotations: {}, trustedRoot: undefined }
  return async certificate => {
    if ('publicKey' in signer) {
      if (certificate) return undefined
      return { key: 'the key of this run', publicKey: signer.publicKey, root: undefined, ...conditions }
    }
    const { workflow, loadRoot } = signer
    if (!certificate || !isFor(certificate, workflow)) return undefined
    const { san, issuer } = workflow
    return { identity: wantedText(san), issuer: wantedText(issuer), root: await loadRoot(io), ...conditions }
  }
}

function isFor(certificate: X509Certificate, workflow: WorkflowIdentity): boolean {
  try {
    const { san, sanType, issuer, sourceRepositoryUri, sourceRepositoryId } = identityOf(certificate)
    return (
      sanType === 'uri' &&
      san === workflow.san &&
      issuer === workflow.issuer &&
      sourceRepositoryUri === workflow.sourceRepositoryUri &&
      sourceRepositoryId === workflow.sourceRepositoryId
    )
  } catch (error) {
    if (error instanceof OciPublishError) return false // it names nobody
    throw error
  }
}

async function hasNotation(
  source: Source,
  subject: Descriptor,
  leaf: X509Certificate,
  { signal }: Abortable,
): Promise<boolean> {
  if (!listsReferrers(source)) return false
  const policy = { subject, trusted: [leaf], now: Math.floor(Date.now() / 1000) }
  let looked = 0
  for await (const { jws } of findNotation(source, subject, { signal })) {
    const { signature } = await verifyNotation(jws, policy)
    if (signature?.chain[0].fingerprint256 === leaf.fingerprint256) return true
    if (++looked >= MAX_LOOKED_AT) break
  }
  return false
}

async function holds(verify: () => Promise<unknown>): Promise<boolean> {
  try {
    await verify()
    return true
  } catch (error) {
    if (error instanceof OciPublishError) return false
    throw error
  }
}
