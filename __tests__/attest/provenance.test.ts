import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { LOCAL_BUILDER, buildPlace, githubPlace, localPlace, type GithubClaims } from '../../src/attest/build-place.ts'
import { BUILD_TYPE, PROVENANCE, provenance, type ProvenanceParts } from '../../src/attest/provenance.ts'
import { gitResource, imageResource } from '../../src/attest/resource.ts'
import { parseDigest } from '../../src/oci/digest.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { parseReference } from '../../src/oci/reference.ts'

const SHA = 'c'.repeat(40)
const BASE = parseDigest(`sha256:${'b'.repeat(64)}`)

const ENV = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'org/app',
  GITHUB_REPOSITORY_ID: '1234',
  GITHUB_REPOSITORY_OWNER_ID: '99',
  GITHUB_WORKFLOW_REF: 'org/app/.github/workflows/release.yml@refs/tags/v1',
  GITHUB_WORKFLOW_SHA: SHA,
  GITHUB_EVENT_NAME: 'push',
  GITHUB_REF: 'refs/tags/v1',
  GITHUB_SHA: SHA,
  GITHUB_RUN_ID: '555',
  GITHUB_RUN_ATTEMPT: '2',
  RUNNER_ENVIRONMENT: 'github-hosted',
}

// slsa.dev/spec/v1.1/provenance and in-toto's resource_descriptor.md; nothing else may be there.
const text = v.pipe(v.string(), v.nonEmpty())
const uri = v.pipe(text, v.regex(/^[a-z][a-z0-9+.-]*:\S+$/))
const resource = v.pipe(
  v.strictObject({
    name: v.exactOptional(text),
    uri: v.exactOptional(uri),
    digest: v.exactOptional(v.record(text, v.pipe(v.string(), v.regex(/^[0-9a-f]{40,128}$/)))),
    mediaType: v.exactOptional(text),
    annotations: v.exactOptional(v.record(v.pipe(v.string(), v.regex(/^[a-z]+_[a-z]+$/)), v.unknown())),
  }),
  v.check(({ uri, digest }) => uri !== undefined || digest !== undefined),
)
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/))
const SLSA = v.strictObject({
  buildDefinition: v.strictObject({
    buildType: uri,
    externalParameters: v.record(text, v.unknown()),
    internalParameters: v.exactOptional(v.record(text, v.unknown())),
    resolvedDependencies: v.array(resource),
  }),
  runDetails: v.strictObject({
    builder: v.strictObject({ id: uri, version: v.record(text, text) }),
    metadata: v.exactOptional(
      v.strictObject({
        invocationId: v.exactOptional(text),
        startedOn: v.exactOptional(time),
        finishedOn: v.exactOptional(time),
      }),
    ),
    byproducts: v.exactOptional(v.array(resource)),
  }),
})

function valid(parts: ProvenanceParts): v.InferOutput<typeof SLSA> {
  const { type, predicate } = provenance(parts)
  expect(type).toBe(PROVENANCE)
  return v.parse(SLSA, JSON.parse(JSON.stringify(predicate)))
}

function on(env: NodeJS.ProcessEnv, claims?: GithubClaims): NonNullable<ReturnType<typeof githubPlace>> {
  const place = githubPlace(env, claims)
  if (!place) throw new Error('no run of GitHub Actions')
  return place
}

