import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { InputError, messageOf } from '../../src/errors.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { json, type Fault, type ServiceName } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { chainOf } from '../sign/notation/chains.ts'
import { writes } from './project.ts'
import {
  added,
  byKey,
  image,
  keyless,
  PROVENANCE,
  putApp,
  putKey,
  referrersOf,
  refusal,
  SIGNATURE,
} from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** The input's problems, a line each, with what to do. */
async function problemsOf(promise: Promise<unknown>): Promise<readonly string[]> {
  const error = await refusal(promise)
  if (!(error instanceof InputError)) throw error
  return error.problems.map(
    ({ input, problem, hint }) => `${input}: ${problem}${hint === undefined ? '' : ` -> ${hint}`}`,
  )
}

/** It is told on one line, and pastes as it is. */
const YAML = 'permissions: { id-token: write, contents: read }'

describe('a request to sign that cannot be carried out is refused before anything is sent', () => {
  const asked: readonly (readonly [what: string, env: NodeJS.ProcessEnv])[] = [
    ['a job without id-token: write', { GITHUB_ACTIONS: 'true' }],
    ['a pull request from a fork', { GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: 'pull_request' }],
    ['a machine of somebody', {}],
  ]
  test.each(asked)('%s, which is told the line to add', async (_what, env) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const [problem, ...more] = await problemsOf(workshop.publish({ ...image(registry), sign: 'keyless' }, { env }))
    expect(more).toEqual([])
    expect(problem).toMatch(
      /^sign: keyless signing needs an identity token: SIGSTORE_ID_TOKEN is not set, and no ID token/,
    )
    expect(problem).toContain(YAML)
    expect(problem).toContain('Pull requests from forks get no token, whatever the workflow says')
    expect(registry.requests).toEqual([])
  })

  test('GitHub that gives no token, whose words are told', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const env = { ...sigstore.oidcEnv, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of another job' }
    const [problem] = await problemsOf(workshop.publish({ ...image(registry), ...keyless(sigstore) }, { env }))
    expect(problem).toMatch(/no ID token of GitHub: 127\.0\.0\.1:\d+ answered 401 -> give the job /)
    expect(problem).not.toContain('of another job')
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, token: (sigstore: LocalSigstore) => string, says: RegExp]>([
    ['no JWT', () => 'not-a-token', /^sign: SIGSTORE_ID_TOKEN: is not a JWT/],
    [
      'for somebody else',
      sigstore => sigstore.token({ aud: 'vault' }),
      /^sign: SIGSTORE_ID_TOKEN: is for "vault", and/,
    ],
    ['expired', sigstore => sigstore.token({ exp: 1 }), /^sign: SIGSTORE_ID_TOKEN: has expired at 1970-/],
  ])('a token that is %s, and it is not repeated', async (_what, tokenOf, says) => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const token = tokenOf(sigstore)
    const env = { SIGSTORE_ID_TOKEN: token }
    const { problems, events } = await told(workshop, { ...image(registry), ...keyless(sigstore) }, env)
    expect(problems).toEqual([expect.stringMatching(says)])
    expect(JSON.stringify([problems, events])).not.toContain(token)
    expect([...registry.requests, ...sigstore.requests]).toEqual([])
  })

  async function told(workshop: Workshop, values: FieldValues, env: NodeJS.ProcessEnv = {}) {
    const events: unknown[] = []
    const problems = await problemsOf(workshop.publish(values, { env, onEvent: event => events.push(event) }))
    return { problems, events }
  }

  test('the wrong password of a key, and neither it nor the key is repeated', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const pair = await generateCosignKeyPair({ passphrase: 'right' })
    const values = { ...image(registry), sign: 'key', 'sign-key': pair.privateKey, 'sign-password': 'mistyped-hunter2' }
    const { problems, events } = await told(workshop, values)
    expect(problems).toEqual([expect.stringMatching(/^sign-key: .*pass/)])
    expect(JSON.stringify([problems, events])).not.toContain('mistyped-hunter2')
    expect(JSON.stringify([problems, events])).not.toContain(pair.privateKey.split('\n')[1])
    expect(registry.requests).toEqual([])
  })

  const pemOf = (key: { export(options: object): string | Buffer }, type: 'pkcs8' | 'spki'): string =>
    key.export({ type, format: 'pem' }).toString()
  const { privateKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const x25519 = generateKeyPairSync('x25519').privateKey
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey

  test.each<[what: string, key: string, says: RegExp]>([
    ['one that agrees on secrets and cannot sign', pemOf(x25519, 'pkcs8'), /^sign-key: is an X25519 key, which agrees/],
    ['one that is too short', pemOf(short, 'pkcs8'), /^sign-key: is an RSA key of 1024 bits, which is too short/],
    ['the public half', pemOf(createPublicKey(own), 'spki'), /^sign-key: .*public/],
    ['no key', 'nothing-of-the-kind', /^sign-key: is neither a key nor a file that can be read \(ENOENT\)/],
    [
      'a variable that is not set',
      'env://COSIGN_PRIVATE_KEY',
      /^sign-key: the environment variable COSIGN_PRIVATE_KEY is/,
    ],
    ['a service that is not known', 'gcpkms://projects/x', /^sign-key: begins with "gcpkms:\/\/", and no key is read/],
  ])('a key that is %s', async (_what, key, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), sign: 'key', 'sign-key': key }
    expect(await problemsOf(workshop.publish(values))).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, more: FieldValues, says: RegExp]>([
    ['a predicate that is not there', { 'predicate-path': 'none.json' }, /^predicate-path: .*none\.json/],
    ['a predicate that is not JSON', { 'predicate-path': 'text.json' }, /^predicate-path: .*text\.json/],
    ['a predicate that is a list', { 'predicate-path': 'list.json' }, /^predicate-path: .*list\.json/],
    [
      'a type that is none',
      { 'predicate-type': 'vulnerable', 'predicate-path': 'fine.json' },
      /^predicate-type: "vulnerable"/,
    ],
    [
      'a type that signatures have',
      { 'predicate-type': SIGNATURE, 'predicate-path': 'fine.json' },
      /^predicate-type: /,
    ],
  ])('%s', async (_what, more, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    for (const [name, text] of [
      ['text.json', 'no JSON'],
      ['list.json', '[]'],
      ['fine.json', '{}'],
    ] as const)
      writeFileSync(workshop.at(name), text)
    const path = workshop.at(String(more['predicate-path']))
    const values = { ...image(registry), ...byKey(putKey(workshop)), 'predicate-type': 'vuln', ...more }
    const problems = await problemsOf(workshop.publish({ ...values, 'predicate-path': path }))
    expect(problems).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, more: FieldValues, says: RegExp]>([
    ['a signing config that is not there', { 'signing-config': 'none.json' }, /^signing-config: .*none\.json/],
    ['a signing config that is none', { 'signing-config': '/dev/null' }, /^signing-config: /],
    ['Rekor 2 without an address', { 'rekor-version': '2' }, /^rekor-url: is missing, and "rekor-version" is 2/],
    [
      'an entry of Rekor 2 for the older form',
      { 'rekor-version': '2', 'rekor-url': 'http://127.0.0.1:1', 'signature-format': 'both' },
      /^rekor-version: signatures of the older form cannot hold the entries of Rekor 2/,
    ],
  ])('%s', async (_what, more, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)), ...more }
    expect(await problemsOf(workshop.publish(values))).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test("GitHub's store of attestations outside of GitHub, and without a token", async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const more = { 'github-attestation': 'true', provenance: 'true' }
    const values = { ...image(registry), ...keyless(sigstore, more) }
    const env = sigstore.oidcEnv
    expect(await problemsOf(workshop.publish(values, { env }))).toEqual([
      'github-attestation: is for jobs of GitHub Actions: GITHUB_REPOSITORY is not set',
    ])
    expect(await problemsOf(workshop.publish(values, { env: { ...env, GITHUB_REPOSITORY: 'acme/app' } }))).toEqual([
      'github-attestation: needs github-token -> set "github-token: ${{ github.token }}"',
    ])
    expect(registry.requests).toEqual([])
  })

  test('several things, of the image, of keys, of predicates and of attached files, all told at once', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const { chain } = chainOf()
    const values = {
      ...image(registry, { platforms: 'linux/z80', envs: 'A' }),
      sign: 'key, keyless',
      'sign-key': workshop.at('none.key'),
      'predicate-type': 'vuln',
      'predicate-path': workshop.at('none.json'),
      'notation-key': putKey(workshop).key,
      'notation-chain': chain.map(String).join('\n'),
      attach: `${workshop.at('none.txt')}:text/plain,type=application/vnd.example`,
    }
    const problems = await problemsOf(workshop.publish(values))
    const inputs = new Set(problems.map(problem => problem.split(':')[0]))
    expect(inputs).toEqual(
      new Set(['platforms', 'envs', 'sign-key', 'sign', 'predicate-path', 'notation-chain', 'attach']),
    )
    expect(registry.requests).toEqual([])
  })
})

