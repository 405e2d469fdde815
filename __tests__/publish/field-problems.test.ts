import { InputError, type InputProblem } from '../../src/errors.ts'
import type { Kind } from '../../src/publish/field-kinds.ts'
import { FIELDS, type Field, type FieldName, type FieldValues } from '../../src/publish/fields.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

/** A publication of each kind, and of an image with its chart; nothing is wrong with them. */
const PUBLICATIONS = {
  image: { images: 'r.example/team/app', layers: 'app.txt:/app' },
  chart: { images: 'r.example/charts', chart: 'web' },
  files: { images: 'r.example/team/report', files: 'app.txt', 'artifact-type': 'application/vnd.example.report' },
  'image and chart': { images: 'r.example/team/app', layers: 'app.txt:/app', chart: 'web' },
} as const satisfies Readonly<Record<string, FieldValues>>
type Publication = keyof typeof PUBLICATIONS

const PUBLICATION_NAMES: readonly Publication[] = ['image', 'chart', 'files', 'image and chart']
const KINDS: Readonly<Record<Publication, readonly Kind[]>> = {
  image: ['image'],
  chart: ['chart'],
  files: ['files'],
  'image and chart': ['image', 'chart'],
}

/** What a field may be given, beside what it needs; what it may not be given; and what it means something for. */
interface Row {
  readonly right: string
  /** undefined where any text is right. */
  readonly wrong?: string
  readonly with?: FieldValues
  readonly of: readonly Kind[]
}

const EVERY = ['image', 'chart', 'files'] as const
const IMAGE = ['image'] as const
const CHART = ['chart'] as const
const FILES = ['files'] as const
const SIGNED = { sign: 'key', 'sign-key': 'project/none.key' }
const KMS = { 'ecr-encryption': 'KMS', 'ecr-create-repository': 'true' }
const ECR = { 'ecr-create-repository': 'true' }

