import { refTags } from '../../src/metadata/ref-tags.ts'

describe('refTags()', () => {
  test.each([
    // event, ref -> tags
    ['a pushed branch is its own tag', 'push', 'refs/heads/main', ['main']],
    ['a branch with slashes is a valid tag', 'push', 'refs/heads/feature/login@2', ['feature-login-2']],
    ['a pushed tag keeps its name', 'push', 'refs/tags/v1.2.3', ['v1.2.3']],
    ['a plus of semver becomes a dash', 'push', 'refs/tags/v1.2.3+build.5', ['v1.2.3-build.5']],
    ['a branch never begins a tag with a dot', 'push', 'refs/heads/.hidden', ['hidden']],
    ['a long branch is cut to what a tag may have', 'push', `refs/heads/${'x'.repeat(200)}`, ['x'.repeat(128)]],
    ['a branch without a letter gives no tag', 'push', 'refs/heads/---', []],
    ['a pull request is told by its number', 'pull_request', 'refs/pull/42/merge', ['pr-42']],
    ['a schedule publishes the nightly', 'schedule', 'refs/heads/main', ['nightly']],
    ['a release has the name of its tag', 'release', 'refs/tags/v2', ['v2']],
    ['a run by hand is of the branch it was started on', 'workflow_dispatch', 'refs/heads/main', ['main']],
    ['code of a fork never gets the tag of the branch it aims at', 'pull_request_target', 'refs/heads/main', []],
    ['code of another workflow never gets the tag of the default branch', 'workflow_run', 'refs/heads/main', []],
    ['an unknown event implies nothing', 'issue_comment', 'refs/heads/main', []],
    ['outside of a workflow nothing is implied', undefined, undefined, []],
  ])('%s', (_name, event, ref, tags) => {
    expect(refTags({ GITHUB_EVENT_NAME: event, GITHUB_REF: ref })).toEqual(tags)
  })
})
