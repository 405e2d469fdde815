import { createHash, randomBytes } from 'node:crypto'
import { OciPublishError } from '../errors.ts'
import { readDer, type Der } from '../sign/der.ts'
import { ask, type ServiceIo } from './ask.ts'
import { BOOLEAN, der, INTEGER, OCTET_STRING, positive, SEQUENCE } from './der-encode.ts'

const CODE = 'TIMESTAMP_FAILED'
const MAX_ANSWER_BYTES = 256 << 10
/** Keeps answers of different questions apart. */
const NONCE_BYTES = 8

/** `AlgorithmIdentifier` of SHA-256: 2.16.840.1.101.3.4.2.1, NULL. */
const SHA256 = Buffer.from('300d06096086480165030402010500', 'hex')

/**
 * Has a timestamp authority testify that a signature is there.
 *
 * @param url whole address of the authority
 * @returns its response (`TimeStampResp`, DER), as it came
 * @throws {ServiceError} TIMESTAMP_FAILED
 * @throws {OciPublishError} TIMESTAMP_FAILED for an answer that grants nothing, or to another question
 * @see RFC 3161, 2.4 and 3.4
 */
export async function requestTimestamp(url: string, signature: Uint8Array, io: ServiceIo): Promise<Uint8Array> {
  const hash = createHash('sha256').update(signature).digest()
  const nonce = positive(randomBytes(NONCE_BYTES))
  const question = {
    method: 'POST',
    url: new URL(url),
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: timestampQuery(hash, nonce),
    operation: 'get a timestamp',
    code: CODE,
    accepts: [200, 201],
    maxBytes: MAX_ANSWER_BYTES,
    hint: hintFor,
  } as const
  const response = await ask(question, io)
  const bytes = await response.bytes(MAX_ANSWER_BYTES)
  checkResponse(bytes, { hash, nonce, where: `timestamp of ${question.url.host}` })
  return bytes
}

/**
 * `TimeStampReq`, which asks for the certificate of the authority too.
 *
 * @param nonce content of a positive INTEGER
 */
export function timestampQuery(hash: Uint8Array, nonce: Uint8Array): Uint8Array {
  const imprint = der(SEQUENCE, SHA256, der(OCTET_STRING, hash))
  return der(SEQUENCE, der(INTEGER, Buffer.from([1])), imprint, der(INTEGER, nonce), der(BOOLEAN, Buffer.from([0xff])))
}

interface Asked {
  readonly hash: Uint8Array
  /** Content of the INTEGER. */
  readonly nonce: Uint8Array
  readonly where: string
}

/** Granted, and granted with modifications. */
const GRANTED = [0, 1]

function checkResponse(bytes: Uint8Array, { hash, nonce, where }: Asked): void {
  let response: Der
  let info: readonly Der[]
  try {
    response = readDer(bytes, where)
    info = timestampInfo(response, where)
  } catch (cause) {
    const message = `${where}: the answer cannot be read`
    throw new OciPublishError(CODE, message, { cause, hint: 'is "tsa-url" the whole address, with its path?' })
  }
  const [status] = response.children
  const granted = status?.children[0]?.content[0] ?? -1
  if (!GRANTED.includes(granted)) {
    const said = textsOf(status).join(' ')
    throw new OciPublishError(CODE, `${where}: refused with status ${granted}${said === '' ? '' : `: ${said}`}`)
  }
  const imprint = info[2]?.children[1]?.content
  if (!imprint || !Buffer.from(hash).equals(imprint)) {
    throw new OciPublishError(CODE, `${where}: is for something else than the signature that was sent`)
  }
  // Serial number and time come before the nonce.
  if (!info.slice(5).some(({ tag, content }) => tag === INTEGER && Buffer.from(nonce).equals(content))) {
    throw new OciPublishError(CODE, `${where}: answers another question than the one that was asked`)
  }
}

/** The parts of the `TSTInfo` in a response; none where nothing was granted. */
function timestampInfo({ children: [, token] }: Der, where: string): readonly Der[] {
  // ContentInfo: type, [0] SignedData: version, digest algorithms, EncapsulatedContentInfo: type, [0] OCTET STRING.
  const content = token?.children[1]?.children[0]?.children[2]?.children[1]?.children[0]
  return content ? readDer(content.content, where).children : []
}

/** PKIFreeText of a status. */
function textsOf(status: Der | undefined): readonly string[] {
  const texts = status?.children.find(({ tag }) => tag === SEQUENCE)?.children ?? []
  return texts.map(({ content }) => new TextDecoder().decode(content).replaceAll(/[\s\p{Cc}]+/gu, ' '))
}

function hintFor(status: number): string | undefined {
  return status === 404 || status === 405 ? '"tsa-url" is the whole address, with its path' : undefined
}
