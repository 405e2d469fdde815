import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { messageOf } from '../../src/errors.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { json, type Fault, type ServiceName } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
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
