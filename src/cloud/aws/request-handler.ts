import { OciPublishError } from '../../errors.ts'
import { bytesBody } from '../../http/body.ts'
import type { HttpResponse, Transport } from '../../http/transport.ts'

/** A request as AWS's clients make it. */
interface AwsRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>> | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface AwsAnswer {
  readonly response: {
    readonly statusCode: number
    readonly headers: Record<string, string>
    readonly body: Uint8Array
  }
}

/** What AWS's clients take for `requestHandler`. */
export interface AwsRequestHandler extends Record<string, unknown> {
  readonly metadata: { readonly handlerProtocol: string }
  handle(request: AwsRequest, options?: { readonly abortSignal?: unknown }): Promise<AwsAnswer>
}

const MAX_ANSWER_BYTES = 1 << 20
/** Made by the transport, from the address and the body. */
const OURS = new Set(['host', 'content-length'])
const HEADERS = ['content-type', 'date', 'retry-after', 'x-amzn-errortype', 'x-amzn-requestid', 'x-amzn-query-error']

/** Sends what AWS's clients ask by the transport of everything else: proxy, certificates, retries, limits are the same. */
export function awsRequestHandler(transport: Transport): AwsRequestHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle({ method, headers, body, ...target }, { abortSignal } = {}) {
      const response = await transport.request({
        method,
        url: urlOf(target),
        headers: Object.fromEntries(
          Object.entries(headers)
            .map(([name, value]) => [name.toLowerCase(), value] as const)
            .filter(([name]) => !OURS.has(name)),
        ),
        body: bodyOf(body),
        signal: abortSignal instanceof AbortSignal ? abortSignal : undefined,
        // A signature is for one address.
        redirect: 'manual',
        operation: 'ask AWS',
        wholeBodyBytes: MAX_ANSWER_BYTES,
      })
      if (response.gaveUp !== undefined) throw await spent(response, response.gaveUp)
      return {
        response: {
          statusCode: response.status,
          headers: headersOf(response),
          body: await response.bytes(MAX_ANSWER_BYTES),
        },
      }
    },
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: Omit<AwsRequest, 'method' | 'headers' | 'body'>): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as string | null]) {
      url.searchParams.append(name, one ?? '')
    }
  }
  return url
}

function bodyOf(body: unknown): ReturnType<typeof bytesBody> | undefined {
  if (typeof body === 'string') return bytesBody(new TextEncoder().encode(body))
  if (body instanceof Uint8Array) return bytesBody(body)
  if (body === undefined || body === null) return undefined
  throw new TypeError('a body that is neither text nor bytes') // the APIs that we use have no other
}

function headersOf(response: HttpResponse): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of HEADERS) {
    const value = response.header(name)
    if (value !== undefined) headers[name] = value
  }
  return headers
}

/** The transport has tried often enough: AWS's client must not begin again. */
async function spent(response: HttpResponse, gaveUp: string): Promise<OciPublishError> {
  await response.discard()
  return new OciPublishError('UNREACHABLE', `${response.url.host} answered ${response.status} (${gaveUp})`)
}