describe('the provenance of a run of GitHub Actions', () => {
  test('is what its documentation shows', async () => {
    const written = valid({
      where: on(ENV),
      inputs: { images: ['ghcr.io/org/app'], 'base-image': 'alpine:3.22', layers: ['dist/:/app/'] },
      materials: [imageResource(parseReference('alpine:3.22'), BASE)],
      version: '1.2.3',
      startedOn: new Date('2026-01-02T03:04:05.678Z'),
      finishedOn: new Date('2026-01-02T03:04:15Z'),
    })
    const page = await readFile(new URL('../../docs/build-types.md', import.meta.url), 'utf8')
    const [, example = ''] = /### Example\n[^`]*```json\n([^`]*)```/.exec(page) ?? []
    expect(written).toEqual(JSON.parse(example))
  })

  test('names the reusable workflow as its builder, as the certificate does, where the token tells it', () => {
    const job_workflow_ref = 'org/builders/.github/workflows/publish.yml@refs/tags/v3'
    const place = on(ENV, { job_workflow_ref })
    expect(place.builderId).toBe(`https://github.com/${job_workflow_ref}`)
    expect(place.workflow?.path).toBe('.github/workflows/release.yml') // what was triggered stays what it was
  })

  test('believes what GitHub has signed before what the environment says', () => {
    const claims = {
      repository: 'org/real',
      workflow_ref: 'org/real/.github/workflows/ci.yaml@refs/heads/main',
      job_workflow_ref: 'org/real/.github/workflows/ci.yaml@refs/heads/main',
      ref: 'refs/heads/main',
      sha: 'd'.repeat(40),
      workflow_sha: 'd'.repeat(40),
      event_name: 'workflow_dispatch',
      repository_id: '7',
      repository_owner_id: '8',
      runner_environment: 'self-hosted',
      run_id: '1',
      run_attempt: '1',
    }
    expect(on(ENV, claims)).toEqual({
      builderId: 'https://github.com/org/real/.github/workflows/ci.yaml@refs/heads/main',
      invocationId: 'https://github.com/org/real/actions/runs/1/attempts/1',
      workflow: {
        ref: 'refs/heads/main',
        repository: 'https://github.com/org/real',
        path: '.github/workflows/ci.yaml',
      },
      internalParameters: {
        github: {
          event_name: 'workflow_dispatch',
          repository_id: '7',
          repository_owner_id: '8',
          runner_environment: 'self-hosted',
        },
      },
      sources: [{ uri: 'git+https://github.com/org/real@refs/heads/main', digest: { gitCommit: 'd'.repeat(40) } }],
    })
  })

  test.each([
    ['a tag with @', 'refs/tags/@org/pkg@1.0.0'],
    ['a branch that is called as a file', 'refs/heads/x.yml@y'],
  ])('takes the ref of a workflow whole: %s', (_, ref) => {
    const { workflow } = on({ ...ENV, GITHUB_WORKFLOW_REF: `org/app/.github/workflows/release.yml@${ref}` })
    expect(workflow).toEqual({ ref, repository: 'https://github.com/org/app', path: '.github/workflows/release.yml' })
  })

  test('names both commits where the workflow comes from another repository', () => {
    const { workflow, sources } = on({
      ...ENV,
      GITHUB_WORKFLOW_REF: 'org/rules/.github/workflows/must.yml@refs/heads/main',
      GITHUB_WORKFLOW_SHA: 'e'.repeat(40),
    })
    expect(workflow?.repository).toBe('https://github.com/org/rules')
    expect(sources).toEqual([
      { uri: 'git+https://github.com/org/app@refs/tags/v1', digest: { gitCommit: SHA } },
      { uri: 'git+https://github.com/org/rules@refs/heads/main', digest: { gitCommit: 'e'.repeat(40) } },
    ])
  })

  test('is of the own server of an enterprise', () => {
    const place = on({ ...ENV, GITHUB_SERVER_URL: 'https://acme.ghe.com/' })
    expect(place.builderId).toMatch(/^https:\/\/acme\.ghe\.com\/org\/app\//)
    expect(place.invocationId).toBe('https://acme.ghe.com/org/app/actions/runs/555/attempts/2')
  })

  test('names a commit once, with what the checkout tells of it', () => {
    const checkout = { url: 'https://github.com/org/app', commit: SHA, ref: undefined, dirty: true }
    const { buildDefinition } = valid({ where: on(ENV), inputs: {}, materials: [gitResource(checkout)], version: '1' })
    expect(buildDefinition.resolvedDependencies).toEqual([
      {
        uri: 'git+https://github.com/org/app@refs/tags/v1',
        digest: { gitCommit: SHA },
        annotations: { ocipublish_modified: true },
      },
    ])
  })

  test('names another commit beside that of the run where that was checked out', () => {
    const checkout = { url: 'https://github.com/org/app', commit: 'a'.repeat(40), ref: 'refs/heads/next', dirty: false }
    const { buildDefinition } = valid({ where: on(ENV), inputs: {}, materials: [gitResource(checkout)], version: '1' })
    expect(buildDefinition.resolvedDependencies.map(({ digest }) => digest?.['gitCommit'])).toEqual([
      SHA,
      'a'.repeat(40),
    ])
  })
})

test('the addresses of builder and build type lead to headings of the documentation', async () => {
  const page = await readFile(new URL('../../docs/build-types.md', import.meta.url), 'utf8')
  const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'))
  expect([BUILD_TYPE, LOCAL_BUILDER].map(url => url.split('#')[1])).toEqual(anchors)
})

describe('the provenance of any other machine', () => {
  test('tells nothing of the machine, and what was built of', () => {
    const checkout = { url: 'ssh://example.com/app.git', commit: SHA, ref: undefined, dirty: undefined }
    const written = valid({
      where: localPlace(),
      inputs: { index: 'never' },
      materials: [gitResource(checkout)],
      version: '1',
    })
    expect(written).toEqual({
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { inputs: { index: 'never' } },
        resolvedDependencies: [{ uri: `git+ssh://example.com/app.git@${SHA}`, digest: { gitCommit: SHA } }],
      },
      runDetails: { builder: { id: LOCAL_BUILDER, version: { 'oci-publish': '1' } } },
    })
  })

  test.each<[string, NodeJS.ProcessEnv]>([
    ['nothing', {}],
    ['names of GitHub without a run', { GITHUB_REPOSITORY: 'org/app', GITHUB_WORKFLOW_REF: ENV.GITHUB_WORKFLOW_REF }],
    ['a workflow that is none', { ...ENV, GITHUB_WORKFLOW_REF: 'release' }],
    ['no run', { ...ENV, GITHUB_RUN_ID: '' }],
  ])('is not taken for GitHub: %s', (_, env) => {
    expect(buildPlace(env)).toEqual({ builderId: LOCAL_BUILDER, sources: [] })
  })

  test('may list what it has left besides', () => {
    const byproducts = [{ name: 'build.log', digest: { sha256: 'f'.repeat(64) }, mediaType: 'text/plain' }]
    const { runDetails } = valid({ where: localPlace(), inputs: {}, materials: [], byproducts, version: '1' })
    expect(runDetails.byproducts).toEqual(byproducts)
  })
})