describe('a service of sigstore that fails', () => {
  interface Run extends AsyncDisposable {
    readonly registry: SpecRegistry
    readonly sigstore: LocalSigstore
    readonly workshop: Workshop
    readonly values: FieldValues
    readonly publish: () => ReturnType<Workshop['publish']>
    /** How often a service was asked. */
    readonly asked: (service: ServiceName) => number
  }

  async function start({ rekor = 2, more = {} }: { rekor?: 1 | 2; more?: FieldValues } = {}): Promise<Run> {
    await using stack = new AsyncDisposableStack()
    const registry = stack.use(await startSpecRegistry())
    const sigstore = stack.use(await startSigstore({ rekor }))
    const workshop = stack.use(openWorkshop())
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore, more) }
    const moved = stack.move()
    return {
      ...{ registry, sigstore, workshop, values },
      publish: () => workshop.publish(values, { env: sigstore.oidcEnv, impatient: true }),
      asked: service => sigstore.requests.filter(one => one.service === service).length,
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    }
  }

  /** No tag has moved, nothing says that it is signed, and the next run does what is missing. */
  async function expectNothingAndThenAll({ registry, publish }: Run): Promise<void> {
    expect([...registry.tags('team/app').keys()]).toEqual([])
    const digests = registry.landed.filter(({ what }) => what === 'manifest').map(({ name }) => name)
    for (const digest of digests) expect(await referrersOf(registry, digest)).toEqual([])
    const { report } = await publish()
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
    expect(added(report.signed)).toHaveLength(3)
    expect(await referrersOf(registry, report.digest)).toHaveLength(1)
  }

  const unavailable = json(503, { code: 14, message: 'upstream is overloaded' })
  const lost = { '503': unavailable, '429': json(429, { message: 'slow down' }), drop: 'drop' } as const

  test.each(
    (['fulcio', 'rekor', 'tsa'] as const).flatMap(service =>
      (['503', '429', 'drop'] as const).map(fault => [service, fault] as const),
    ),
  )('%s once, by %s: it is asked again, and the image is signed', async (service, fault) => {
    await using run = await start()
    run.sigstore.fail(service, lost[fault])
    const { report, events } = await run.publish()
    expect(added(report.signed)).toHaveLength(3)
    expect(run.asked(service)).toBe(2)
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(1)
    expect(run.registry.tags('team/app').get('v1')).toBe(report.digest)
  })

  test('Rekor that does not answer in time is asked again, and the image is signed', async () => {
    await using run = await start()
    const { workshop, values, sigstore } = run
    sigstore.fail('rekor', 'hang')
    const { report, events } = await workshop.publish(values, {
      env: sigstore.oidcEnv,
      impatient: true,
      answerMs: 1_000,
    })
    expect(added(report.signed)).toHaveLength(3)
    expect(events).toContainEqual(expect.objectContaining({ type: 'retry', operation: 'log the signature' }))
  }, 30_000)

  const down = Array<Fault>(6).fill(unavailable)
  test.each<[service: ServiceName, rekor: 1 | 2, code: string, says: RegExp]>([
    [
      'fulcio',
      2,
      'CERTIFICATE_FAILED',
      /^127\.0\.0\.1:\d+: could not get a certificate: 503 upstream is overloaded \(POST http:\S+\/api\/v2\/signingCert, 6 attempts\)$/,
    ],
    [
      'rekor',
      1,
      'LOG_FAILED',
      /^127\.0\.0\.1:\d+: could not log the signature: 503 upstream is overloaded \(POST http:\S+\/api\/v1\/log\/entries, 6 attempts\)$/,
    ],
    [
      'rekor',
      2,
      'LOG_FAILED',
      /^127\.0\.0\.1:\d+: could not log the signature: 503 upstream is overloaded \(POST http:\S+\/api\/v2\/log\/entries, 6 attempts\)$/,
    ],
    [
      'tsa',
      2,
      'TIMESTAMP_FAILED',
      /^127\.0\.0\.1:\d+: could not get a timestamp: 503 upstream is overloaded \(POST http:\S+, 6 attempts\)$/,
    ],
  ])(
    '%s (%i) for good: one error, no tag, no signature, and the next run completes',
    async (service, rekor, code, says) => {
      await using run = await start({ rekor })
      run.sigstore.fail(service, ...down)
      const error = await refusal(run.publish())
      expect(error).toMatchObject({ code, hint: 'run it again later: what is published already is not sent again' })
      expect(messageOf(error)).toMatch(says)
      expect(run.asked(service)).toBe(6)
      await expectNothingAndThenAll(run)
    },
  )

  test.each<[service: ServiceName, what: string, fault: Fault, code: string, says: RegExp, hint: RegExp]>([
    [
      'fulcio',
      'refuses the token',
      json(401, { code: 16, message: 'no such issuer' }),
      'CERTIFICATE_FAILED',
      /401 no such issuer/,
      /this Fulcio has to know that issuer/,
    ],
    [
      'fulcio',
      'refuses the request',
      json(400, { code: 3, message: 'bad request' }),
      'CERTIFICATE_FAILED',
      /400 bad request/,
      /this Fulcio/,
    ],
    [
      'fulcio',
      'is another server',
      json(404, { message: 'Not Found' }),
      'CERTIFICATE_FAILED',
      /404 Not Found/,
      /is "fulcio-url" right\?/,
    ],
    [
      'fulcio',
      'answers with a page',
      { status: 200, body: '<html>' },
      'CERTIFICATE_FAILED',
      /the answer cannot be read/,
      /a Fulcio\?/,
    ],
    [
      'rekor',
      'refuses the entry',
      json(400, { code: 3, message: 'invalid type' }),
      'LOG_FAILED',
      /400 invalid type/,
      /^/,
    ],
    [
      'rekor',
      'answers with a page',
      { status: 200, body: '<html>' },
      'LOG_FAILED',
      /cannot be read/,
      /"rekor-version"/,
    ],
    ['tsa', 'answers nonsense', { status: 200, body: 'no' }, 'TIMESTAMP_FAILED', /cannot be read/, /"tsa-url"/],
  ])('%s %s: it is asked once, and nothing is tagged', async (service, _what, fault, code, says, hint) => {
    await using run = await start()
    run.sigstore.fail(service, fault)
    const error = await refusal(run.publish())
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) as string })
    expect(error.hint ?? '').toMatch(hint)
    expect(run.asked(service)).toBe(1)
    await expectNothingAndThenAll(run)
  })

  test('Rekor that is gone is told by its address', async () => {
    await using run = await start()
    await run.sigstore.stop('rekor')
    const error = await refusal(run.publish())
    expect(error).toMatchObject({ code: 'LOG_FAILED' })
    expect(messageOf(error)).toContain(new URL(run.sigstore.rekorUrl).host)
    expect([...run.registry.tags('team/app').keys()]).toEqual([])
  })

  test('Rekor that fails in the middle leaves what was signed, and the next run adds only what is missing', async () => {
    await using run = await start({ more: { provenance: 'true' } })
    const { sigstore, registry, workshop, values } = run
    const onEvent = (event: PublishEvent): void => {
      // The first bundle is sent, the second is still to be made.
      if (event.type === 'blob-done' && event.blob.mediaType === BUNDLE) {
        sigstore.fail('rekor', json(400, { code: 3, message: 'no' }))
      }
    }
    const failed = workshop.publish(values, { env: sigstore.oidcEnv, onEvent })
    expect(await refusal(failed)).toMatchObject({ code: 'LOG_FAILED' })
    expect([...registry.tags('team/app').keys()]).toEqual([])
    const { report } = await run.publish()
    expect(new Set(report.signed?.signatures.map(one => one.predicateType))).toEqual(new Set([SIGNATURE, PROVENANCE]))
    expect(await referrersOf(registry, report.digest)).toHaveLength(2)
    expect(new Set(added(report.signed).map(one => one.predicateType))).toEqual(new Set([PROVENANCE]))
    expect(run.asked('rekor')).toBe(3)
  })

  test('a certificate that has expired before it signs is told with the clock that may be wrong, and nothing is tagged', async () => {
    const hourAgo = (): Date => new Date(Date.now() - 3_600_000)
    await using registry = await startSpecRegistry()
    const exp = Math.floor(Date.now() / 1000) + 300
    await using sigstore = await startSigstore({ now: hourAgo, claims: { exp } })
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore) }
    const error = await refusal(workshop.publish(values, { env: sigstore.oidcEnv }))
    expect(error).toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
      hint: expect.stringContaining('the clock of this machine') as string,
    })
    expect(messageOf(error)).toMatch(
      /^the certificate for URI:https:\/\/github\.com\/acme\/app\/\S+ has expired at \S+, before it signed$/,
    )
    expect([...registry.tags('team/app').keys()]).toEqual([])
  })

  test("GitHub's store without attestations: write tells the line to add; no tag moves, and the next run stores what is there", async () => {
    await using run = await start({ more: { provenance: 'true', 'github-attestation': 'true' } })
    const { sigstore, workshop, registry } = run
    const { apiUrl, token, bundles } = sigstore.github
    const env = { ...sigstore.oidcEnv, GITHUB_REPOSITORY: 'acme/app', GITHUB_API_URL: apiUrl }
    const publish = () => workshop.publish({ ...run.values, 'github-token': token }, { env, impatient: true })
    sigstore.fail('github', json(403, { message: 'Resource not accessible by integration' }))
    const error = await refusal(publish())
    expect(error).toMatchObject({
      code: 'ATTESTATION_FAILED',
      hint: expect.stringContaining('"permissions: { attestations: write, id-token: write,') as string,
    })
    expect(messageOf(error)).toContain('403 Resource not accessible by integration')
    expect([...registry.tags('team/app').keys()]).toEqual([])
    const { report } = await publish()
    expect(report.signed?.attestations).toEqual([{ id: '1001', url: 'https://github.com/acme/app/attestations/1001' }])
    expect(bundles).toHaveLength(1)
    expect(run.asked('rekor')).toBe(2)
  })
})

test('a subject with as many referrers as the registry takes: no tag moves, and what to do is told', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const values = { ...image(registry, { platforms: 'linux/amd64' }), ...byKey(putKey(workshop)) }
  // In the words of Amazon's registry. The image's manifest is the first that is pushed.
  const message = 'The maximum number of referrers of the subject has been exceeded'
  const body = JSON.stringify({ errors: [{ code: 'LimitExceededException', message }] })
  registry.fail({ method: 'PUT', path: '/manifests/', nth: 2 }, { status: 400, body })
  const error = await refusal(workshop.publish(values))
  expect(messageOf(error)).toContain(message)
  expect(error.hint).toMatch(/^the image has as many referrers as this registry takes: delete old signatures/)
  expect([...registry.tags('team/app').keys()]).toEqual([])
  expect(writes(registry).filter(one => one.endsWith('/manifests/v1'))).toEqual([])
})
