import { X509Certificate } from 'node:crypto'
import { OciPublishError } from '../errors.ts'
import { oidOf, readDer, type Der } from './der.ts'

/** An extension of a certificate (RFC 5280, section 4.2). */
export interface Extension {
  readonly critical: boolean
  /** DER, as a rule; what is in the OCTET STRING. */
  readonly value: Uint8Array
}

/** Whom a certificate of Fulcio is for, and which run of which workflow had it made (fulcio, oid-info.md). */
export interface CertificateIdentity {
  /** Its subject alternative name: the URI of a workflow, an e-mail address, or a name that only the issuer knows. */
  readonly san: string
  readonly sanType: 'uri' | 'email' | 'other'
  /** Who vouched for that name: `https://token.actions.githubusercontent.com`. */
  readonly issuer: string | undefined
  /** The workflow with its ref, a reusable one where one is used. */
  readonly buildSignerUri: string | undefined
  readonly sourceRepositoryUri: string | undefined
  /** GitHub's number of it, which no other repository gets. */
  readonly sourceRepositoryId: string | undefined
  /** Commit. */
  readonly sourceRepositoryDigest: string | undefined
  readonly sourceRepositoryRef: string | undefined
  /** The event: `push`. */
  readonly buildTrigger: string | undefined
  readonly runInvocationUri: string | undefined
  /** `public`, `private` or `internal`, at the time of the signature. */
  readonly sourceRepositoryVisibility: string | undefined
}

const SAN = '2.5.29.17'
const FULCIO = '1.3.6.1.4.1.57264.1'
const EXTENSIONS = 0xa3

/** Which of the names counts where there are several; Fulcio writes one. */
const SAN_TAGS = [
  ['uri', 0x86],
  ['email', 0x81],
  ['other', 0xa0],
] as const

/**
 * A certificate from its DER.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function readCertificate(der: Uint8Array, where: string): X509Certificate {
  try {
    const certificate = new X509Certificate(der)
    // PEM is read as well, and so is what has something behind its end.
    if (certificate.raw.equals(der)) return certificate
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: is not an X.509 certificate`, { cause: error })
  }
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: is not the DER of one X.509 certificate`)
}

/**
 * The extensions of a certificate by their object identifiers in dotted form.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, also for an extension that is there twice
 */
export function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, Extension> {
  const where = `certificate ${certificate.serialNumber}`
  const extensions = new Map<string, Extension>()
  const [signed] = readDer(certificate.raw, where).children
  const wrapped = signed?.children.find(({ tag }) => tag === EXTENSIONS)
  for (const { children } of wrapped?.children[0]?.children ?? []) {
    const [name, value] = [children[0], children.at(-1)]
    if (!name || value?.tag !== 0x04) throw new OciPublishError('INVALID_DOCUMENT', `${where}: has a broken extension`)
    const oid = oidOf(name, where)
    if (extensions.has(oid)) throw new OciPublishError('INVALID_DOCUMENT', `${where}: has the extension ${oid} twice`)
    const critical = children.length === 3 && children[1]?.content[0] !== 0
    extensions.set(oid, { critical, value: value.content })
  }
  return extensions
}

/**
 * Whom a certificate was given to. That it is to be trusted is not looked at.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, also for a certificate that names nobody
 */
export function identityOf(certificate: X509Certificate): CertificateIdentity {
  const where = `certificate ${certificate.serialNumber}`
  const extensions = extensionsOf(certificate)
  const claim = (number: number): string | undefined => {
    const extension = extensions.get(`${FULCIO}.${number}`)
    return extension && utf8Of(readDer(extension.value, `${where}, extension ${FULCIO}.${number}`), where)
  }
  const older = extensions.get(`${FULCIO}.1`) // its text is not wrapped
  return {
    ...subjectAlternativeName(extensions.get(SAN), where),
    issuer: claim(8) ?? (older && textOf(older.value, where)),
    buildSignerUri: claim(9),
    sourceRepositoryUri: claim(12),
    sourceRepositoryDigest: claim(13),
    sourceRepositoryRef: claim(14),
    sourceRepositoryId: claim(15),
    buildTrigger: claim(20),
    runInvocationUri: claim(21),
    sourceRepositoryVisibility: claim(22),
  }
}

/** RFC 5280, section 4.2.1.6. Node's text of it escapes names, so it cannot be compared. */
function subjectAlternativeName(
  extension: Extension | undefined,
  where: string,
): Pick<CertificateIdentity, 'san' | 'sanType'> {
  const names = extension ? readDer(extension.value, `${where}, subject alternative name`).children : []
  for (const [sanType, tag] of SAN_TAGS) {
    const name = names.find(one => one.tag === tag)
    if (!name) continue
    // An otherName has its type first, then the value, wrapped once more.
    const wrapped = name.children[1]?.children[0]
    if (sanType === 'other' && !wrapped) continue
    return { sanType, san: wrapped ? utf8Of(wrapped, where) : textOf(name.content, where) }
  }
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: names nobody: it has no subject alternative name`)
}

function utf8Of({ tag, content }: Der, where: string): string {
  if (tag === 0x0c) return textOf(content, where)
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: a claim of it is not UTF-8 text`)
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: a claim of it is not UTF-8 text`, { cause: error })
  }
}
