import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import type { Transport } from './transport.ts'

export interface DownloadOptions extends Abortable {
  readonly maxBytes: number
}

/**
 * Everything that an address holds, without credentials.
 *
 * @throws {OciPublishError} DOWNLOAD_FAILED for any answer but 200; HttpError where there is none, or too large a one
 */
export async function download(
  transport: Transport,
  url: URL,
  { maxBytes, signal }: DownloadOptions,
): Promise<Uint8Array> {
  const operation = `download ${url.host}${url.pathname}`
  const response = await transport.request({ method: 'GET', url, wholeBodyBytes: maxBytes, operation, signal })
  if (response.status === 200) return response.bytes(maxBytes)
  await response.discard()
  throw new OciPublishError('DOWNLOAD_FAILED', `${url.origin}${url.pathname}: answered ${response.status}`)
}
