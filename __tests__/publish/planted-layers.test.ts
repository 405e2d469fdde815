import { writeFileSync } from 'node:fs'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { tarOf } from '../layer/layer-blob.ts'
import { chainOf } from '../sign/notation/chains.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { verifyWithUs } from '../support/signing.ts'
import { moveSignatures, plant, PLANTED, pulled } from './plant.ts'
import { pushBase } from './push-base.ts'
import { onBase, pushOs, putProject, writes } from './project.ts'
import { byKey, image, keyless, putApp, putKey, referrersOf } from './signed-projects.ts'
import { openWorkshop, type Published, type Workshop } from './workshop.ts'

const REAL = 'x'
const EVIL_WORKFLOW = 'acme/app/.github/workflows/release.yml@refs/heads/evil'

/** Of the layers of every platform: whether they were made in this run. */
function originsOf({ report }: Published): ReadonlySet<string> {
  return new Set(report.platforms.flatMap(({ layers }) => layers.map(({ origin }) => origin)))
}

function notation(workshop: Workshop): FieldValues {
  const { key, chain } = chainOf()
  writeFileSync(workshop.at('notation.key'), key.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(workshop.at('chain.pem'), chain.map(String).join(''))
  return { 'notation-key': workshop.at('notation.key'), 'notation-chain': workshop.at('chain.pem') }
}

describe('a layer that somebody planted who may push, under the diffID of a real one, is never vouched for', () => {
  const ways: readonly (readonly [what: string, way: (workshop: Workshop, registry: SpecRegistry) => FieldValues])[] = [
    ['a signature with a key', workshop => byKey(putKey(workshop))],
    ['a signature in the older form', workshop => byKey(putKey(workshop), { 'signature-format': 'legacy' })],
    ['provenance', workshop => byKey(putKey(workshop), { provenance: 'true' })],
    ['a signature of the Notary Project', notation],
    ['an SBOM that nobody signs', () => ({ sbom: 'true' })],
  ]

  test.each(ways)('by %s', async (_what, way) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const first = await workshop.publish(image(registry))
    const planted = await plant(registry)
    expect(await pulled(registry)).toContain(PLANTED)
    const { report } = await workshop.publish({ ...image(registry), ...way(workshop, registry) })
    expect(report.digest).toBe(first.report.digest)
    expect(await pulled(registry)).toEqual([REAL, REAL])
    expect(JSON.stringify(report)).not.toContain(planted.layer)
  })

  test('by a signature without a key', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const first = await workshop.publish(image(registry))
    await plant(registry)
    const { report } = await workshop.publish({ ...image(registry), ...keyless(sigstore) }, { env: sigstore.oidcEnv })
    expect(report.digest).toBe(first.report.digest)
    expect(await pulled(registry)).toEqual([REAL, REAL])
  })

  test('by a run that demands a signed base', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const key = putKey(workshop, '../base')
    await workshop.sign({ reference: `${registry.host}/base/os:1` }, byKey(key))
    const values = onBase(registry, undefined, { 'verify-base': `key=${key.pub}` })
    const first = await workshop.publish(values)
    await plant(registry)
    const { report } = await workshop.publish(values)
    expect(report.digest).toBe(first.report.digest)
    expect(await pulled(registry)).not.toContain(PLANTED)
  })

  test('not even where it was signed by somebody else', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    await workshop.publish(image(registry))
    const { root } = await plant(registry)
    await workshop.sign({ reference: `${registry.host}/team/app@${root.digest}` }, byKey(putKey(workshop, 'other')))
    await workshop.publish({ ...image(registry), ...byKey(putKey(workshop)) })
    expect(await pulled(registry)).toEqual([REAL, REAL])
  })

  test.each([
    ['another branch', { job_workflow_ref: EVIL_WORKFLOW }],
    ['another repository that calls the same workflow', { repository: 'evil/app', repository_id: '666' }],
    ['a repository that took the name of a deleted one', { repository_id: '666' }],
    ['another issuer', { iss: 'https://token.actions.githubusercontent.com/evil' }],
  ])('not where it was signed by an identity of %s', async (_whose, claims) => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    await workshop.publish(image(registry))
    const { root } = await plant(registry)
    const reference = `${registry.host}/team/app@${root.digest}`
    await workshop.sign({ reference }, keyless(sigstore), { env: { SIGSTORE_ID_TOKEN: sigstore.token(claims) } })
    await workshop.publish({ ...image(registry), ...keyless(sigstore) }, { env: sigstore.oidcEnv })
    expect(await pulled(registry)).toEqual([REAL, REAL])
  })

  test('not where a signature of the real image hangs on it', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)) }
    const first = await workshop.publish(values)
    const { root } = await plant(registry)
    expect(await moveSignatures(registry, first.report.digest, root)).toBe(1)
    expect(await referrersOf(registry, root.digest)).toHaveLength(1)
    await workshop.publish(values)
    expect(await pulled(registry)).toEqual([REAL, REAL])
  })

  test('not where a registry gives it out as a child of the signed index', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)) }
    const first = await workshop.publish(values)
    const { layer } = await plant(registry, { swapped: true })
    const { report } = await workshop.publish(values)
    expect(report.digest).toBe(first.report.digest)
    expect(JSON.stringify(report)).not.toContain(layer)
  })

  test('not where only an attestation of it is signed by the same key', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    await workshop.publish(image(registry))
    const { root } = await plant(registry)
    const key = putKey(workshop)
    writeFileSync(workshop.at('scan.json'), '{"scanner": {}}')
    const predicate = { 'predicate-type': 'vuln', 'predicate-path': workshop.at('scan.json') }
    const reference = `${registry.host}/team/app@${root.digest}`
    await workshop.sign({ reference, signature: false }, byKey(key, predicate))
    await workshop.publish({ ...image(registry), ...byKey(key) })
    expect(await pulled(registry)).toEqual([REAL, REAL])
  })
})