const ROWS: Readonly<Record<FieldName, Row>> = {
  images: { right: 'r.example/other', wrong: 'r.example/a b', of: EVERY },
  tags: { right: 'v1', wrong: '-x', of: ['image', 'files'] },
  platforms: { right: 'linux/arm64', wrong: 'linux/z80', of: IMAGE },
  'base-image': { right: 'oci:base', wrong: 'r.example/A', of: IMAGE },
  layers: { right: 'app.txt:/srv', wrong: 'app.txt', of: IMAGE },
  files: { right: 'app.txt', wrong: 'none.txt', of: FILES },
  'artifact-preset': { right: 'flux', wrong: 'zip', of: FILES },
  'artifact-type': { right: 'application/vnd.example', wrong: 'thing', of: FILES },
  'artifact-config': { right: 'app.txt', wrong: 'none.json', of: FILES },
  'artifact-model': { right: 'name=x', wrong: 'x', of: FILES, with: { 'artifact-preset': 'modelpack' } },
  context: { right: 'project', of: EVERY },
  'follow-links': { right: 'true', wrong: 'maybe', of: EVERY },
  entrypoint: { right: 'app', wrong: '["a', of: IMAGE },
  cmd: { right: 'serve', wrong: '["a', of: IMAGE },
  workdir: { right: '/srv', of: IMAGE },
  envs: { right: 'A=b', wrong: 'A', of: IMAGE },
  user: { right: '1000', of: IMAGE },
  ports: { right: '8080', wrong: 'http', of: IMAGE },
  volumes: { right: '/data', wrong: 'data', of: IMAGE },
  'stop-signal': { right: 'SIGINT', wrong: 'stop', of: IMAGE },
  healthcheck: { right: 'CMD true', wrong: '--every=1s CMD true', of: IMAGE },
  labels: { right: 'a=b', wrong: 'a', of: IMAGE },
  annotations: { right: 'a=b', wrong: 'a', of: ['image', 'files'] },
  index: { right: 'always', wrong: 'no', of: IMAGE },
  types: { right: 'docker', wrong: 'rpm', of: IMAGE },
  compression: { right: 'none', wrong: 'zip', of: IMAGE },
  'compression-level': { right: '9', wrong: 'best', of: IMAGE },
  push: { right: 'false', wrong: 'maybe', of: EVERY },
  outputs: { right: 'type=oci,dest=out', wrong: 'out', of: EVERY },
  'on-existing-tag': { right: 'skip', wrong: 'never', of: EVERY },
  'mount-from': { right: 'team/base', wrong: 'team/base:v1', of: IMAGE },
  upload: { right: 'chunked', wrong: 'never', of: EVERY },
  attach: { right: 'app.txt:text/plain', wrong: 'none.txt:text/plain', of: IMAGE },
  sbom: { right: 'true', wrong: 'maybe', of: IMAGE },
  chart: { right: 'web', of: CHART },
  'chart-version': { right: '1.2.3', of: CHART },
  'chart-app-version': { right: '1.2.3', of: CHART },
  'chart-values': { right: 'a=b', wrong: 'a', of: CHART },
  'chart-repository': { right: 'r.example/charts/web', wrong: 'r.example/a b', of: CHART },
  'chart-dependencies': { right: 'build', wrong: 'some', of: CHART },
  'chart-strict': { right: 'true', wrong: 'maybe', of: CHART },
  'chart-large-files': { right: 'true', wrong: 'maybe', of: CHART },
  'chart-sign-key': { right: 'none.asc', of: CHART },
  'chart-sign-passphrase': { right: 'secret', of: CHART, with: { 'chart-sign-key': 'none.asc' } },
  sign: { right: 'false', wrong: 'bogus', of: EVERY },
  'sign-key': { right: 'none.key', of: EVERY },
  'sign-password': { right: 'secret', of: EVERY, with: SIGNED },
  'signature-format': { right: 'legacy', wrong: 'old', of: EVERY, with: SIGNED },
  'sign-annotations': { right: 'a=b', wrong: 'a', of: EVERY, with: SIGNED },
  provenance: { right: 'true', wrong: 'maybe', of: EVERY, with: SIGNED },
  'predicate-type': { right: 'vuln', of: EVERY, with: SIGNED },
  'predicate-path': { right: 'none.json', of: EVERY, with: SIGNED },
  sigstore: { right: 'github', wrong: 'mine', of: EVERY, with: SIGNED },
  'fulcio-url': { right: 'https://f.example', wrong: 'f.example', of: EVERY, with: SIGNED },
  'rekor-url': { right: 'https://r.example', wrong: 'r.example', of: EVERY, with: SIGNED },
  'rekor-version': { right: '2', wrong: '3', of: EVERY, with: { ...SIGNED, 'rekor-url': 'https://r.example' } },
  'tsa-url': { right: 'https://t.example', wrong: 't.example', of: EVERY, with: SIGNED },
  'signing-config': { right: 'none.json', of: EVERY, with: SIGNED },
  'trusted-root': { right: 'none.json', of: EVERY },
  'github-attestation': {
    right: 'true',
    wrong: 'maybe',
    of: EVERY,
    with: { sign: 'keyless', provenance: 'true', 'github-token': 'x' },
  },
  'bundle-file': { right: 'bundles.jsonl', of: EVERY, with: SIGNED },
  'notation-key': { right: 'none.key', of: EVERY, with: { 'notation-chain': 'none.pem' } },
  'notation-password': {
    right: 'secret',
    of: EVERY,
    with: { 'notation-key': 'none.key', 'notation-chain': 'none.pem' },
  },
  'notation-chain': { right: 'none.pem', of: EVERY, with: { 'notation-key': 'none.key' } },
  'verify-base': { right: 'key=cosign.pub', wrong: 'who=me', of: IMAGE, with: { 'base-image': 'oci:base' } },
  'dry-run': { right: 'true', wrong: 'maybe', of: EVERY },
  registry: { right: 'r.example', wrong: 'https://r.example/v2', of: EVERY },
  username: { right: 'me', of: EVERY, with: { password: 'secret' } },
  password: { right: '#secret\n}', of: EVERY, with: { username: 'me' } },
  'github-token': { right: 'secret', of: EVERY },
  'registry-auth': {
    right: '- { registry: r.example, username: me, password: secret }',
    wrong: 'r.example',
    of: EVERY,
  },
  'role-to-assume': { right: 'arn:aws:iam::123456789012:role/publish', wrong: 'publish', of: EVERY },
  'aws-region': { right: 'eu-central-1', wrong: 'Frankfurt', of: EVERY },
  'ecr-create-repository': { right: 'true', wrong: 'maybe', of: EVERY },
  'ecr-tag-mutability': { right: 'immutable', wrong: 'maybe', of: EVERY, with: ECR },
  'ecr-scan-on-push': { right: 'true', wrong: 'maybe', of: EVERY, with: ECR },
  'ecr-encryption': { right: 'KMS', wrong: 'kms', of: EVERY, with: ECR },
  'ecr-kms-key': { right: 'alias/images', of: EVERY, with: KMS },
  'ecr-lifecycle-policy': { right: '{}', of: EVERY, with: ECR },
  'ecr-repository-policy': { right: '{}', of: EVERY, with: ECR },
  'plain-http': { right: 'r.example:5000', wrong: 'http://r.example', of: EVERY },
  'registry-profile': { right: 'r.example=harbor', wrong: 'foo=bar', of: EVERY },
  cache: { right: 'off', wrong: 'never', of: EVERY },
  'cache-dir': { right: 'cache', of: EVERY },
  'source-date-epoch': { right: '1', wrong: 'today', of: EVERY },
  'show-summary': { right: 'false', wrong: 'maybe', of: EVERY },
}

