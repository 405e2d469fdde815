import { messageOf } from '../errors.ts'

/** Why there was no answer, and whether asking again makes sense. */
export interface Failure {
  /** Of Node, or one of {@link WireCode}. */
  readonly code: string
  /** A clause for people: `the connection was refused`. */
  readonly words: string
  readonly retriable: boolean
  /** Where fewer attempts than usual tell enough. */
  readonly attempts?: number
  /** The server had closed an idle connection: nothing is wrong, a new one may be opened at once. */
  readonly stale?: boolean
  readonly hint?: string
}

/** What this room itself finds wrong with a connection. */
export type WireCode =
  | 'CONNECT_TIMEOUT'
  | 'SEND_TIMEOUT'
  | 'ANSWER_TIMEOUT'
  | 'BODY_TIMEOUT'
  | 'INTERIM_FLOOD'
  | 'STALE_CONNECTION'
  | 'PROXY_BUSY'
  | 'PROXY_REFUSED'

/** Thrown inside this room; others see an HttpError. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: WireCode

  constructor(code: WireCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const CUT = 'the connection was cut'
const CUTS = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'HPE_INVALID_EOF_STATE', 'ERR_STREAM_PREMATURE_CLOSE']

/** What may pass. */
const PASSING: ReadonlyMap<string, string> = new Map([
  ...CUTS.map(code => [code, CUT] as const),
  ['ECONNREFUSED', 'the connection was refused, nothing listens there'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'there is no route to its network'],
  ['ENETDOWN', 'the network is down'],
  ['EAI_AGAIN', 'DNS did not answer'],
])

const CA_HINT =
  'if the host has a CA of its own, name its PEM file in NODE_EXTRA_CA_CERTS, or put it into /etc/docker/certs.d/HOST/ca.crt'

/** What stays as it is, however often one asks. */
const LASTING: readonly (readonly [code: RegExp, words: string, hint?: string])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its TLS certificate is for another name'],
  [/^CERT_HAS_EXPIRED$/, 'its TLS certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'its TLS certificate is not valid yet; is the clock right?'],
  [/SELF_SIGNED|^UNABLE_TO_|^CERT_|^INVALID_CA|^HOSTNAME_MISMATCH$/, 'its TLS certificate is not trusted', CA_HINT],
  [
    /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/,
    'it does not speak TLS there',
    'if the registry is meant to be plain http, say so for this host',
  ],
  [/^ERR_SSL_|^ERR_TLS_/, 'TLS failed'],
  [/^HPE_HEADER_OVERFLOW$/, 'the headers of the answer are larger than 64 KiB'],
  [/^HPE_/, 'the answer is not HTTP', 'is this the port of a registry, and does it want https?'],
]

/** Puts anything that a connection threw into one of the kinds above. */
export function classify(error: unknown): Failure {
  const code = codeOf(error)
  if (error instanceof WireError) return { code, words: error.message, ...ofWire(error.code) }
  const passing = PASSING.get(code)
  if (passing !== undefined) return { code, words: `${passing} (${code})`, retriable: true }
  if (code === 'ENOTFOUND') {
    // Once more, because resolvers of busy runners say so for names that exist; not six times, because most are typos.
    return { code, words: 'no such host in DNS (ENOTFOUND)', retriable: true, attempts: 2 }
  }
  const lasting = LASTING.find(([pattern]) => pattern.test(code))
  if (!lasting) return { code, words: messageOf(error), retriable: false }
  const [, words, hint] = lasting
  return { code, words: `${words} (${code})`, retriable: false, ...(hint !== undefined && { hint }) }
}

function ofWire(code: WireCode): Pick<Failure, 'retriable' | 'stale' | 'hint'> {
  switch (code) {
    case 'STALE_CONNECTION':
      return { retriable: true, stale: true }
    case 'INTERIM_FLOOD':
      return { retriable: false }
    case 'PROXY_REFUSED':
      return { retriable: false, hint: 'see HTTPS_PROXY, HTTP_PROXY and NO_PROXY' }
    case 'CONNECT_TIMEOUT':
    case 'SEND_TIMEOUT':
    case 'ANSWER_TIMEOUT':
    case 'BODY_TIMEOUT':
    case 'PROXY_BUSY':
      return { retriable: true }
  }
}

/**
 * The code of an error, or nothing. Node tries the addresses of a name in turn and throws what it met together; the
 * first is as good as any.
 */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return ''
}
