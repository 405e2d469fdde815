import type { Abortable } from '../async/abortable.ts'
import type { Side } from '../errors.ts'
import { HttpError } from '../http/error.ts'
import type { HttpResponse } from '../http/transport.ts'
import { refusalOf, unreachable, withCredentials } from './error.ts'
import type { RegistryHost } from './host.ts'

/**
 * Whether there is a registry, and whether it takes the credentials that there are for it.
 *
 * @throws {RegistryError} when there is none, or none that speaks the Distribution API
 * @throws {AuthError} when it wants other credentials
 * @see distribution-spec, "Determining Support"
 */
export async function ping(host: RegistryHost, { side, signal }: Abortable & { readonly side: Side }): Promise<void> {
  const request = { method: 'GET', to: '/v2/', operation: 'find a registry', signal }
  const asked = { side, host: host.name, repository: '', operation: request.operation, method: request.method }
  let response: HttpResponse
  try {
    response = await host.send({ ...request, want: { side, repository: '', scopes: [] } })
  } catch (error) {
    throw error instanceof HttpError ? unreachable(error, asked) : error
  }
  // Whatever else answers at that place answers with a page.
  if (response.status === 200 && response.header('content-type')?.startsWith('text/html') !== true) {
    await response.discard()
    return
  }
  throw withCredentials(await refusalOf(response, asked), await host.credential('', { signal }))
}
