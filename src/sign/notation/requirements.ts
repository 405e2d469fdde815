import type { X509Certificate } from 'node:crypto'
import { extensionsOf, type Extension } from '../certificate.ts'
import { oidOf, readDer, type Der } from '../der.ts'

/** RFC 5280, sections 4.2.1.3 and 4.2.1.9. */
const KEY_USAGE = '2.5.29.15'
const BASIC_CONSTRAINTS = '2.5.29.19'

/** In the order of their bits (RFC 5280, section 4.2.1.3). */
const USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

type Usage = (typeof USAGES)[number]

const LEAF_USAGES: ReadonlySet<Usage> = new Set(['digitalSignature', 'nonRepudiation'])

/** Purposes of a key that must not be there beside code signing. */
const OTHER_PURPOSES: ReadonlyMap<string, string> = new Map([
  ['2.5.29.37.0', 'anyExtendedKeyUsage'],
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['1.3.6.1.5.5.7.3.4', 'emailProtection'],
  ['1.3.6.1.5.5.7.3.8', 'timeStamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
])

/** Signature algorithms that nobody believes any more. */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'MD5'],
  ['1.2.840.113549.1.1.5', 'SHA-1'],
  ['1.2.840.10045.4.1', 'SHA-1'],
])

/**
 * What is wrong with a certificate as that of a signing key, but for the key itself.
 *
 * @see Notary Project signature specification, "Certificate Requirements"
 */
export function leafProblems(certificate: X509Certificate): readonly string[] {
  const { keyUsage, basicConstraints } = readExtensions(certificate)
  const extra = keyUsage?.usages.filter(usage => !LEAF_USAGES.has(usage)) ?? []
  // What has this name there are the extended usages; undefined where there are none.
  const purposes = ((certificate.keyUsage as readonly string[] | undefined) ?? []).flatMap(
    purpose => OTHER_PURPOSES.get(purpose) ?? [],
  )
  return [
    ...(basicConstraints?.isCa ? ['it is that of an authority (CA:TRUE), and those do not sign content'] : []),
    ...keyUsageProblems(keyUsage, 'digitalSignature'),
    ...(extra.length > 0 ? [`its keyUsage must not have ${extra.join(', ')}`] : []),
    ...(purposes.length > 0 ? [`it is made for ${purposes.join(', ')}: extendedKeyUsage has to be codeSigning`] : []),
    ...signatureProblems(certificate),
  ]
}

/**
 * What is wrong with a certificate as that of an authority.
 *
 * @param below how many other authorities are between it and the certificate of the key
 */
export function authorityProblems(certificate: X509Certificate, below: number): readonly string[] {
  const { keyUsage, basicConstraints } = readExtensions(certificate)
  const { isCa = false, isCritical = false, pathLength = below } = basicConstraints ?? {}
  return [
    ...(isCa && isCritical ? [] : ['as that of an authority it needs basicConstraints "critical, CA:TRUE"']),
    ...(pathLength < below ? [`below it may be ${pathLength} authorities (pathlen), and there are ${below}`] : []),
    ...keyUsageProblems(keyUsage, 'keyCertSign'),
    ...signatureProblems(certificate),
  ]
}

function signatureProblems({ raw, serialNumber }: X509Certificate): readonly string[] {
  const where = `certificate ${serialNumber}`
  const name = readDer(raw, where).children[1]?.children[0]
  const broken = name && BROKEN.get(oidOf(name, where))
  return broken === undefined ? [] : [`it is signed with ${broken}`]
}

function keyUsageProblems(keyUsage: KeyUsage | undefined, needed: Usage): readonly string[] {
  if (!keyUsage) return [`it has no keyUsage, which has to be "critical, ${needed}"`]
  return [
    ...(keyUsage.isCritical ? [] : ['its keyUsage is not marked critical']),
    ...(keyUsage.usages.includes(needed) ? [] : [`its keyUsage has no ${needed}`]),
  ]
}

interface KeyUsage {
  readonly isCritical: boolean
  readonly usages: readonly Usage[]
}

interface BasicConstraints {
  readonly isCritical: boolean
  readonly isCa: boolean
  readonly pathLength: number | undefined
}

interface Extensions {
  readonly keyUsage: KeyUsage | undefined
  readonly basicConstraints: BasicConstraints | undefined
}

function readExtensions(certificate: X509Certificate): Extensions {
  const extensions = extensionsOf(certificate)
  const where = `certificate ${certificate.serialNumber}`
  const read = (oid: string): { readonly extension: Extension; readonly value: Der } | undefined => {
    const extension = extensions.get(oid)
    return extension && { extension, value: readDer(extension.value, `${where}, extension ${oid}`) }
  }
  const usage = read(KEY_USAGE)
  const constraints = read(BASIC_CONSTRAINTS)
  return {
    keyUsage: usage && { isCritical: usage.extension.critical, usages: usagesOf(usage.value.content) },
    basicConstraints: constraints && {
      isCritical: constraints.extension.critical,
      ...constraintsOf(constraints.value),
    },
  }
}

/** The first octet of a bit string says how many bits of its last are not used. */
function usagesOf(bits: Uint8Array): readonly Usage[] {
  return USAGES.filter((_usage, i) => ((bits[1 + (i >> 3)] ?? 0) & (0x80 >> (i & 7))) !== 0)
}

/** A BOOLEAN, which is left out where it is false, and an INTEGER, which may be left out. */
function constraintsOf({ children }: Der): Pick<BasicConstraints, 'isCa' | 'pathLength'> {
  const isCa = children.some(({ tag, content }) => tag === 0x01 && content[0] !== 0)
  const length = children.find(({ tag }) => tag === 0x02)
  return { isCa, pathLength: length && Number(`0x${Buffer.from(length.content).toString('hex')}`) }
}
