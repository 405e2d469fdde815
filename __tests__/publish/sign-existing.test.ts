import { writeFileSync } from 'node:fs'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { InputError, messageOf } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { verifyWithUs } from '../support/signing.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { writes } from './project.ts'
import { added, byKey, image, keyless, putApp, putKey, referrersOf, refusal } from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1'

/** `team/app:v1`, an index of two platforms, published and not signed. */
async function published(workshop: Workshop, registry: SpecRegistry) {
  putApp(workshop)
  const { report } = await workshop.publish(image(registry))
  const [amd64 = '', arm64 = ''] = report.platforms.map(({ digest }) => digest)
  return { reference: `${registry.host}/team/app:v1`, index: report.digest, amd64, arm64 }
}

test('what a tag stands for is signed with all its platforms, and a second time nothing is added', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const { reference, index, amd64, arm64 } = await published(workshop, registry)
  const key = putKey(workshop)
  const { report, events } = await workshop.sign({ reference }, byKey(key))
  expect(report.root.digest).toBe(index)
  expect(
    added(report)
      .map(({ subject }) => subject)
      .toSorted(),
  ).toEqual([index, amd64, arm64].toSorted())
  expect(report.verifyCommands).toEqual([
    `cosign verify --key ${key.pub} --insecure-ignore-tlog ${registry.host}/team/app@${index}`,
  ])
  expect(events.filter(({ type }) => type === 'notice')).toEqual([])
  await expect(verifyWithUs(reference, `key=${key.pub}`)).resolves.toBeDefined()

  const mark = registry.requests.length
  const again = await workshop.sign({ reference }, byKey(key))
  expect(added(again.report)).toEqual([])
  expect(writes(registry, mark)).toEqual([])
})

test('what was signed while it was published is known when it is signed afterwards', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const key = putKey(workshop)
  await workshop.publish({ ...image(registry), ...byKey(key) })
  const mark = registry.requests.length
  expect(added((await workshop.sign({ reference: `${registry.host}/team/app:v1` }, byKey(key))).report)).toEqual([])
  expect(writes(registry, mark)).toEqual([])
})

test.each<[platforms: readonly string[], signed: readonly ('index' | 'amd64' | 'arm64')[]]>([
  [['index'], ['index']],
  [['all'], ['amd64', 'arm64']],
  [['linux/arm64'], ['arm64']],
  [
    ['index', 'linux/amd64'],
    ['amd64', 'index'],
  ],
])('of an index only what is chosen is signed: %j', async (platforms, signed) => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const all = await published(workshop, registry)
  const { report } = await workshop.sign({ reference: all.reference, platforms }, byKey(putKey(workshop)))
  expect(report.signatures.map(({ subject }) => subject).toSorted()).toEqual(signed.map(one => all[one]).toSorted())
  for (const digest of [all.index, all.amd64, all.arm64]) {
    expect(await referrersOf(registry, digest)).toHaveLength(
      report.signatures.some(one => one.subject === digest) ? 1 : 0,
    )
  }
})

test('an image in a layout is signed where it is', async () => {
  using workshop = openWorkshop()
  putApp(workshop)
  const key = putKey(workshop)
  const path = workshop.at('out')
  await workshop.publish({
    ...{ layers: 'app/:/app/', platforms: 'linux/amd64', tags: 'v1', push: 'false', outputs: `type=oci,dest=${path}` },
  })
  const { report } = await workshop.sign({ reference: `oci:${path}:v1` }, byKey(key))
  expect(added(report)).toHaveLength(1)
  await expect(verifyWithUs(`oci:${path}:v1`, `key=${key.pub}`)).resolves.toBeDefined()
})

test('only attested, by an identity, it has no signature, and no command that asks for one', async () => {
  await using registry = await startSpecRegistry()
  await using sigstore = await startSigstore()
  using workshop = openWorkshop()
  const { reference, index } = await published(workshop, registry)
  writeFileSync(workshop.at('scan.json'), '{"scanner": {}}')
  const predicate = { 'predicate-type': 'vuln', 'predicate-path': workshop.at('scan.json') }
  const { report } = await workshop.sign({ reference, signature: false }, keyless(sigstore, predicate), {
    env: sigstore.oidcEnv,
  })
  expect(new Set(report.signatures.map(one => one.predicateType))).toEqual(new Set([VULN]))
  expect(report.verifyCommands).toEqual([expect.stringMatching(/^cosign verify-attestation --type vuln /)])
  expect(await referrersOf(registry, index)).toHaveLength(1)
})

