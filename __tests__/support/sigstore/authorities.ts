import mock from '@sigstore/mock'
import { createPublicKey, generateKeyPairSync, verify, type KeyPairKeyObjectResult } from 'node:crypto'
import { json, type LoggedRequest, type Reply } from './service.ts'
import type { Claims, Tokens } from './tokens.ts'

export interface Authority {
  /** DER, from the one that signs to the root. */
  readonly certificates: readonly Uint8Array[]
  readonly answer: (request: LoggedRequest) => Promise<Reply>
}

export interface CertificateAuthority extends Authority {
  readonly ctlog: { readonly publicKey: Buffer; readonly logId: Uint8Array }
}

/** Roots are this old, so that what is signed at an earlier hour is signed by a root that was there. */
const AGE_MS = 30 * 24 * 3600 * 1000

const pair = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Fulcio, with a log of certificates. It knows the tokens of one issuer, and takes them in body or header. */
export async function fulcio(tokens: Tokens, now: () => Date): Promise<CertificateAuthority> {
  const ctlog = await mock.initializeCTLog(pair())
  const ca = await earlier(() => mock.initializeCA(pair(), ctlog))
  keepTime(ctlog, now)
  keepTime(ca, now)
  const { path, fn } = mock.fulcioHandler(ca, { subjectClaim: 'san' })
  const answer = async (request: LoggedRequest): Promise<Reply> => {
    if (request.method !== 'POST' || request.path !== path) return refuse(404, 5, 'Not Found')
    const asked = JSON.parse(request.body.toString()) as Asked
    const bearer = /^Bearer (.+)$/.exec(String(request.headers['authorization']))?.[1]
    let claims: Claims
    try {
      claims = tokens.check(asked.credentials?.oidcIdentityToken ?? bearer ?? '')
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error)
      return refuse(401, 16, `There was an error processing the identity token: ${because}`)
    }
    if (!possesses(asked, claims)) {
      return refuse(400, 3, 'The signature supplied in the request could not be verified')
    }
    // It reads the name for the certificate from a claim and does not look at the signature of the token.
    const oidcIdentityToken = tokens.issue({ ...claims, san: sanOf(claims) })
    const { response, statusCode } = await fn(JSON.stringify({ ...asked, credentials: { oidcIdentityToken } }))
    if (statusCode !== 201 || typeof response !== 'string') return refuse(400, 3, textOf(response))
    return json(200, JSON.parse(response))
  }
  const logId = bytesOf(ctlog.logID)
  return { certificates: [bytesOf(ca.rootCertificate)], ctlog: { publicKey: ctlog.publicKey, logId }, answer }
}

/** A timestamp authority, which is asked in DER or in JSON. */
export async function timestampAuthority(now: () => Date): Promise<Authority> {
  const tsa = await earlier(() => mock.initializeTSA(pair()))
  // Whole seconds: its fractions are not in the form that DER wants.
  keepTime(tsa, () => new Date(Math.floor(now().getTime() / 1000) * 1000))
  let nonce: Buffer | undefined
  keepNonce(tsa, () => nonce)
  const { path, fn } = mock.tsaHandler(tsa)
  const answer = async (request: LoggedRequest): Promise<Reply> => {
    if (request.method !== 'POST' || request.path !== path) return refuse(404, 5, 'Not Found')
    const isDer = request.headers['content-type'] === 'application/timestamp-query'
    const query = isDer ? parseQuery(request.body) : undefined
    nonce = query?.nonce
    const { response, statusCode } = await fn(query ? JSON.stringify(query.json) : request.body.toString())
    if (statusCode !== 201 || typeof response === 'string') return refuse(400, 3, textOf(response))
    // The real one answers 201 as well, others 200.
    return { status: 201, headers: { 'content-type': 'application/timestamp-reply' }, body: bytesOf(response) }
  }
  return { certificates: [bytesOf(tsa.intCertificate), bytesOf(tsa.rootCertificate)], answer }
}

interface Asked {
  readonly credentials?: { readonly oidcIdentityToken?: string }
  readonly publicKeyRequest?: { readonly publicKey: { readonly content: string }; readonly proofOfPossession: string }
}

function possesses({ publicKeyRequest }: Asked, claims: Claims): boolean {
  if (!publicKeyRequest) return true // a request in the form of a CSR proves it by itself
  const subject = String(claims['email_verified'] === true ? claims['email'] : claims['sub'])
  const key = createPublicKey(publicKeyRequest.publicKey.content)
  return verify('sha256', Buffer.from(subject), key, Buffer.from(publicKeyRequest.proofOfPossession, 'base64'))
}

/** It makes an URI of anything, of an address of mail too. */
function sanOf(claims: Claims): string {
  if (claims['job_workflow_ref'] !== undefined) return `https://github.com/${String(claims['job_workflow_ref'])}`
  return String(claims['email'] ?? claims['sub'])
}

/** The value that stands for a TimeStampReq (RFC 3161, 2.4.1) with the handler. */
function parseQuery(der: Buffer): { readonly json: object; readonly nonce: Buffer | undefined } {
  const [, imprint, ...rest] = children(children(der)[0]?.value)
  const [, hash] = children(imprint?.value)
  const nonce = rest.find(({ tag }) => tag === 0x02)?.value
  const certificates = rest.some(({ tag, value }) => tag === 0x01 && value[0] === 0xff)
  const artifactHash = hash?.value.toString('base64')
  return { json: { artifactHash, hashAlgorithm: 'sha256', certificates }, nonce }
}

interface Value {
  readonly tag: number
  readonly value: Buffer
}

function children(bytes: Buffer = Buffer.alloc(0)): readonly Value[] {
  const found: Value[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const short = bytes[at + 1] ?? 0
    const extra = short < 0x80 ? 0 : short & 0x7f
    const length = extra === 0 ? short : bytes.readUIntBE(at + 2, extra)
    const from = at + 2 + extra
    found.push({ tag: bytes[at] ?? 0, value: bytes.subarray(from, from + length) })
    at = from + length
  }
  return found
}

/** Its clock stands still otherwise, or cannot be set. */
function keepTime(authority: object, now: () => Date): void {
  Object.assign(authority, { getCurrentTime: now })
}

/** It knows nonces of 53 bits; Go's have more. */
function keepNonce(tsa: object, nonceOf: () => Buffer | undefined): void {
  const maker = tsa as { tstInfo: (query: unknown) => { nonce: { valueBlock: { valueHexView: Uint8Array } } } }
  const make = maker.tstInfo.bind(tsa)
  maker.tstInfo = query => {
    const info = make(query)
    const nonce = nonceOf()
    if (nonce) info.nonce.valueBlock.valueHexView = new Uint8Array(nonce)
    return info
  }
}

/** Roots are valid from when they are made, so they are made in the past. */
async function earlier<T>(make: () => Promise<T>): Promise<T> {
  const Real = globalThis.Date
  const past = Real.now() - AGE_MS
  globalThis.Date = class extends Real {
    constructor(...parts: readonly [] | readonly [number]) {
      super(parts[0] ?? past)
    }
    static override now(): number {
      return past
    }
  } as DateConstructor
  try {
    return await make()
  } finally {
    globalThis.Date = Real
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function textOf(response: string | ArrayBufferView): string {
  return typeof response === 'string' ? response : Buffer.from(bytesOf(response)).toString()
}

function refuse(status: number, code: number, message: string): Reply {
  return json(status, { code, message, details: [] })
}
