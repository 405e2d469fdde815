import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FieldValues } from '../../src/publish/fields.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { pushIndex } from '../support/base-images.ts'
import { openCosign, type CosignBench, type Trust } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs, wholeSeconds as now } from '../support/signing.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IDENTITY = `https://github.com/${WORKFLOW}`
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'
const REVIEW = 'https://example.com/review/v1'

/** Values that a provenance has no business to tell. */
const SECRETS = { password: 'swordfish-of-the-registry', 'github-token': 'ghs_swordfish' }

/** A job of GitHub Actions, as far as it says where it is. */
const JOB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/app',
  GITHUB_WORKFLOW_REF: WORKFLOW,
  GITHUB_RUN_ID: '4242',
  GITHUB_RUN_ATTEMPT: '1',
}

/** cosign 2 does not see by itself that a log of Rekor 2 says no time, and that the timestamp does. */
const TIMED = { 1: [], 2: ['--use-signed-timestamps'] } as const

/** With each kind of log a kind of registry: one for which clients keep lists of referrers, one that keeps its own. */
const CASES = [
  { rekor: 1, tsa: false, referrers: false },
  { rekor: 2, tsa: true, referrers: true },
] as const

interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string
    readonly externalParameters: { readonly inputs: Readonly<Record<string, unknown>> }
    readonly resolvedDependencies: readonly {
      readonly uri: string
      readonly digest: Readonly<Record<string, string>>
    }[]
  }
  readonly runDetails: { readonly builder: { readonly id: string } }
}

describe.each(CASES)('keyless with Rekor $rekor (timestamps: $tsa)', ({ rekor, tsa, referrers }) => {
  let registry: RunningRegistry
  let sigstore: LocalSigstore
  let cosign: CosignBench
  let workshop: Workshop
  let trust: Extract<Trust, { identity: string }>
  let values: FieldValues
  let base: string
  let image: string
  let report: PublishReport

  beforeAll(async () => {
    registry = await startRegistry({ referrers })
    sigstore = await startSigstore({ rekor, tsa, now })
    cosign = await openCosign()
    workshop = openWorkshop()
    workshop.put({ 'app/hello': 'x' })
    trust = { identity: IDENTITY, issuer: GITHUB_ISSUER, trustedRoot: sigstore.trustedRootFile }
    const review = join(cosign.path, 'review.json')
    await writeFile(review, JSON.stringify({ reviewers: ['ann', 'bob'] }))
    await pushIndex(`${registry.directHost}/base/os:1`)
    base = (await run('crane', ['digest', `${registry.directHost}/base/os:1`])).trim()
    image = `${registry.host}/team/app`
    values = {
      ...{ images: `${image}:v1`, platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' },
      ...{ 'base-image': `${registry.host}/base/os:1`, registry: registry.host, username: 'ci', ...SECRETS },
      ...{ sign: 'keyless', 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile },
      ...{ provenance: 'true', sbom: 'true', 'predicate-type': REVIEW, 'predicate-path': review },
    }
    report = (await workshop.publish(values, { env: { ...JOB, ...sigstore.oidcEnv } })).report
  })

  afterAll(async () => {
    workshop[Symbol.dispose]()
    await cosign[Symbol.asyncDispose]()
    await sigstore.close()
    await registry[Symbol.asyncDispose]()
  })

  test('a run costs one certificate, and one log entry a statement, whatever the number of platforms', () => {
    const asked = (service: string): number =>
      sigstore.requests.filter(one => one.service === service && one.method === 'POST').length
    const statements = ['signature', 'provenance', 'review', 'SBOM of amd64', 'SBOM of arm64']
    expect({ fulcio: asked('fulcio'), rekor: asked('rekor'), tsa: asked('tsa') }).toEqual({
      fulcio: 1,
      rekor: statements.length,
      tsa: tsa ? statements.length : 0,
    })
  })

  test.each(['cosign2', 'cosign3'] as const)('%s verifies index and platforms by who signed them', async program => {
    const more = program === 'cosign2' ? TIMED[rekor] : []
    for (const { digest } of [report, ...report.platforms]) {
      expect(await cosign.verify(program, `${image}@${digest}`, trust, ...more)).not.toEqual([])
    }
    expect(await cosign.verify(program, `${image}:v1`, trust, ...more)).not.toEqual([])
  })

  test.each([
    ['workflow', { identity: IDENTITY.replace('main', 'fork') }],
    ['issuer', { issuer: 'https://accounts.example.com' }],
  ])('cosign and we refuse another %s', async (_, other) => {
    const asked = { ...trust, ...other }
    await expect(cosign.verify('cosign3', `${image}:v1`, asked)).rejects.toThrow(/expected (SAN|issuer) value/)
    const line = `identity=${asked.identity},issuer=${asked.issuer},trusted-root=${asked.trustedRoot}`
    await expect(verifyWithUs(`${image}:v1`, line)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining(`signed by ${IDENTITY} (issuer ${GITHUB_ISSUER}), not by`) as unknown,
    })
  })

  test('the provenance tells who built it, how and of what, and no secret', async () => {
    const [statement] = await cosign.verifyAttestation('cosign3', `${image}:v1`, 'slsaprovenance1', trust)
    const digests = [report, ...report.platforms].map(({ digest }) => ({ sha256: digest.slice('sha256:'.length) }))
    expect(statement?.subject).toEqual(digests.map(digest => ({ name: image, digest })))
    const { buildDefinition, runDetails } = statement?.predicate as Provenance
    expect(runDetails.builder.id).toBe(IDENTITY)
    expect(buildDefinition.buildType).toMatch(/^https:\/\/.*build-types\.md#publish-v1$/)
    expect(buildDefinition.externalParameters.inputs).toMatchObject({ layers: ['app/:/app/'] })
    expect(buildDefinition.resolvedDependencies).toMatchObject([
      { uri: 'git+https://github.com/acme/app@refs/heads/main', digest: { gitCommit: expect.any(String) as string } },
      { digest: { sha256: base.slice('sha256:'.length) } },
    ])
    const all = JSON.stringify(statement)
    for (const secret of [...Object.values(SECRETS), 'swordfish']) expect(all).not.toContain(secret)
  })

  test('SBOMs are found on the index and each on its own platform', async () => {
    const componentsOf = (stated: readonly { readonly predicate: unknown }[]): readonly string[] =>
      stated.map(
        ({ predicate }) => (predicate as { metadata: { component: { version: string } } }).metadata.component.version,
      )
    const onIndex = await cosign.verifyAttestation('cosign3', `${image}:v1`, 'cyclonedx', trust)
    expect(onIndex).toHaveLength(2)
    for (const { digest } of report.platforms) {
      const stated = await cosign.verifyAttestation('cosign3', `${image}@${digest}`, 'cyclonedx', trust)
      expect(stated.map(({ subject }) => subject[0]?.digest)).toEqual([{ sha256: digest.slice('sha256:'.length) }])
      expect(componentsOf(onIndex)).toEqual(expect.arrayContaining([...componentsOf(stated)]))
    }
  })

  test('a predicate of the user is found by its type, and nothing by a type that nobody stated', async () => {
    for (const { digest } of [report, ...report.platforms]) {
      const stated = await cosign.verifyAttestation('cosign3', `${image}@${digest}`, REVIEW, trust)
      expect(stated.map(({ predicate }) => predicate)).toEqual([{ reviewers: ['ann', 'bob'] }])
    }
    const asked = cosign.verifyAttestation('cosign3', `${image}:v1`, 'vuln', trust)
    await expect(asked).rejects.toThrow('none of the attestations matched')
  })

  test.each(['slsaprovenance1', 'cyclonedx', REVIEW])('cosign 2 finds %s too', async type => {
    const stated = await cosign.verifyAttestation('cosign2', `${image}:v1`, type, trust, ...TIMED[rekor])
    expect(stated[0]?.subject).toContainEqual({ name: image, digest: { sha256: report.digest.slice(7) } })
  })

  test('the commands that are printed verify all of it as they are', async () => {
    const commands = report.signed?.verifyCommands ?? []
    expect(commands).toHaveLength(4)
    for (const command of commands) await cosign.paste(command)
  })

  test('cosign tree and oras discover list what is attached', async () => {
    const tree = await cosign.run('cosign3', ['tree', `${image}:v1`])
    const printed = await run('oras', ['discover', '--plain-http', '--format', 'json', `${image}:v1`])
    for (const type of [SIGNATURE, 'https://slsa.dev/provenance/v1', 'https://cyclonedx.org/bom', REVIEW]) {
      expect(tree).toContain(type)
      expect(printed).toContain(`"dev.sigstore.bundle.predicateType": "${type}"`)
    }
  })

  test('signed by another run of the same workflow it gets no second signature', async () => {
    const signing = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile }
    const mark = sigstore.requests.length
    const again = await signWithUs(`${image}:v1`, signing, { env: { ...JOB, ...sigstore.oidcEnv } })
    expect(again.signatures.map(({ existed }) => existed)).toEqual([true, true, true])
    const asked = sigstore.requests.slice(mark).map(({ service }) => service)
    expect(asked).not.toContain('rekor')
  })

  test('published by another run it gets neither a second provenance nor second SBOMs', async () => {
    const mark = sigstore.requests.length
    const { report } = await workshop.publish(values, { env: { ...JOB, GITHUB_RUN_ID: '4243', ...sigstore.oidcEnv } })
    expect(report.signed?.signatures.filter(({ existed }) => !existed)).toEqual([])
    const asked = sigstore.requests.slice(mark).map(({ service }) => service)
    expect(asked).not.toContain('rekor')
  })
})

