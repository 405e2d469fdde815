import { json, type LoggedRequest, type Reply } from './service.ts'

/** What the stand-in for GitHub's API knows a job by. */
export const GITHUB_TOKEN = 'ghs_local'

/** GitHub's store of attestations (REST, "Create an attestation"). It keeps any bundle. */
export function attestationsApi(bundles: unknown[]): (request: LoggedRequest) => Reply {
  return request => {
    const documentation_url = 'https://docs.github.com/rest/repos/attestations#create-an-attestation'
    if (!/^\/repos\/[^/]+\/[^/]+\/attestations$/.test(request.path) || request.method !== 'POST') {
      return json(404, { message: 'Not Found', documentation_url, status: '404' })
    }
    if (request.headers['authorization'] !== `Bearer ${GITHUB_TOKEN}`) {
      return json(401, { message: 'Bad credentials', documentation_url, status: '401' })
    }
    const { bundle } = JSON.parse(request.body.toString()) as { readonly bundle?: unknown }
    if (typeof bundle !== 'object') return json(422, { message: 'Invalid request.', documentation_url, status: '422' })
    bundles.push(bundle)
    return json(201, { id: 1000 + bundles.length })
  }
}
