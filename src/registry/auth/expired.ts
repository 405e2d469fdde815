import type { HttpResponse } from '../../http/transport.ts'

const MAX_BYTES = 64 << 10
/** ECR: "Your authorization token has expired. Reauthenticate and try again." */
const EXPIRED = /\b(?:token|credentials?|session|login|password)\b[^.]{0,80}\bexpired\b/i

/** A refusal whose body was looked at, and can be read as before. */
export interface ReadRefusal {
  readonly response: HttpResponse
  /** Whether it says that what was shown has expired; undefined where it says nothing at all, as to a HEAD. */
  readonly expired: boolean | undefined
}

/** Looks into a 403 for the words of registries that have no other way to say it. */
export async function readRefusal(response: HttpResponse): Promise<ReadRefusal> {
  const text = await response.excerpt(MAX_BYTES)
  return { response: again(response, text), expired: text === '' ? undefined : EXPIRED.test(text) }
}

function again(response: HttpResponse, text: string): HttpResponse {
  const bytes = new TextEncoder().encode(text)
  async function* body(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes)
  }
  return {
    ...response,
    body: { [Symbol.asyncIterator]: body },
    bytes: () => Promise.resolve(bytes),
    text: () => Promise.resolve(text),
    excerpt: maxBytes => Promise.resolve(new TextDecoder().decode(bytes.subarray(0, maxBytes))),
    discard: () => Promise.resolve(),
  }
}
