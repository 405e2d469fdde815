import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'

/** A value in DER. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const length: number[] = []
  for (let rest = content.byteLength; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256)
  const head = content.byteLength < 0x80 ? [tag, content.byteLength] : [tag, 0x80 + length.length, ...length]
  return Buffer.concat([Buffer.from(head), content])
}

export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text))

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, ...[first * 40 + second, ...rest].map(arc => Buffer.from(base128(arc))))
}

function base128(arc: number): readonly number[] {
  const octets = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(128 + (rest % 128))
  return octets
}

const FULCIO = '1.3.6.1.4.1.57264.1'
export const ISSUER = 'https://token.actions.githubusercontent.com'
export const SAN = 'https://github.com/team/app/.github/workflows/release.yml@refs/heads/main'

export interface CertificateWords {
  /** Name in the subject alternative name; undefined leaves the extension out. */
  readonly san?: Uint8Array | undefined
  /** Extensions of Fulcio by their last number, DER already. */
  readonly claims?: Readonly<Record<string, Uint8Array>>
  readonly more?: readonly Uint8Array[]
  readonly key?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  /** Its own key without it. */
  readonly authority?: KeyObject
}

export const uri = (text: string): Buffer => der(0x86, Buffer.from(text))

export function extension(name: string, value: Uint8Array, critical?: boolean): Buffer {
  const flag = critical === undefined ? [] : [der(0x01, Buffer.from([critical ? 0xff : 0]))]
  return der(0x30, oid(name), ...flag, der(0x04, value))
}

export interface SomeCertificate {
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
}

/** A certificate as Fulcio issues them, by default for a workflow of GitHub. */
export function someCertificate(words: CertificateWords = {}): SomeCertificate {
  const { claims = { 8: utf8(ISSUER) }, more = [], key = generateKeyPairSync('ec', { namedCurve: 'P-256' }) } = words
  const san = 'san' in words ? words.san : uri(SAN)
  const ecdsa = der(0x30, oid('1.2.840.10045.4.3.2'))
  const name = der(0x30, der(0x31, der(0x30, oid('2.5.4.3'), utf8('somebody'))))
  const time = (text: string): Buffer => der(0x17, Buffer.from(text))
  const extensions = [
    ...(san ? [extension('2.5.29.17', der(0x30, san), true)] : []),
    ...Object.entries(claims).map(([number, value]) => extension(`${FULCIO}.${number}`, value)),
    ...more,
  ]
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([7])),
    ecdsa,
    name,
    der(0x30, time('200101000000Z'), time('491231235959Z')),
    name,
    key.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, der(0x30, ...extensions))] : []),
  )
  const signature = sign('sha256', signed, words.authority ?? key.privateKey)
  const bytes = der(0x30, signed, ecdsa, der(0x03, Buffer.from([0]), signature))
  return { certificate: new X509Certificate(bytes), privateKey: key.privateKey }
}
