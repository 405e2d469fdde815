import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { chainOf } from '../sign/notation/chains.ts'
import { WORKFLOW, GITHUB_ISSUER } from '../support/sigstore/tokens.ts'
import { verifyWithUs } from '../support/signing.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { writes } from './project.ts'
import { added, byKey, image, keyless, PROVENANCE, putApp, putKey, referrersOf } from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

describe('what is signed equally is left as it is', () => {
  type Way = (workshop: Workshop) => FieldValues
  const ways: readonly (readonly [what: string, way: Way, signatures: number])[] = [
    ['a key', workshop => byKey(putKey(workshop)), 3],
    ['a key and annotations', workshop => byKey(putKey(workshop), { 'sign-annotations': 'build=1' }), 3],
    ['a key, in the older form', workshop => byKey(putKey(workshop), { 'signature-format': 'legacy' }), 3],
    ['a key, in both forms', workshop => byKey(putKey(workshop), { 'signature-format': 'both' }), 6],
    ['two keys of two kinds', workshop => ({ ...byKey(putKey(workshop)), ...notation(workshop) }), 6],
    ['a key of Notation', workshop => notation(workshop), 3],
    ['provenance and SBOMs', workshop => byKey(putKey(workshop), { provenance: 'true', sbom: 'true' }), 10],
  ]

  function notation(workshop: Workshop): FieldValues {
    const { key, chain } = chainOf()
    writeFileSync(workshop.at('notation.key'), key.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(workshop.at('chain.pem'), chain.map(String).join(''))
    return { 'notation-key': workshop.at('notation.key'), 'notation-chain': workshop.at('chain.pem') }
  }

  test.each(ways)('by %s: a second run sends nothing', async (_what, way, signatures) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...way(workshop) }
    const first = await workshop.publish(values)
    expect(first.report.signed?.signatures).toHaveLength(signatures)
    expect(added(first.report.signed)).toHaveLength(signatures)
    const mark = registry.requests.length
    const again = await workshop.publish(values)
    expect(again.report.signed?.signatures).toHaveLength(signatures)
    expect(added(again.report.signed)).toEqual([])
    expect(again.report.signed?.verifyCommands).toEqual(first.report.signed?.verifyCommands)
    expect(writes(registry, mark)).toEqual([])
  })

  test.each([
    ['bundle', 1],
    ['bundle', 2],
    ['both', 1],
    ['legacy', 1],
  ] as const)('by an identity, as %s, with Rekor %i: nothing is sent and nothing logged', async (format, rekor) => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore({ rekor })
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore, { 'signature-format': format }) }
    const env = sigstore.oidcEnv
    const first = await workshop.publish(values, { env })
    const [mark, entries] = [registry.requests.length, logged()]
    expect(entries).toBe({ bundle: 1, legacy: 3, both: 4 }[format])
    const again = await workshop.publish(values, { env })
    expect(added(again.report.signed)).toEqual([])
    expect(writes(registry, mark)).toEqual([])
    expect(logged()).toBe(entries)
    expect(again.report.signed?.verifyCommands).toEqual(first.report.signed?.verifyCommands)
    expect(first.report.signed?.verifyCommands).toEqual([
      `cosign verify --certificate-identity https://github.com/${WORKFLOW} --certificate-oidc-issuer ${GITHUB_ISSUER} --trusted-root ${sigstore.trustedRootFile} ${registry.host}/team/app@${first.report.digest}`,
    ])

    function logged(): number {
      return sigstore.requests.filter(({ service }) => service === 'rekor').length
    }
  })

  test.each(['bundle', 'legacy'])('another key signs besides, as %s', async format => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const [one, two] = [putKey(workshop, 'one'), putKey(workshop, 'two')]
    const values = image(registry, { 'signature-format': format })
    await workshop.publish({ ...values, ...byKey(one) })
    const { report } = await workshop.publish({ ...values, ...byKey(two) })
    expect(added(report.signed)).toHaveLength(3)
    for (const { pub } of [one, two]) {
      await expect(verifyWithUs(`${registry.host}/team/app:v1`, `key=${pub}`)).resolves.toBeDefined()
    }
  })

  test('another workflow signs besides', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore) }
    await workshop.publish(values, { env: sigstore.oidcEnv })
    const job_workflow_ref = 'acme/app/.github/workflows/other.yml@refs/heads/main'
    const { report } = await workshop.publish(values, {
      env: { SIGSTORE_ID_TOKEN: sigstore.token({ job_workflow_ref }) },
    })
    expect(added(report.signed)).toHaveLength(3)
    expect(await referrersOf(registry, report.digest)).toHaveLength(2)
  })

  test('other annotations are another signature', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)) }
    await workshop.publish(values)
    expect(added((await workshop.publish({ ...values, 'sign-annotations': 'build=2' })).report.signed)).toHaveLength(3)
  })

  test('a signature that is only in another registry is put beside it there', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)) }
    await workshop.publish(values)
    const images = [`${registry.host}/team/app:v1`, `${other.host}/team/app:v1`]
    const { report } = await workshop.publish({ ...values, images })
    expect(added(report.signed).map(({ ref }) => ref.split('/')[0])).toEqual(Array(3).fill(other.host))
  })

  test('of the same build there is one provenance, of another commit another', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const git = (...args: readonly string[]): void => {
      const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false']
      execFileSync('git', ['-C', workshop.context, ...who, ...args], { stdio: 'ignore' })
    }
    git('init', '-q')
    git('add', '.')
    git('commit', '-qm', 'one')
    const values = {
      ...image(registry, { 'source-date-epoch': '1' }),
      ...byKey(putKey(workshop, '../signer')),
      provenance: 'true',
    }
    const first = await workshop.publish(values)
    expect(added((await workshop.publish(values)).report.signed)).toEqual([])
    git('commit', '-qm', 'two', '--allow-empty')
    const second = await workshop.publish(values)
    expect(second.report.digest).toBe(first.report.digest)
    expect(added(second.report.signed).map(one => one.predicateType)).toEqual(Array(3).fill(PROVENANCE))
  })
})
