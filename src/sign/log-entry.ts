import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs'
import * as v from 'valibot'
import { parseJson } from '../parse.ts'

/** What a log entry is to be about. */
interface Signer {
  readonly certificate: X509Certificate | undefined
  readonly key: KeyObject
}

/**
 * What is wrong with an entry besides what the verifier looks at: that it says of itself what its proof does not say, or
 * that somebody else was logged. Without the latter, whoever watches the log for a name could miss a signature in it.
 *
 * @returns undefined where all is well
 */
export function logEntryProblem(entry: TransparencyLogEntry, signer: Signer): string | undefined {
  const { inclusionProof: proof, inclusionPromise, kindVersion, logIndex, canonicalizedBody } = entry
  if (proof?.checkpoint) {
    const [, size = '', root = ''] = proof.checkpoint.envelope.split('\n')
    if (!proof.rootHash.equals(Buffer.from(root, 'base64')) || proof.treeSize !== size) {
      return "the log entry's inclusion proof does not lead to the checkpoint"
    }
  }
  // Logs of the first kind are of several trees, and promise the index over all of them.
  if (!inclusionPromise && kindVersion?.version !== '0.0.1' && proof?.logIndex !== logIndex) {
    return "the log entry's index is not that of its inclusion proof"
  }
  const logged = verifierOf(canonicalizedBody)
  if (!logged) return 'the log entry does not say by whom the signature is'
  if (isSame(logged, signer)) return undefined
  return `the log entry is about another ${signer.certificate ? 'certificate' : 'key'}`
}

const text = v.string()
const verifierSchema = v.object({
  x509Certificate: v.optional(v.object({ rawBytes: text })),
  publicKey: v.optional(v.object({ rawBytes: text })),
})
const content = v.object({ content: text })

/** The kinds of entries in use; each names in its own way who signed. */
const BODIES = v.union([
  v.pipe(
    v.object({ spec: v.object({ hashedRekordV002: v.object({ signature: v.object({ verifier: verifierSchema }) }) }) }),
    v.transform(({ spec }) => spec.hashedRekordV002.signature.verifier),
  ),
  v.pipe(
    v.object({ spec: v.object({ signature: v.object({ publicKey: content }) }) }), // hashedrekord
    v.transform(({ spec }) => spec.signature.publicKey.content),
  ),
  v.pipe(
    v.object({ spec: v.object({ signatures: v.tuple([v.object({ verifier: text })]) }) }), // dsse
    v.transform(({ spec }) => spec.signatures[0].verifier),
  ),
  v.pipe(
    v.object({
      spec: v.object({
        content: v.object({ envelope: v.object({ signatures: v.tuple([v.object({ publicKey: text })]) }) }), // intoto
      }),
    }),
    v.transform(({ spec }) => spec.content.envelope.signatures[0].publicKey),
  ),
])

/** A certificate or a key in DER or PEM; undefined where there is neither. */
function verifierOf(body: Uint8Array): Buffer | undefined {
  let json: unknown
  try {
    json = parseJson(body, 'entry')
  } catch {
    return undefined
  }
  const { success, output } = v.safeParse(BODIES, json)
  if (!success) return undefined
  const base64 = typeof output === 'string' ? output : (output.x509Certificate ?? output.publicKey)?.rawBytes
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64')
}

function isSame(logged: Buffer, { certificate, key }: Signer): boolean {
  try {
    if (certificate) return new X509Certificate(logged).raw.equals(certificate.raw)
    const isPem = logged.toString('latin1').startsWith('-----BEGIN')
    return createPublicKey(isPem ? logged.toString('utf8') : { key: logged, format: 'der', type: 'spki' }).equals(key)
  } catch {
    return false
  }
}
