import type { CliParts } from '../../src/cli/publish.ts'
import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { AuthError, InputError, OciPublishError, type InputProblem } from '../../src/errors.ts'
import { FIELDS, type FieldValues } from '../../src/publish/fields.ts'
import { sampleDigest, sampleReport } from '../tell/sample-report.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

interface Given {
  readonly env?: NodeJS.ProcessEnv
  readonly stdin?: string
  readonly publish?: CliParts<string>['publish']
  readonly signal?: AbortSignal
}

/** Runs a command line on stand-ins. */
async function run(line: string | readonly string[], { env = {}, stdin = '', ...given }: Given = {}) {
  const { io, out, err } = fakeIo({ stdin })
  const seen: { values?: FieldValues; problems?: readonly InputProblem[]; layout?: string; closed?: boolean } = {}
  const argv = typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line
  const exitCode = await runCli(argv, io, {
    env,
    signal: given.signal ?? new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    copyTags: () => Promise.reject(new Error('not asked for')),
    locate: () => ({ source: new MemoryStore(), name: '' }),
    publish(values, deps, options) {
      if (seen.problems?.length) return Promise.reject(new InputError(seen.problems)) // as it does by its deps
      return given.publish?.(values, deps as string, options) ?? Promise.resolve(sampleReport())
    },
    wire({ values, problems, onEvent, onSecret, defaultLayout }) {
      Object.assign(seen, { values, problems, layout: defaultLayout })
      onSecret('hunter2')
      onEvent({ type: 'notice', text: 'the token is hunter2' })
      const close = () => {
        seen.closed = true
        return Promise.resolve()
      }
      return Promise.resolve({ deps: 'deps', problems, close })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

describe('flags', () => {
  test.each<[name: string, line: string, values: FieldValues]>([
    ['a list may be repeated', '--tags v1 --tags v2,v3', { tags: ['v1', 'v2,v3'] }],
    ['a layer is one entry, whatever commas it has', '--layers src=a,dest=/b', { layers: ['src=a,dest=/b'] }],
    ['a text', '--base-image debian:12', { 'base-image': 'debian:12' }],
    ['a text with an equals sign', '--base-image=debian:12', { 'base-image': 'debian:12' }],
    ['a number stays text for the parser', '--compression-level 6', { 'compression-level': '6' }],
    ['a word that looks like a flag, as a value', '--cmd --verbose', { cmd: ['--verbose'] }],
    ['--push', '--push', { push: 'true' }],
    ['--no-push', '--no-push', { push: 'false' }],
    ['--push false', '--push false', { push: 'false' }],
    ['--push=false', '--push=false', { push: 'false' }],
    ['--dry-run', '--dry-run', { 'dry-run': 'true' }],
    ['--no-show-summary', '--no-show-summary', { 'show-summary': 'false' }],
    ['a boolean before another flag', '--push --tags v1', { push: 'true', tags: ['v1'] }],
    ['nothing', '', {}],
  ])('%s', async (_name, line, values) => {
    expect(await run(`publish ${line}`)).toMatchObject({ exitCode: 0, values })
  })

  test('every input of the action that is no secret is a flag', async () => {
    const flags = FIELDS.filter(field => !('secret' in field)).flatMap(({ name }) => [`--${name}`, '1'])
    const { exitCode, values } = await run(['publish', ...flags])
    expect(exitCode).toBe(0)
    expect(Object.keys(values ?? {})).toEqual(FIELDS.filter(field => !('secret' in field)).map(({ name }) => name))
  })

  test('plan is a dry run', async () => {
    expect((await run('plan --no-dry-run')).values).toEqual({ 'dry-run': 'true' })
  })

  test.each([
    ['an unknown flag', 'publish --base-imge debian', "unknown option '--base-imge'\n(Did you mean --base-image?)"],
    ['an unknown command', 'pubish', "unknown command 'pubish'\n(Did you mean publish?)"],
    ['a flag without its value', 'publish --tags', "option '--tags <list>' argument missing"],
    ['a word that belongs nowhere', 'publish app', 'too many arguments'],
  ])('%s: exit code 2, and what was meant', async (_name, line, message) => {
    const { exitCode, out, err } = await run(line)
    expect(exitCode).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(message)
  })

  test('nothing at all shows how to use it, and is not a success', async () => {
    const { exitCode, err } = await run('')
    expect(exitCode).toBe(2)
    expect(err).toContain('Usage: oci-publish')
  })

  test('--version', async () => {
    expect(await run('--version')).toMatchObject({ exitCode: 0, out: '1.2.3\n' })
  })

  test.each(['--help', 'publish --help', 'help plan'])('%s has examples and is for standard output', async line => {
    const { exitCode, out, err } = await run(line)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toContain('oci-publish publish --images ghcr.io/team/app')
    expect(out).not.toMatch(/--password <|--github-token|--no-push[^-]*\n +--/)
  })
})

describe('secrets', () => {
  test('come from the environment', async () => {
    const env = {
      OCI_PUBLISH_REGISTRY: 'r.example',
      OCI_PUBLISH_USERNAME: 'me',
      OCI_PUBLISH_PASSWORD: 's3cret',
      GITHUB_TOKEN: 'ghs_1',
    }
    const values = { registry: 'r.example', username: 'me', password: 's3cret', 'github-token': 'ghs_1' }
    expect((await run('publish', { env })).values).toEqual(values)
    expect((await run('publish --username you', { env })).values).toEqual({ ...values, username: 'you' })
  })

  test('or from standard input, without the newline of echo', async () => {
    expect((await run('publish --password-stdin', { stdin: 's3 cret\n' })).values).toEqual({ password: 's3 cret' })
  })

  test('an empty standard input is told before any work', async () => {
    const { exitCode, err } = await run('publish --password-stdin')
    expect(exitCode).toBe(2)
    expect(err).toContain('--password-stdin: there is none on standard input')
  })

  test.each(['--password s3cret', '--password=s3cret', '--github-token s3cret'])(
    'never on the command line, and never repeated: %s',
    async line => {
      const { exitCode, out, err } = await run(`publish ${line}`)
      expect(exitCode).toBe(2)
      expect(err).toContain('secrets are not taken from the command line')
      expect(out + err).not.toContain('s3cret')
    },
  )

  test('a misspelt flag does not give the password away', async () => {
    const { exitCode, err } = await run('publish --pasword=s3cret')
    expect(exitCode).toBe(2)
    expect(err).toContain("unknown option '--pasword'")
    expect(err).not.toContain('s3cret')
  })

  test('that turn up during the run are hidden', async () => {
    const { err } = await run('publish')
    expect(err).toContain('the token is ***\n')
    expect(err).not.toContain('hunter2')
  })
})

describe('what is told', () => {
  const digest = sampleDigest('index')

  test('standard output has references with digest, one a line, and nothing else', async () => {
    const { out, closed } = await run('publish')
    expect(out).toBe(`ghcr.io/team/app:v1@${digest}\nghcr.io/team/app:latest@${digest}\noci:out:v1@${digest}\n`)
    expect(closed).toBe(true)
  })

  test('with --json the report is one object', async () => {
    const { out } = await run('publish --json')
    expect(JSON.parse(out)).toEqual(sampleReport())
  })

  test('standard error has the result for people', async () => {
    const { err } = await run('publish')
    const amd64 = sampleDigest('linux/amd64').slice(0, 19)
    expect(err.replace(/in \d.*s\n/, 'in no time\n')).toContain(
      [
        `published ${digest}, index of 2 platforms, in no time`,
        `  on docker.io/library/debian:12 at ${sampleDigest('base')}`,
        `  linux/amd64  ${amd64}   35 MB  2 layers: 1 of the base, 1 assembled`,
      ].join('\n'),
    )
    expect(err).toContain(
      '  ghcr.io/team/app (v1, latest): sent 2 (10 MB), mounted 1 (30 MB), already there none\n' +
        '  oci:out (v1): sent 4 (70 MB), mounted none, already there none\n',
    )
  })

  test('--quiet says nothing but the references', async () => {
    expect(await run('publish --quiet')).toMatchObject({ err: '', out: expect.stringContaining('@sha256:') as string })
  })

  test.each<[name: string, error: Error, exitCode: number, err: string]>([
    [
      'a wrong request is 2, with every problem under the name of its flag',
      new InputError([
        { input: 'images', problem: 'no' },
        { input: 'ports', problem: 'x', hint: 'such as 8080' },
      ]),
      2,
      'error: the request is wrong: 2 problems\n  --images: no\n  --ports: x (such as 8080)\n',
    ],
    [
      'a failure is 1, with its cause and what to do',
      new AuthError('ghcr.io', 'ghcr.io: no credentials', { hint: 'log in', cause: new Error('401') }),
      1,
      'error: ghcr.io: no credentials\n  because: 401\n  hint: log in\n',
    ],
    [
      'several failures are all told',
      new AggregateError([new OciPublishError('X', 'one'), new OciPublishError('Y', 'two')]),
      1,
      'error: one\nerror: two\n',
    ],
    [
      'a bug says how to look for it',
      new TypeError('x is undefined'),
      1,
      'error: x is undefined\n  This looks like a bug; OCI_PUBLISH_DEBUG=1 shows where.\n',
    ],
  ])('%s', async (_name, error, exitCode, err) => {
    const publish = () => Promise.reject(error)
    expect(await run('publish --quiet --json', { publish })).toMatchObject({ exitCode, err, out: '', closed: true })
  })

  test('a stack is shown to those who ask for it', async () => {
    const publish = () => Promise.reject(new TypeError('x is undefined'))
    const { err } = await run('publish --quiet', { publish, env: { OCI_PUBLISH_DEBUG: '1' } })
    expect(err).toContain('cli.test.ts')
  })

  test('Ctrl-C is 130, and no bug', async () => {
    const reason = new Error('stopped by SIGINT')
    const publish = () => Promise.reject(reason)
    const { exitCode, err } = await run('publish --quiet', { publish, signal: AbortSignal.abort(reason) })
    expect({ exitCode, err }).toEqual({
      exitCode: 130,
      err: 'stopped by SIGINT: tags move last, so none points at half an image\n',
    })
  })
})
