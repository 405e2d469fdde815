import type { RequestBody } from './transport.ts'

/** Bytes that are in memory anyway: manifests, forms, small documents. */
export function bytesBody(bytes: Uint8Array): RequestBody {
  return {
    size: bytes.byteLength,
    // eslint-disable-next-line @typescript-eslint/require-await -- the type asks for an async source
    async *open() {
      yield bytes
    },
  }
}
