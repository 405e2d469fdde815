import type { WorkflowIdentity } from '../sign/vouched.ts'
import type { Claims } from './identity-token.ts'

type WorkflowClaims = Pick<Claims, 'issuer' | 'jobWorkflowRef' | 'repository' | 'repositoryId'>

/**
 * What Fulcio will write into the certificate of a job of GitHub Actions, as far as it tells one signer from another;
 * undefined for tokens of others, whose names it makes up in other ways.
 *
 * @see fulcio, config/identity/config.yaml, "github-workflow"
 */
export function workflowIdentity(claims: WorkflowClaims): WorkflowIdentity | undefined {
  const { issuer, jobWorkflowRef, repository, repositoryId } = claims
  const server = serverOf(issuer)
  if (server === undefined || !jobWorkflowRef || !repository || !repositoryId) return undefined
  return {
    san: `${server}/${jobWorkflowRef}`,
    issuer,
    sourceRepositoryUri: `${server}/${repository}`,
    sourceRepositoryId: repositoryId,
  }
}

const GHE = /^token[.]actions[.]([a-z0-9-]+)[.]ghe[.]com$/

/** An enterprise may have a path of its own below the issuer of github.com. */
function serverOf(issuer: string): string | undefined {
  const { protocol, host } = URL.canParse(issuer) ? new URL(issuer) : NOWHERE
  if (protocol !== 'https:') return undefined
  if (host === 'token.actions.githubusercontent.com') return 'https://github.com'
  const [, subdomain] = GHE.exec(host) ?? []
  return subdomain === undefined ? undefined : `https://${subdomain}.ghe.com`
}

const NOWHERE = { protocol: '', host: '' }