const NAMES: readonly FieldName[] = FIELDS.map(({ name }) => name)
const CHART_FILES = { 'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n', 'web/values.yaml': 'a: b\n' }
const ALWAYS_WRONG = { 'registry-profile': 'always wrong' }

/** What is told of a request that is wrong in any case, so that nothing is ever done; with `with` and `values` in it. */
async function told(
  workshop: Workshop,
  publication: Publication,
  values: FieldValues,
): Promise<readonly InputProblem[]> {
  const asked = { ...PUBLICATIONS[publication], ...ALWAYS_WRONG, ...values, 'cache-dir': workshop.at('cache') }
  const error: unknown = await workshop.publish(asked, { env: { GITHUB_REPOSITORY: 'team/app' } }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof InputError) return error.problems
  throw new Error('it was not refused', { cause: error })
}

let workshop: Workshop
beforeEach(() => {
  workshop = openWorkshop()
  workshop.put({ 'app.txt': 'x', ...CHART_FILES })
})
afterEach(() => {
  workshop[Symbol.dispose]()
})

/** With one of these something else is published. */
const DECIDING: ReadonlySet<FieldName> = new Set<FieldName>([
  ...(['layers', 'base-image', 'chart', 'files'] as const),
  ...(['artifact-type', 'artifact-config', 'artifact-preset', 'artifact-model'] as const),
])

describe.each(PUBLICATION_NAMES)('a publication of %s', publication => {
  const means = (name: FieldName): boolean => ROWS[name].of.some(kind => KINDS[publication].includes(kind))
  const those = NAMES.filter(
    name => name !== 'registry-profile' && !(name in PUBLICATIONS[publication]) && (means(name) || !DECIDING.has(name)),
  )

  test('that is right has no problem of its own', async () => {
    expect(await told(workshop, publication, {})).toMatchObject([{ input: 'registry-profile' }])
  })

  test.each(those)('uses %s, or refuses it by its name', async name => {
    const { right, with: more = {} } = ROWS[name]
    const given = Object.keys(more).every(other => means(other as FieldName)) ? more : {}
    const problems = await told(workshop, publication, { ...given, [name]: right })
    const about = problems.filter(({ input }) => input === name)
    // Whether there is a file is another question.
    const refused = about.filter(({ problem }) => !right.startsWith('none.') || problem.includes('applies'))
    expect(refused).toHaveLength(means(name) ? 0 : 1)
    // What was wrong before is told as well, whatever is published.
    expect(problems.map(({ input }) => input)).toContain('registry-profile')
  })

  const malformed = NAMES.filter(name => ROWS[name].wrong !== undefined)
  test.each(malformed)('does not pass over a malformed %s', async name => {
    const { wrong = '', with: more = {} } = ROWS[name]
    const given = means(name) ? more : {}
    const replaced = { ...PUBLICATIONS[publication], ...given, [name]: wrong }
    const problems = await told(workshop, publication, replaced)
    const about = problems.filter(({ input }) => input === name)
    expect(about.length).toBeGreaterThan(0)
    expect(new Set(about.map(({ problem }) => problem)).size).toBe(about.length)
  })
})