describe('what one repository says of its layers is never believed for another', () => {
  test.each([
    ['of another registry', 'other'],
    ['of the same registry', 'same'],
  ])('%s', async (_what, where) => {
    await using registry = await startSpecRegistry()
    await using elsewhere = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    await workshop.publish(image(registry))
    const { layer } = await plant(registry)
    const second = where === 'other' ? `${elsewhere.host}/team/app:v1` : `${registry.host}/team/second:v1`
    const images = [`${registry.host}/team/app:v1`, second]
    await workshop.publish({ ...image(registry), images })
    const other = where === 'other' ? elsewhere : registry
    const repository = where === 'other' ? 'team/app' : 'team/second'
    expect(await pulled(other, 'v1', repository)).toEqual([REAL, REAL])
    expect(await other.blob(repository, layer)).toBeUndefined()
  })

  test('nor is it where all of them were planted in, once something is signed', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const images = [`${registry.host}/team/app:v1`, `${other.host}/team/app:v1`]
    await workshop.publish({ ...image(registry), images })
    for (const one of [registry, other]) await plant(one)
    await workshop.publish({ ...image(registry), images, ...byKey(putKey(workshop)) })
    for (const one of [registry, other]) expect(await pulled(one)).toEqual([REAL, REAL])
  })
})

describe('a base whose config says that one of its layers is a layer of ours', () => {
  const ours = (): Promise<Buffer> => tarOf([{ path: 'app/hello', text: REAL }])

  async function pushLiar({ url, host }: SpecRegistry): Promise<FieldValues> {
    const diffID = digestOf(await ours())
    const sketch = { architecture: 'amd64', layers: [[{ path: 'app/hello', text: PLANTED }]], lies: { 0: diffID } }
    await pushBase({ url, repository: 'base/os', tag: '1' }, [sketch])
    return { images: `${host}/team/app:v1`, platforms: 'linux/amd64', 'base-image': `${host}/base/os:1` }
  }

  test('is refused before anything is sent, where its layers are looked at', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = await pushLiar(registry)
    const mark = registry.requests.length
    await expect(workshop.publish({ ...values, layers: 'app/:/app/' })).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
    })
    expect(writes(registry, mark)).toEqual([])
  })

  test.each(['signed', 'unsigned'])('does not get it in place of ours, be our images %s', async how => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    // A ready tar is a layer whatever is below it, so nobody looks at the layers of the base.
    writeFileSync(workshop.at('other.tar'), await tarOf([{ path: 'other', text: 'y' }]))
    writeFileSync(workshop.at('app.tar'), await ours())
    const values = { ...(await pushLiar(registry)), ...(how === 'signed' ? byKey(putKey(workshop)) : {}) }
    await workshop.publish({ ...values, layers: `from-tar=${workshop.at('other.tar')}` })
    await workshop.publish({ ...values, layers: `from-tar=${workshop.at('app.tar')}` })
    expect(await pulled(registry)).toEqual([PLANTED, REAL])
  })
})

describe('layers are not compressed again', () => {
  test('where the same key has signed what is there, even for a repository that is new', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)) }
    await workshop.publish(values)
    const mark = registry.requests.length
    const again = await workshop.publish(values)
    expect(originsOf(again)).toEqual(new Set(['cached']))
    expect(writes(registry, mark)).toEqual([])
    const images = [`${registry.host}/team/app:v1`, `${other.host}/team/app:v1`]
    expect(originsOf(await workshop.publish({ ...values, images }))).toEqual(new Set(['cached']))
    expect(await pulled(other)).toEqual([REAL, REAL])
  })

  test('where only the images of an index are signed, and not the index', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const { report } = await workshop.publish(image(registry))
    const key = putKey(workshop)
    await workshop.sign({ reference: `${registry.host}/team/app@${report.digest}`, platforms: ['all'] }, byKey(key))
    const again = await workshop.publish({ ...image(registry), ...byKey(key) })
    expect(originsOf(again)).toEqual(new Set(['cached']))
  })

  test.each(['bundle', 'legacy', 'both'])('where the same identity has signed it, as %s', async format => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore({ rekor: 1 })
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore, { 'signature-format': format }) }
    await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(originsOf(await workshop.publish(values, { env: sigstore.oidcEnv }))).toEqual(new Set(['cached']))
  })

  test('where the same key of the Notary Project has signed it', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...notation(workshop) }
    await workshop.publish(values)
    expect(originsOf(await workshop.publish(values))).toEqual(new Set(['cached']))
  })

  test('where every repository says the same, and nothing is signed', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), images: [`${registry.host}/team/app:v1`, `${other.host}/team/app:v1`] }
    await workshop.publish(values)
    expect(originsOf(await workshop.publish(values))).toEqual(new Set(['cached']))
  })

  test('where they are, they come out the same, and nothing is sent', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const first = await workshop.publish(image(registry))
    const mark = registry.requests.length
    const key = putKey(workshop)
    const signed = await workshop.publish({ ...image(registry), ...byKey(key) })
    expect(originsOf(signed)).toEqual(new Set(['assembled']))
    expect(signed.report.digest).toBe(first.report.digest)
    const sent = writes(registry, mark).filter(one => !one.includes('/blobs/uploads/'))
    // Manifests of signatures, and no layer.
    expect(signed.report.targets[0]?.sent.count).toBe(0)
    expect(sent.every(one => one.includes('/manifests/sha256:'))).toBe(true)
    await expect(verifyWithUs(`${registry.host}/team/app:v1`, `key=${key.pub}`)).resolves.toBeDefined()
  })
})
