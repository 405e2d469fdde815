import { isTag } from '../oci/tag.ts'

/** Events whose ref is what was checked out. `pull_request_target` and `workflow_run` carry the ref of another branch. */
const OF_THEIR_REF: ReadonlySet<string> = new Set(['push', 'release', 'workflow_dispatch'])

/**
 * Tags that a workflow run implies by its event and ref: the branch, the tag, `pr-N`, `nightly`; none where the event does
 * not say what was built.
 *
 * @param env GITHUB_EVENT_NAME and GITHUB_REF as the runner sets them
 */
export function refTags(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const event = env['GITHUB_EVENT_NAME'] ?? ''
  const ref = env['GITHUB_REF'] ?? ''
  if (event === 'schedule') return ['nightly']
  if (event === 'pull_request') return tagOf(/^refs\/pull\/(\d+)\//.exec(ref)?.[1], 'pr-')
  return OF_THEIR_REF.has(event) ? tagOf(/^refs\/(?:heads|tags)\/(.+)$/s.exec(ref)?.[1]) : []
}

/** A name made a valid tag: what a tag may not hold becomes "-", as docker's metadata action does it. */
function tagOf(name = '', prefix = ''): readonly string[] {
  if (name === '') return []
  const tag = `${prefix}${name.replace(/[^A-Za-z0-9._-]+/g, '-')}`.replace(/^[.-]+/, '').slice(0, 128)
  return isTag(tag) ? [tag] : []
}
