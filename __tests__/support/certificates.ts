import { X509Certificate, createPublicKey, sign, type KeyObject } from 'node:crypto'

/** Certificates of the tests' own, in all the ways in which authorities get them wrong. */
export interface CertificateParts {
  /** Parts of the subject's name. */
  readonly subject: Name
  readonly key: KeyObject
  /** Itself where it is left out. */
  readonly issuer?: { readonly subject: Name; readonly key: KeyObject } | undefined
  readonly notBefore?: string
  readonly notAfter?: string
  /** Bits of keyUsage, the first is digitalSignature; null for no such extension. */
  readonly usages?: readonly number[] | null
  readonly usagesCritical?: boolean
  /** Object identifiers; null for no such extension. */
  readonly purposes?: readonly string[] | null
  /** null for no such extension. */
  readonly constraints?: { readonly ca: boolean; readonly pathLength?: number; readonly critical?: boolean } | null
  readonly hash?: 'sha1' | 'sha256'
}

export type Name = Readonly<Partial<Record<'C' | 'ST' | 'O' | 'CN', string>>>

export const DIGITAL_SIGNATURE = 0
export const KEY_CERT_SIGN = 5
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** A certificate for signing code, unless something else is said. */
export function certificateOf(parts: CertificateParts): X509Certificate {
  const { subject, key, issuer = { subject, key }, hash = 'sha256' } = parts
  const { notBefore = '2020-01-01T00:00:00Z', notAfter = '2120-01-01T00:00:00Z' } = parts
  const algorithm = signatureAlgorithm(issuer.key, hash)
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const signed = sequence(
    der(0xa0, integer(2)),
    der(0x02, Buffer.from([1, ...Buffer.from(subject.CN ?? 'x').subarray(0, 8)])),
    algorithm,
    nameOf(issuer.subject),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    spki,
    der(0xa3, sequence(...extensionsOf(parts))),
  )
  const signature = sign(issuer.key.asymmetricKeyType === 'ed25519' ? null : hash, signed, issuer.key)
  return new X509Certificate(sequence(signed, algorithm, der(0x03, Buffer.from([0]), signature)))
}

/** A certificate of an authority, unless something else is said. */
export function authorityOf(parts: CertificateParts): X509Certificate {
  return certificateOf({ usages: [KEY_CERT_SIGN], purposes: null, constraints: { ca: true }, ...parts })
}

export function pemOf(...chain: readonly X509Certificate[]): string {
  return chain.map(certificate => certificate.toString()).join('')
}

function extensionsOf(parts: CertificateParts): readonly Buffer[] {
  const { usages = [DIGITAL_SIGNATURE], usagesCritical = true, purposes = [CODE_SIGNING], constraints = null } = parts
  return [
    ...(usages ? [extension('2.5.29.15', usagesCritical, bits(usages))] : []),
    ...(purposes ? [extension('2.5.29.37', false, sequence(...purposes.map(oid)))] : []),
    ...(constraints ? [extension('2.5.29.19', constraints.critical ?? true, basicConstraints(constraints))] : []),
  ]
}

function basicConstraints({ ca, pathLength }: NonNullable<CertificateParts['constraints']>): Buffer {
  return sequence(...(ca ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)]))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), der(0x04, value))
}

function bits(set: readonly number[]): Buffer {
  const octets = Buffer.alloc(2)
  for (const bit of set) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return der(0x03, Buffer.from([0]), octets)
}

function signatureAlgorithm({ asymmetricKeyType }: KeyObject, hash: 'sha1' | 'sha256'): Buffer {
  if (asymmetricKeyType === 'ec') return sequence(oid(hash === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'))
  if (asymmetricKeyType === 'rsa') {
    return sequence(oid(hash === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), der(0x05))
  }
  return sequence(oid('1.3.101.112'))
}

const NAMES = { C: '2.5.4.6', ST: '2.5.4.8', O: '2.5.4.10', CN: '2.5.4.3' } as const

function nameOf(name: Name): Buffer {
  const parts = Object.entries(NAMES).flatMap(([part, id]) => {
    const text = name[part as keyof Name]
    return text === undefined ? [] : [der(0x31, sequence(oid(id), der(0x0c, Buffer.from(text))))]
  })
  return sequence(...parts)
}

function time(iso: string): Buffer {
  const digits = iso.replace(/[-:T]/g, '')
  return iso < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}

const TRUE = der(0x01, Buffer.from([0xff]))

/** Below 128. */
function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...arcs] = text.split('.').map(Number)
  const octets = [first * 40 + second, ...arcs].flatMap(arc => {
    const groups = [arc & 0x7f]
    for (let rest = arc >>> 7; rest > 0; rest >>>= 7) groups.unshift((rest & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from(octets))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.byteLength
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
