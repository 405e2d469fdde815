import { startSpecRegistry } from '../../../conformance/server/registry.ts'
import { ask, errorCodes } from './ask.ts'

test.each([
  ['GET', '/v2/UPPER/tags/list', 400, 'NAME_INVALID'],
  ['GET', '/v2/team/none/tags/list', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/team/app/blobs/sha256:short', 400, 'DIGEST_INVALID'],
  ['GET', '/v2/team/app/manifests/none', 404, 'MANIFEST_UNKNOWN'],
  ['PATCH', '/v2/team/app/manifests/none', 405, 'UNSUPPORTED'],
  ['GET', '/v2/team/app/else', 404, 'NAME_UNKNOWN'],
  ['PUT', '/v2/team/app/manifests/v1', 400, 'MANIFEST_INVALID'],
])('%s %s is refused with the code of the specification', async (method, path, status, code) => {
  await using registry = await startSpecRegistry()
  const response = await ask(registry, path, { method })
  expect(response.status).toBe(status)
  expect(await errorCodes(response)).toEqual([code])
})