test('what real cosign 3 signed without a key is verified by us, and the same identity adds nothing', async () => {
  await using registry = await startRegistry()
  await using sigstore = await startSigstore({ now })
  await using cosign = await openCosign()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  const image = `${registry.host}/team/app`
  const { report } = await workshop.publish({ images: `${image}:v1`, layers: 'app/:/app/' })
  const services = ['--signing-config', sigstore.signingConfigFile, '--trusted-root', sigstore.trustedRootFile]
  const token = ['--identity-token', sigstore.token()]
  await cosign.run('cosign3', ['sign', ...services, ...token, '-y', `${image}@${report.digest}`])
  await writeFile(join(cosign.path, 'scan.json'), '{"scanner":{"uri":"x"}}')
  const predicate = ['--predicate', 'scan.json', '--type', 'vuln']
  await cosign.run('cosign3', ['attest', ...services, ...token, ...predicate, '-y', `${image}@${report.digest}`])

  const policy = `identity=${IDENTITY},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`
  const { verified } = await verifyWithUs(`${image}:v1`, policy)
  expect(verified).toMatchObject([{ signatures: [{ form: 'bundle', by: { identity: { san: IDENTITY } } }] }])
  const attested = await verifyWithUs(`${image}:v1`, `${policy},predicate-type=vuln`)
  expect(attested.verified[0]?.signatures).toMatchObject([{ statement: { predicate: { scanner: { uri: 'x' } } } }])
  await expect(verifyWithUs(`${image}:v1`, policy.replace('main', 'fork'))).rejects.toMatchObject({
    code: 'VERIFICATION_FAILED',
  })

  const values = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile }
  const again = await signWithUs(`${image}:v1`, values, { env: { ...JOB, ...sigstore.oidcEnv } })
  expect(again.signatures.map(({ existed }) => existed)).toEqual([true])
})
