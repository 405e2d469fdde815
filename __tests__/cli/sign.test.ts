import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { InputError, type InputProblem, OciPublishError } from '../../src/errors.ts'
import { OCI_INDEX } from '../../src/oci/media-type.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { signExisting, type SignedExisting, type SignWords } from '../../src/publish/sign-existing.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { wire } from '../../src/wire.ts'
import { image, putApp, putKey } from '../publish/signed-projects.ts'
import { openWorkshop } from '../publish/workshop.ts'
import { verifyWithUs } from '../support/signing.ts'
import { sampleDigest } from '../tell/sample-report.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const [INDEX, ARM64] = [sampleDigest('index'), sampleDigest('arm64')]
const REFS = [INDEX, ARM64].map(digest => `r.example/team/app@${digest}`)
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'
const PROVENANCE = 'https://slsa.dev/provenance/v1'

const hung = (subject: typeof INDEX, predicateType: string, existed = false): SignedExisting['signatures'][number] => {
  return { ref: `r.example/team/app@${subject}`, form: 'bundle', subject, predicateType, by: 'keyless', existed }
}

const SIGNED: SignedExisting = {
  root: { mediaType: OCI_INDEX, digest: INDEX, size: 900 },
  refs: REFS,
  signatures: [hung(INDEX, SIGNATURE), hung(ARM64, SIGNATURE)],
  verifyCommands: ['cosign verify --key cosign.pub r.example/team/app'],
  attestations: [],
}

interface Given {
  readonly outcome?: () => Promise<SignedExisting>
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
}