describe('imageResource()', () => {
  test.each([
    ['alpine', undefined, 'pkg:docker/alpine@latest'],
    ['docker.io/library/alpine:3.22', undefined, 'pkg:docker/alpine@3.22'],
    ['user/test:v2', undefined, 'pkg:docker/user/test@v2'],
    ['ghcr.io/foo/bar:v2', 'linux/arm64', 'pkg:docker/ghcr.io/foo/bar@v2?platform=linux%2Farm64'],
    ['127.0.0.1:5000/bar:v2', undefined, 'pkg:docker/127.0.0.1:5000/bar@v2'],
    [`busybox@${BASE}`, 'linux/arm/v7', `pkg:docker/busybox?digest=${BASE}&platform=linux%2Farm%2Fv7`],
    [`busybox:1@${BASE}`, undefined, `pkg:docker/busybox@1?digest=${BASE}`],
  ])('writes %s for %s as BuildKit does', (reference, platform, uri) => {
    const written = imageResource(
      parseReference(reference),
      BASE,
      platform === undefined ? undefined : parsePlatform(platform),
    )
    expect(written).toEqual({ uri, digest: { sha256: 'b'.repeat(64) } })
  })

  test('has no URI for a layout, which only this machine knows', () => {
    expect(imageResource(parseReference('oci:base:v1'), BASE)).toEqual({
      name: 'oci:base:v1',
      digest: { sha256: 'b'.repeat(64) },
    })
  })
})