test.each<[what: string, values: FieldValues, refused: readonly string[]]>([
  ['an image and files', { layers: 'app.txt:/a', files: 'app.txt', 'artifact-type': 'a/b' }, ['layers']],
  ['an image and the type of an artifact', { layers: 'app.txt:/a', 'artifact-type': 'a/b' }, ['layers', 'files']],
  ['a chart and files', { chart: 'web', files: 'app.txt', 'artifact-type': 'a/b' }, ['chart']],
])('%s are two publications: neither is left out silently', async (_what, values, refused) => {
  const wanted = workshop.publish({ images: 'r.example/a', ...values })
  await expect(wanted).rejects.toMatchObject({ problems: refused.map(input => ({ input })) })
})

test('every field with choices, of numbers and of booleans has a malformed value in the table', () => {
  const strict = (FIELDS as readonly Field[]).filter(
    ({ kind, choices }) => choices ?? ['boolean', 'number'].includes(kind),
  )
  for (const { name } of strict) expect([name, ROWS[name as FieldName].wrong]).not.toEqual([name, undefined])
})

describe('a signature that was asked for is there, or the run fails', () => {
  test.each<[what: string, values: FieldValues, input: string]>([
    ['a key of a chart that is not there', { chart: 'web', 'chart-sign-key': '/nonexistent' }, 'chart-sign-key'],
    ['a key of a chart for an image', { layers: 'app.txt:/a', 'chart-sign-key': 'k' }, 'chart-sign-key'],
    ['a password whose key is missing', { layers: 'app.txt:/a', 'sign-password': 'x' }, 'sign-password'],
    ['services whose signer is missing', { chart: 'web', 'fulcio-url': 'https://f.example' }, 'fulcio-url'],
    ['a key of Notation that is not there', { files: 'app.txt', 'notation-password': 'x' }, 'notation-password'],
  ])('%s', async (_what, values, input) => {
    await using registry = await startSpecRegistry()
    const more = values.files === undefined ? {} : { 'artifact-type': 'a/b' }
    const wanted = workshop.publish({ images: `${registry.host}/team/app`, ...more, ...values })
    await expect(wanted).rejects.toMatchObject({ problems: [{ input }] })
    expect(registry.requests).toEqual([])
  })
})

test('a missing file and a signer that does not exist are told at once, each once', async () => {
  const files = { files: 'missing', 'artifact-type': 'a/b', sign: 'bogus', images: 'r.example/a' }
  await expect(workshop.publish(files)).rejects.toMatchObject({ problems: [{ input: 'sign' }, { input: 'files' }] })
  const chart = { chart: 'missing', sign: 'bogus', images: 'r.example/a' }
  await expect(workshop.publish(chart)).rejects.toMatchObject({ problems: [{ input: 'sign' }, { input: 'chart' }] })
})

test('a malformed line asks nobody for an identity token', async () => {
  await using registry = await startSpecRegistry() // stands in for the service of tokens: it keeps what it is asked
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${registry.url.href}token`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret' }
  const values = { images: 'r.example/a', layers: 'app.txt', sign: 'keyless' }
  await expect(workshop.publish(values, { env })).rejects.toMatchObject({ problems: [{ input: 'layers' }] })
  expect(registry.requests).toEqual([])
})

test('a password to the letter: of several lines, or with a "#" at its start, it is one', async () => {
  await using registry = await startSpecRegistry()
  for (const password of ['{\n  "type": "service_account"\n}', '#secret']) {
    const values = { images: `${registry.host}/team/app:v1`, layers: 'app.txt:/a', username: '_json_key', password }
    await expect(workshop.publish(values)).resolves.toMatchObject({
      report: { tags: [`${registry.host}/team/app:v1`] },
    })
  }
})