/** Runs a command line on a use case that does as it is told. */
async function run(line: string, { outcome = () => Promise.resolve(SIGNED), env = {}, signal }: Given = {}) {
  const { io, out, err } = fakeIo()
  const seen: { words?: SignWords; values?: FieldValues } = {}
  let wrong: readonly InputProblem[] = []
  const exitCode = await runCli(line.split(' '), io, {
    env,
    signal: signal ?? new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    locate: () => ({ source: new MemoryStore(), name: '' }),
    publish: () => Promise.reject(new Error('not asked for')),
    sign: (words, values) => {
      if (wrong.length > 0) return Promise.reject(new InputError(wrong)) // as it does by its deps
      Object.assign(seen, { words, values })
      return outcome()
    },
    wire: ({ problems }) => {
      wrong = problems
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

test.each<[typed: string, env: NodeJS.ProcessEnv, values: FieldValues]>([
  ['--key cosign.key', { COSIGN_PASSWORD: 'x' }, { sign: ['key'], 'sign-key': 'cosign.key', 'sign-password': 'x' }],
  ['--key cosign.key', { COSIGN_PASSWORD: '' }, { sign: ['key'], 'sign-key': 'cosign.key', 'sign-password': '' }],
  ['--key env://SIGNING_KEY', {}, { sign: ['key'], 'sign-key': 'env://SIGNING_KEY' }],
  ['--key awskms:///alias/release', {}, { sign: ['awskms:///alias/release'] }],
  ['--keyless', {}, { sign: ['keyless'] }],
  ['--key cosign.key --keyless', {}, { sign: ['key', 'keyless'], 'sign-key': 'cosign.key' }],
  ['', { OCI_PUBLISH_SIGN_KEY: 'PEM' }, { sign: ['key'], 'sign-key': 'PEM' }],
  [
    '--keyless --signature-format both --sign-annotations a=b --sign-annotations c=d',
    {},
    { sign: ['keyless'], 'signature-format': 'both', 'sign-annotations': ['a=b', 'c=d'] },
  ],
])('"sign REF %s" signs with what was given', async (typed, env, values) => {
  const line = `sign r.example/team/app:v1 ${typed}`.trim()
  const seen = await run(line, { env })
  expect(seen.exitCode).toBe(0)
  expect(seen.values).toEqual({ registry: 'r.example', ...values })
  expect(seen.words).toEqual({ reference: 'r.example/team/app:v1', platforms: [], signature: true })
})

test('platforms may be a list, and given again', async () => {
  const { words } = await run('sign r.example/a --keyless --platforms index,linux/amd64 --platforms linux/arm64')
  expect(words?.platforms).toEqual(['index', 'linux/amd64', 'linux/arm64'])
})

test('"attest" attests, and does not sign', async () => {
  const { words, values } = await run('attest r.example/a --keyless --predicate-type vuln --predicate-path scan.json')
  expect(words?.signature).toBe(false)
  expect(values).toMatchObject({ sign: ['keyless'], 'predicate-type': ['vuln'], 'predicate-path': ['scan.json'] })
})

test('standard output has what is signed, a line each; standard error how, and how to verify it', async () => {
  const { out, err } = await run('sign r.example/team/app:v1 --keyless')
  expect(out).toBe(`${REFS.join('\n')}\n`)
  expect(err.replace(/in [\d.]+ ?\w+/, 'in no time')).toBe(
    `${INDEX}, in no time\n` +
      '  keyless: 2 manifests signed, 2 added\n' +
      '  cosign verify --key cosign.pub r.example/team/app\n',
  )
  expect((await run('sign r.example/team/app:v1 --keyless --quiet')).err).toBe('')
})

test.each<[signatures: SignedExisting['signatures'], said: string]>([
  [[hung(INDEX, SIGNATURE, true)], 'keyless: 1 manifest signed, all of it was there'],
  [
    [hung(INDEX, SIGNATURE, true), hung(INDEX, PROVENANCE), hung(ARM64, PROVENANCE)],
    `keyless: 1 manifest signed, ${PROVENANCE} attested, 2 added`,
  ],
])('what was there and what was added is told (%#)', async (signatures, said) => {
  const { err } = await run('sign r.example/a --keyless', { outcome: () => Promise.resolve({ ...SIGNED, signatures }) })
  expect(err).toContain(`\n  ${said}\n`)
})

test('--json has all of it for other programs', async () => {
  expect(JSON.parse((await run('sign r.example/a --keyless --json')).out)).toEqual(SIGNED)
})

test('problems are told in the words of this command', async () => {
  const inputs = ['reference', 'key', 'sign', 'sign-key', 'sign-password', 'predicate-path', 'platforms']
  const outcome = (): Promise<never> =>
    Promise.reject(new InputError(inputs.map(input => ({ input, problem: `wrong ${input}`, hint: 'mend it' }))))
  const { exitCode, err, out } = await run('sign r.example/a --keyless', { outcome })
  expect([exitCode, out]).toEqual([2, ''])
  const names = [...err.matchAll(/^ {2}(\S+): wrong/gm)].map(([, name]) => name)
  expect(names).toEqual(['REFERENCE', '--key', '--key', '--key', 'COSIGN_PASSWORD', '--predicate-path', '--platforms'])
})

test('what failed is told with what to do, and nothing on standard output', async () => {
  const error = new OciPublishError('LOG_FAILED', 'rekor.example: could not log the signature: 503', {
    hint: 'run it again',
  })
  expect(await run('sign r.example/a --keyless', { outcome: () => Promise.reject(error) })).toMatchObject({
    exitCode: 1,
    out: '',
    err: 'error: rekor.example: could not log the signature: 503\n  hint: run it again\n',
  })
})

test('when it is stopped, what stays is told', async () => {
  const reason = Object.assign(new Error('stopped by SIGINT'), { name: 'AbortError' })
  const outcome = (): Promise<never> => Promise.reject(reason)
  const { exitCode, err } = await run('sign r.example/a --keyless', { outcome, signal: AbortSignal.abort(reason) })
  expect(exitCode).toBe(130)
  expect(err).toContain('stopped by SIGINT: what was signed until then stays; the same command signs the rest')
})

test.each([
  ['sign', "missing required argument 'reference'"],
  ['sign r.example/a --sign-password x', 'secrets are not taken from the command line'],
  ['sign r.example/a --layers x', "unknown option '--layers'"],
])('"%s" is wrong before anything is done', async (line, said) => {
  const { exitCode, err, words } = await run(line)
  expect([exitCode, words]).toEqual([2, undefined])
  expect(err).toContain(said)
})

test('the whole way: what was published before is signed with a key and verifies', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const { report } = await workshop.publish(image(registry))
  const key = putKey(workshop)
  const reference = `${registry.host}/team/app:v1`
  const { io, out, err } = fakeIo()
  const exitCode = await runCli(['sign', reference, '--key', key.key], io, {
    env: { HOME: workshop.at('home'), RUNNER_TEMP: workshop.at('temp') },
    signal: new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    locate: () => ({ source: new MemoryStore(), name: '' }),
    publish: () => Promise.reject(new Error('not asked for')),
    sign: signExisting,
    wire,
  })
  expect([exitCode, err()]).toEqual([0, expect.stringContaining(`the key ${key.key}: 3 manifests signed`)])
  expect(out().split('\n')[0]).toBe(`${registry.host}/team/app@${report.digest}`)
  await expect(verifyWithUs(reference, `key=${key.pub}`)).resolves.toBeDefined()
})