test.each([
  ['moves', (to: string) => `now means ${to}, which is not signed by this`],
  ['is deleted', () => 'is gone'],
])('a tag that %s while it is signed: the user is told what is signed and what is not', async (what, means) => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const { reference, index } = await published(workshop, registry)
  workshop.put({ 'app/hello': 'other' })
  const other = await workshop.publish(image(registry, { images: `${registry.host}/team/app:next` }))
  const moved = other.report.digest
  const bytes = registry.manifest('team/app', moved)
  let isMoved = false
  const { report, events } = await workshop.sign({ reference }, byKey(putKey(workshop)), {
    onEvent: ({ type }) => {
      if (isMoved || type !== 'step') return
      isMoved = true
      registry.fail(
        { method: 'HEAD', path: '/team/app/manifests/v1' },
        what === 'moves'
          ? {
              status: 200,
              headers: {
                'docker-content-digest': moved,
                'content-type': bytes?.mediaType ?? '',
                'content-length': `${bytes?.bytes.byteLength ?? 0}`,
              },
            }
          : { status: 404 },
      )
    },
  })
  expect(report.root.digest).toBe(index)
  expect(events.filter(({ type }) => type === 'notice')).toEqual([
    {
      type: 'notice',
      text: `${reference} has moved meanwhile: signed is ${index}; the tag ${means(moved)}`,
    },
  ])
})

describe('what cannot be signed is refused', () => {
  async function problemsOf(promise: Promise<unknown>): Promise<readonly string[]> {
    const error = await refusal(promise)
    if (!(error instanceof InputError)) throw error
    return error.problems.map(({ input, problem, hint }) =>
      [`${input}: ${problem}`, ...(hint ? [hint] : [])].join(' -> '),
    )
  }

  test('what is not there', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    const reference = `${registry.host}/team/none:v1`
    const error = await refusal(workshop.sign({ reference }, byKey(putKey(workshop))))
    expect(error).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringMatching(/^publish it first/) as string })
    expect(messageOf(error)).toBe(`${reference} is not there, so it cannot be signed`)
  })

  test('a platform that is not there, with those that are', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    const { reference } = await published(workshop, registry)
    const mark = registry.requests.length
    const words = { reference, platforms: ['linux/s390x'] }
    expect(await problemsOf(workshop.sign(words, byKey(putKey(workshop))))).toEqual([
      expect.stringMatching(/^platforms: .*linux\/s390x.*linux\/amd64.*linux\/arm64/),
    ])
    expect(writes(registry, mark)).toEqual([])
  })

  test.each<
    [
      what: string,
      words: { reference: string; platforms?: string[]; signature?: boolean },
      values: FieldValues,
      says: readonly RegExp[],
    ]
  >([
    [
      'an archive, to which nothing can be added',
      { reference: 'oci-archive:out.tar' },
      { sign: 'keyless' },
      [/^reference: nothing can be added to the archive out\.tar -> copy it to a layout in a directory \(oci:DIR\)/],
    ],
    ['without a signer', { reference: 'r.example/a' }, {}, [/^key: is missing -> give --key, or say --keyless$/]],
    [
      'to attest nothing',
      { reference: 'r.example/a', signature: false },
      { sign: 'keyless' },
      [/^predicate-type: is missing: say what is attested/],
    ],
    [
      'several things at once',
      { reference: 'r.example/A B', platforms: ['linux/z80'] },
      { sign: 'cosing' },
      [/^sign: "cosing"/, /^reference: /, /^platforms: unknown platform "linux\/z80"/],
    ],
  ])('%s', async (_what, words, values, says) => {
    using workshop = openWorkshop()
    const problems = await problemsOf(workshop.sign(words, values))
    expect(problems).toEqual(says.map(one => expect.stringMatching(one) as string))
  })
})
