import type { ResourceDescriptor } from './resource.ts'
import { withoutTrailing } from '../trim.ts'

/** Where a build ran: what a provenance says of it that the request does not. */
export interface BuildPlace {
  /** Whom one has to trust to believe the provenance (SLSA v1, "builder.id"). */
  readonly builderId: string
  readonly invocationId?: string
  /** What was asked of the place from outside, besides the inputs. */
  readonly workflow?: Workflow
  /** What the place itself has set. */
  readonly internalParameters?: Readonly<Record<string, unknown>>
  /** Commits that the run is of. */
  readonly sources: readonly ResourceDescriptor[]
}

/** A workflow of GitHub Actions, in the form of GitHub's own build type. */
interface Workflow {
  /** `refs/heads/main`. */
  readonly ref: string
  /** `https://github.com/org/app`. */
  readonly repository: string
  /** `.github/workflows/release.yml`. */
  readonly path: string
}

/** Claims of an ID token of GitHub Actions, as they were decoded. */
export type GithubClaims = Readonly<Record<string, unknown>>

/** The builder of provenances that are written outside of GitHub Actions; docs/build-types.md says what it stands for. */
export const LOCAL_BUILDER = 'https://github.com/org/oci-publish/blob/main/docs/build-types.md#local-builder'

/** Of a run of GitHub Actions, else of a machine that nobody vouches for. */
export function buildPlace(env: NodeJS.ProcessEnv, claims?: GithubClaims): BuildPlace {
  return githubPlace(env, claims) ?? localPlace()
}

/** Any machine. Which one it is, and who sits at it, is nobody's business. */
export function localPlace(): BuildPlace {
  return { builderId: LOCAL_BUILDER, sources: [] }
}

/**
 * A run of GitHub Actions; undefined where there is none.
 *
 * @param claims of the job's ID token: signed by GitHub, they are believed before the environment, and they alone name
 *   the reusable workflow that a job is in
 * @see https://actions.github.io/buildtypes/workflow/v1
 */
export function githubPlace(env: NodeJS.ProcessEnv, claims: GithubClaims = {}): BuildPlace | undefined {
  const said = (claim: string, variable: string): string | undefined => {
    const value = claims[claim]
    return typeof value === 'string' && value !== '' ? value : given(env[variable])
  }
  const repository = said('repository', 'GITHUB_REPOSITORY')
  const workflowRef = said('workflow_ref', 'GITHUB_WORKFLOW_REF')
  const runId = said('run_id', 'GITHUB_RUN_ID')
  if (env['GITHUB_ACTIONS'] !== 'true' || !repository || !workflowRef || !runId) return undefined
  const server = withoutTrailing(given(env['GITHUB_SERVER_URL']) ?? 'https://github.com', '/')
  const workflow = workflowOf(server, workflowRef)
  if (!workflow) return undefined
  const github = {
    event_name: said('event_name', 'GITHUB_EVENT_NAME'),
    repository_id: said('repository_id', 'GITHUB_REPOSITORY_ID'),
    repository_owner_id: said('repository_owner_id', 'GITHUB_REPOSITORY_OWNER_ID'),
    runner_environment: said('runner_environment', 'RUNNER_ENVIRONMENT'),
  }
  const attempt = said('run_attempt', 'GITHUB_RUN_ATTEMPT') ?? '1'
  return {
    builderId: `${server}/${said('job_workflow_ref', 'GITHUB_WORKFLOW_REF') ?? workflowRef}`,
    invocationId: `${server}/${repository}/actions/runs/${runId}/attempts/${attempt}`,
    workflow,
    internalParameters: { github: Object.fromEntries(Object.entries(github).filter(([, value]) => value)) },
    sources: commits(
      [`${server}/${repository}`, said('ref', 'GITHUB_REF'), said('sha', 'GITHUB_SHA')],
      // Of the same commit, as a rule; not where an organization brings the workflow.
      [workflow.repository, workflow.ref, said('workflow_sha', 'GITHUB_WORKFLOW_SHA')],
    ),
  }
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** `org/app/.github/workflows/release.yml@refs/tags/v1`; refs may have "@" in them. */
function workflowOf(server: string, workflowRef: string): Workflow | undefined {
  const [, repository, path, ref] = /^([^/]+\/[^/]+)\/(.+?[.]ya?ml)@(.+)$/.exec(workflowRef) ?? []
  if (!repository || !path || !ref) return undefined
  return { ref, repository: `${server}/${repository}`, path }
}

type Commit = readonly [repository: string, ref: string | undefined, sha: string | undefined]

function commits(...all: readonly Commit[]): readonly ResourceDescriptor[] {
  const bySha = new Map<string, ResourceDescriptor>()
  for (const [repository, ref, sha] of all) {
    if (sha === undefined || bySha.has(sha)) continue
    bySha.set(sha, { uri: `git+${repository}@${ref ?? sha}`, digest: { gitCommit: sha } })
  }
  return [...bySha.values()]
}
