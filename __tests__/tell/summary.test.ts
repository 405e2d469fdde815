import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError, OciPublishError } from '../../src/errors.ts'
import { failuresOf } from '../../src/tell/failure.ts'
import { Secrets } from '../../src/tell/secrets.ts'
import { appendSummary, failureSummary, reportSummary } from '../../src/tell/summary.ts'
import { sampleDigest, sampleReport } from './sample-report.ts'

test('a summary of a chart says how it is pulled, and has no table of platforms', () => {
  const digest = sampleDigest('chart')
  const [target] = sampleReport().targets
  const ref = `ghcr.io/charts/web:1.0.0@${digest}`
  const commands = ['helm pull oci://ghcr.io/charts/web --version 1.0.0']
  const chart = { name: 'web', version: '1.0.0', digest, refs: [ref], commands }
  const report = { ...sampleReport({ refs: [ref], platforms: [], chart }), base: undefined }
  const summary = reportSummary({ ...report, digest, targets: target ? [target] : [] }, new Secrets())
  expect(summary).toContain(`\`${digest}\`, \`chart web 1.0.0\`\n`)
  expect(summary).toContain('`helm pull oci://ghcr.io/charts/web --version 1.0.0`')
  expect(summary).not.toContain('| Platform |')
})

test('a summary says what was published, for which platforms, and what had to be sent', () => {
  const index = sampleDigest('index')
  expect(reportSummary(sampleReport(), new Secrets())).toBe(
    `### Published

- \`ghcr.io/team/app:v1@${index}\`
- \`ghcr.io/team/app:latest@${index}\`
- \`oci:out:v1@${index}\`

\`${index}\`, \`index of 2 platforms\`, on \`docker.io/library/debian:12\` at \`${sampleDigest('base')}\`

| Platform | Digest | Size | Layers |
| --- | --- | --- | --- |
| \`linux/amd64\` | \`${sampleDigest('linux/amd64')}\` | 35 MB | 2 layers: 1 of the base, 1 assembled |
| \`linux/arm64\` | \`${sampleDigest('linux/arm64')}\` | 35 MB | 2 layers: 1 of the base, 1 assembled |

| Target | Tags | Sent | Mounted | Already there |
| --- | --- | --- | --- | --- |
| \`ghcr.io/team/app\` | \`v1\` \`latest\` | 2 (10 MB) | 1 (30 MB) | none |
| \`oci:out\` | \`v1\` | 4 (70 MB) | none | none |

`,
  )
})

test('a dry run does not claim to have published', () => {
  const text = reportSummary(sampleReport({ dryRun: true }), new Secrets())
  expect(text).toContain('### Would publish (dry run)')
  expect(text).toContain('| Target | Tags | To send | To mount | Already there |')
})

test('what has no tag is told, because nobody finds it by name', () => {
  const [target] = sampleReport().targets
  const text = reportSummary(sampleReport({ targets: target ? [{ ...target, tags: [] }] : [] }), new Secrets())
  expect(text).toContain('without a tag, by digest only: ghcr.io/team/app')
})

test('a failure is told with its problems, causes and hint, and nothing in it is read as Markdown', () => {
  const error = new AggregateError([
    new InputError([{ input: 'tags', problem: 'no <b>|`x`', hint: 'v1' }]),
    new OciPublishError('REGISTRY_ERROR', 'refused', { hint: 'log in', cause: new Error('401') }),
  ])
  expect(failureSummary(failuresOf(error), new Secrets())).toBe(`### Not published

- \`the request is wrong: 1 problem\`
  - \`tags\`: <code>no &#60;b&#62;&#124;&#96;x&#96;</code> (\`v1\`)
- \`refused\`
  - because: \`401\`
  - **\`log in\`**

`)
})

describe('appendSummary()', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'summary-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  test('keeps what an earlier part of the step wrote', async () => {
    const env = { GITHUB_STEP_SUMMARY: join(dir, 'summary.md') }
    await appendSummary(env, 'one\n')
    await appendSummary(env, 'two\n')
    expect(await readFile(env.GITHUB_STEP_SUMMARY, 'utf8')).toBe('one\n\ntwo\n\n')
  })

  test.each([
    ['there is no summary', {}],
    ['the runner has no support for it', { GITHUB_STEP_SUMMARY: '' }],
    ['the file cannot be written', { GITHUB_STEP_SUMMARY: '/nowhere/at/all.md' }],
  ])('never fails a publication because %s', async (_name, env) => {
    await expect(appendSummary(env, 'x')).resolves.toBeUndefined()
  })
})
