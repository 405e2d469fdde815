import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { OciPublishError } from '../../errors.ts'
import { readCertificate } from '../certificate.ts'
import { pemBlocks } from '../pem.ts'
import { USABLE_KEYS, algorithmOf, describeKey } from './algorithm.ts'
import { authorityProblems, leafProblems } from './requirements.ts'

/**
 * Reads the certificates of a text in PEM in the order in which they are there; other blocks are left out.
 *
 * @throws {OciPublishError} INVALID_CERTIFICATE; INVALID_DOCUMENT for a certificate that cannot be read
 */
export function readChain(pem: string, where: string): readonly X509Certificate[] {
  const blocks = pemBlocks(pem, where)
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE')
  if (certificates.length === 0) {
    const labels = [...new Set(blocks.map(({ label }) => label))]
    const problem = labels.length === 0 ? 'is not PEM' : `has no certificate, but ${labels.join(', ')}`
    const hint = 'give the certificate of the key, then the one that issued it, and so on to the root, all in PEM'
    throw new OciPublishError('INVALID_CERTIFICATE', `${where}: ${problem}`, { hint })
  }
  return certificates.map(({ body = '' }, i) => readCertificate(Buffer.from(body, 'base64'), `${where}, ${i + 1}`))
}

/** Lower-case hex of SHA-256 over each certificate. */
export function thumbprintsOf(chain: readonly X509Certificate[]): readonly string[] {
  return chain.map(({ fingerprint256 }) => fingerprint256.replaceAll(':', '').toLowerCase())
}

/**
 * Everything for which verifiers would refuse signatures of a key with this chain. They meet it only when they verify, so
 * it is looked for before anything is signed.
 *
 * @param chain the certificate of the key first, the root last; or one certificate, issued by itself
 * @param at the time for which all of them have to be valid: seconds since 1970
 * @returns sentences that name the certificate; none where the chain can be used
 * @throws {OciPublishError} INVALID_DOCUMENT for a certificate whose extensions cannot be read
 * @see Notary Project signature specification, "Certificate Requirements"
 */
export function chainProblems(chain: readonly X509Certificate[], publicKey: KeyObject, at: number): readonly string[] {
  const named = chain.map((certificate, i) => ({ certificate, name: nameOf(certificate, i) }))
  const [leaf] = named
  if (!leaf) return ['there is no certificate']
  const own = named.find(({ certificate }) => certificate.publicKey.equals(publicKey))
  if (own !== leaf) {
    // Of a chain in the wrong order everything else would be wrong too.
    if (own) return [`${own.name} is that of the key: it has to come first, then the one that issued it, the root last`]
    return [`${leaf.name} is not that of the key, and neither is any other: the first has to be`]
  }
  const isUsable = algorithmOf(publicKey) !== undefined
  return [
    ...(isUsable ? [] : [`${leaf.name}: its key is ${describeKey(publicKey)}; Notation takes ${USABLE_KEYS}`]),
    ...named.flatMap(({ certificate, name }, i) =>
      [
        ...(i === 0 ? leafProblems(certificate) : authorityProblems(certificate, i - 1)),
        ...validityProblems(certificate, at),
      ].map(problem => `${name}: ${problem}`),
    ),
    ...linkProblems(named),
  ]
}

/**
 * @throws {OciPublishError} UNUSABLE_CERTIFICATE with every problem
 */
export function checkChain(chain: readonly X509Certificate[], key: KeyObject, at: number): void {
  const problems = chainProblems(chain, createPublicKey(key), at)
  if (problems.length === 0) return
  const message = `Notation would refuse what is signed with this chain of certificates: ${problems.join('; ')}`
  const hint =
    'the certificate of the key needs keyUsage "critical, digitalSignature" and extendedKeyUsage "codeSigning", and after it come all that issued it: docs/notation.md shows how to make them'
  throw new OciPublishError('UNUSABLE_CERTIFICATE', message, { hint })
}

interface Named {
  readonly certificate: X509Certificate
  readonly name: string
}

function nameOf(certificate: X509Certificate, i: number): string {
  return `certificate ${i + 1} (${subjectOf(certificate)})`
}

/** Whom a certificate is for, in one line: `C=US, ST=WA, O=Acme`. */
export function subjectOf({ subject }: X509Certificate): string {
  return inOneLine(subject)
}

/** Of a name without parts there is no text. */
function inOneLine(name: string | undefined): string {
  return name ? name.split('\n').join(', ') : 'no name'
}

function validityProblems({ validFrom, validTo }: X509Certificate, at: number): readonly string[] {
  const ms = at * 1000
  if (ms < Date.parse(validFrom)) return [`it is not valid before ${iso(validFrom)}`]
  return ms > Date.parse(validTo) ? [`it has expired on ${iso(validTo)}`] : []
}

function iso(date: string): string {
  return new Date(date).toISOString().replace('.000Z', 'Z')
}

/** Each has to be issued by the next, and the last by itself. */
function linkProblems(chain: readonly Named[]): readonly string[] {
  return chain.flatMap(({ certificate, name }, i) => {
    const next = chain[i + 1]
    const issuer = inOneLine(certificate.issuer)
    if (isIssuedBy(certificate, certificate)) {
      return next ? [`${name} is issued by itself: no other may come after it`] : []
    }
    if (!next) return [`${name} is the last and is issued by "${issuer}": the chain has to end with the root`]
    if (isIssuedBy(certificate, next.certificate)) return []
    const isNamed = certificate.issuer === next.certificate.subject
    return [`${name} ${isNamed ? 'is not signed with the key of' : `is issued by "${issuer}", not by`} ${next.name}`]
  })
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject) return false
  try {
    return certificate.verify(issuer.publicKey)
  } catch {
    return false // a key of another kind
  }
}
