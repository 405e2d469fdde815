import type { FieldValues } from '../../src/publish/fields.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { newKeyPair, openCosign, type CosignBench, type KeyPair, type Trust } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs } from '../support/signing.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IMAGE: FieldValues = { platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }
/** To cosign 3, which else looks for bundles first. */
const OLDER = ['--new-bundle-format=false']

function openProject(): Workshop {
  const workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  return workshop
}

/** Where signatures in the older form are. */
function signaturesTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`
}

interface Manifest {
  readonly layers: readonly { readonly annotations: Readonly<Record<string, string>> }[]
}

async function signaturesOf(image: string, digest: string): Promise<Manifest['layers']> {
  return (JSON.parse(await run('crane', ['manifest', `${image}:${signaturesTag(digest)}`])) as Manifest).layers
}

function subjectsOf({ digest, platforms }: PublishReport): readonly string[] {
  return [digest, ...platforms.map(one => one.digest)]
}

describe.each(REGISTRIES)('the older form, with a key, on $name', ({ start }) => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let workshop: Workshop
  let pair: KeyPair

  beforeAll(async () => {
    registry = await start()
    cosign = await openCosign()
    workshop = openProject()
    pair = await newKeyPair(cosign.path)
  })

  afterAll(async () => {
    workshop[Symbol.dispose]()
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  test('alone, it is verified by cosign 2 and 3, and nothing is listed as a referrer', async () => {
    const image = `${registry.host}/team/legacy`
    const values = { ...IMAGE, images: `${image}:v1`, ...pair.signs, 'signature-format': 'legacy' }
    const { report } = await workshop.publish({ ...values, 'sign-annotations': ['build=7', 'by=<us>'] })
    for (const digest of subjectsOf(report)) {
      const name = `${image}@${digest}`
      for (const [program, more] of [
        ['cosign2', []],
        ['cosign3', []],
        ['cosign3', OLDER],
      ] as const) {
        const [verified] = await cosign.verify(
          program,
          name,
          { key: pair.pub },
          '-a',
          'build=7',
          '-a',
          'by=<us>',
          ...more,
        )
        expect(verified?.critical.image['docker-manifest-digest']).toBe(digest)
      }
      await expect(cosign.verify('cosign2', name, { key: pair.pub }, '-a', 'build=8')).rejects.toThrow(/exit code/)
      expect(await verifyWithUs(name, `key=${pair.pub}`)).toMatchObject({
        verified: [{ signatures: [{ form: 'legacy', annotations: { build: '7', by: '<us>' } }] }],
      })
    }
    const listed = await run('oras', ['discover', '--plain-http', '--format', 'json', `${image}:v1`])
    expect((JSON.parse(listed) as { referrers?: unknown[] }).referrers ?? []).toEqual([])
  })

  test('with bundles beside it, each verifier finds the form that it looks for', async () => {
    const image = `${registry.host}/team/both`
    const values = { ...IMAGE, images: `${image}:v1`, ...pair.signs, 'signature-format': 'both' }
    const { report } = await workshop.publish(values)
    for (const digest of subjectsOf(report)) {
      const name = `${image}@${digest}`
      await cosign.verify('cosign2', name, { key: pair.pub })
      await cosign.verify('cosign3', name, { key: pair.pub })
      await cosign.verify('cosign3', name, { key: pair.pub }, ...OLDER)
      const tree = await cosign.run('cosign3', ['tree', name])
      expect(tree).toContain('https://sigstore.dev/cosign/sign/v1')
      expect(tree).toContain(signaturesTag(digest))
    }
    for (const command of report.signed?.verifyCommands ?? []) await cosign.paste(command)
  })

  test('signed once more it gets no second layer; by another key it does, and both are verified', async () => {
    const image = `${registry.host}/team/twice`
    const values = { ...IMAGE, images: `${image}:v1`, ...pair.signs, 'signature-format': 'legacy' }
    const { report } = await workshop.publish(values)
    await workshop.publish(values)
    await signWithUs(`${image}:v1`, values)
    expect(await signaturesOf(image, report.digest)).toHaveLength(1)
    const other = await newKeyPair(cosign.path, 'other')
    await signWithUs(`${image}:v1`, { ...values, ...other.signs })
    for (const digest of subjectsOf(report)) {
      expect(await signaturesOf(image, digest)).toHaveLength(2)
      for (const { pub } of [pair, other]) {
        await cosign.verify('cosign2', `${image}@${digest}`, { key: pub })
        await cosign.verify('cosign3', `${image}@${digest}`, { key: pub })
      }
    }
  })
})

describe('the older form, keyless', () => {
  const identity = `https://github.com/${WORKFLOW}`

  test('a promise of Rekor 1 says when it was signed: cosign 2 and 3 verify it, another identity they refuse', async () => {
    await using registry = await startRegistry()
    await using sigstore = await startSigstore({ rekor: 1, tsa: false })
    await using cosign = await openCosign()
    using workshop = openProject()
    const image = `${registry.host}/team/app`
    const services = { 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile }
    const values = { images: `${image}:v1`, ...IMAGE, sign: 'keyless', 'signature-format': 'both', ...services }
    const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(sigstore.requests.filter(({ service }) => service === 'fulcio')).toHaveLength(1)

    const trust = { identity, issuer: GITHUB_ISSUER, trustedRoot: sigstore.trustedRootFile }
    const older = await workshop.publish(
      { ...values, images: `${registry.host}/team/older:v1`, 'signature-format': 'legacy' },
      { env: sigstore.oidcEnv },
    )
    for (const digest of subjectsOf(older.report)) {
      const name = `${registry.host}/team/older@${digest}`
      await cosign.verify('cosign2', name, trust)
      await cosign.verify('cosign3', name, trust)
    }
    for (const digest of subjectsOf(report)) {
      await cosign.verify('cosign3', `${image}@${digest}`, trust, ...OLDER)
      await cosign.verify('cosign3', `${image}@${digest}`, trust)
    }
    const stranger: Trust = { ...trust, identity: identity.replace('main', 'fork') }
    for (const program of ['cosign2', 'cosign3'] as const) {
      await expect(cosign.verify(program, `${registry.host}/team/older:v1`, stranger)).rejects.toThrow(/exit code/)
    }
    const policy = `identity=${identity},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`
    expect(await verifyWithUs(`${registry.host}/team/older:v1`, policy)).toMatchObject({
      verified: [{ signatures: [{ form: 'legacy' }] }],
    })

    const again = await signWithUs(`${image}:v1`, values, { env: sigstore.oidcEnv })
    expect(again.signatures.map(({ existed }) => existed)).toEqual(Array(6).fill(true))
    for (const digest of subjectsOf(report)) expect(await signaturesOf(image, digest)).toHaveLength(1)
  })

  test('Rekor 2 promises nothing, so it is refused before anything is there', async () => {
    await using registry = await startRegistry()
    await using sigstore = await startSigstore({ rekor: 2 })
    using workshop = openProject()
    const values = { images: `${registry.host}/team/app:v1`, ...IMAGE, sign: 'keyless', 'signature-format': 'legacy' }
    const asked = workshop.publish(
      { ...values, 'signing-config': sigstore.signingConfigFile },
      { env: sigstore.oidcEnv },
    )
    await expect(asked).rejects.toThrow(/legacy|older form/)
    expect(registry.requests.filter(({ method }) => method === 'PUT' || method === 'POST')).toEqual([])
  })
})
