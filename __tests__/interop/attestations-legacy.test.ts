import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FieldValues } from '../../src/publish/fields.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { newKeyPair, openCosign, PASSPHRASE, type Cosign, type CosignBench, type KeyPair } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'
import { verifyWithUs } from '../support/signing.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IMAGE: FieldValues = { platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }
const PROVENANCE = 'https://slsa.dev/provenance/v1'
const REVIEW = 'https://example.com/review/v1'
/** To cosign 3, which else looks for bundles first. */
const OLDER = ['--new-bundle-format=false']

/** An image that is built, reviewed, and signed in both forms. */
function openProject(): Workshop & { readonly attests: FieldValues } {
  const workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x', 'review.json': JSON.stringify({ by: 'us' }) })
  const review = { 'predicate-type': REVIEW, 'predicate-path': join(workshop.context, 'review.json') }
  return Object.assign(workshop, { attests: { provenance: 'true', ...review, 'signature-format': 'both' } })
}

function subjectsOf({ digest, platforms }: PublishReport): readonly string[] {
  return [digest, ...platforms.map(one => one.digest)]
}

interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly annotations: Readonly<Record<string, string>>
}

/** Where attestations in the older form are. */
function attestationsTag(digest: string): string {
  return `${digest.replace(':', '-')}.att`
}

async function attestationsOf(image: string, digest: string): Promise<readonly Layer[]> {
  const manifest = await run('crane', ['manifest', `${image}:${attestationsTag(digest)}`])
  return (JSON.parse(manifest) as { readonly layers: readonly Layer[] }).layers
}

/** The image in another repository, with its attestations in the older form and without any bundle. */
async function withoutBundles(image: string, report: PublishReport): Promise<string> {
  const copy = `${image}-without-bundles`
  await run('crane', ['copy', `${image}@${report.digest}`, `${copy}:v1`])
  for (const digest of subjectsOf(report)) {
    const tag = attestationsTag(digest)
    await run('crane', ['copy', `${image}:${tag}`, `${copy}:${tag}`])
  }
  return copy
}

interface Envelope {
  readonly payload: string
  readonly signatures: readonly { readonly sig: string }[]
}

async function envelopesOf(image: string, digest: string): Promise<readonly Envelope[]> {
  const layers = await attestationsOf(image, digest)
  const texts = await Promise.all(layers.map(layer => run('crane', ['blob', `${image}@${layer.digest}`])))
  return texts.map(text => JSON.parse(text) as Envelope)
}

/** Those of bundles: not every registry lists them in the same order twice. */
async function bundledEnvelopesOf(image: string, digest: string): Promise<readonly Envelope[]> {
  const printed = await run('oras', ['discover', '--plain-http', '--format', 'json', `${image}@${digest}`])
  const { referrers } = JSON.parse(printed) as { readonly referrers: readonly { readonly digest: string }[] }
  const envelopes = await Promise.all(
    referrers.map(async one => {
      const manifest = await run('crane', ['manifest', `${image}@${one.digest}`])
      const [layer] = (JSON.parse(manifest) as { readonly layers: readonly [Layer] }).layers
      const bundle = await run('crane', ['blob', `${image}@${layer.digest}`])
      return (JSON.parse(bundle) as { readonly dsseEnvelope: Envelope }).dsseEnvelope
    }),
  )
  return envelopes.sort((a, b) => a.payload.localeCompare(b.payload))
}

describe.each(REGISTRIES)('attestations in the older form, with a key, on $name', ({ start }) => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let workshop: ReturnType<typeof openProject>
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

  test('cosign 2 and 3 find each of them on the index and on every platform', async () => {
    const image = `${registry.host}/team/app`
    const { report } = await workshop.publish({
      ...IMAGE,
      ...workshop.attests,
      ...pair.signs,
      images: `${image}:v1`,
      // Beside attestations, which are bundles too, it is both.
      'signature-format': 'legacy',
    })
    const copy = await withoutBundles(image, report)
    const other = await newKeyPair(cosign.path, 'other')
    for (const digest of subjectsOf(report)) {
      const name = `${copy}@${digest}`
      for (const [type, predicateType] of [
        ['slsaprovenance1', PROVENANCE],
        [REVIEW, REVIEW],
      ] as const) {
        const trust = ['--key', pair.pub, '--insecure-ignore-tlog', '--type', type]
        await cosign.run('cosign2', ['verify-attestation', ...trust, name])
        for (const [program, more] of [
          ['cosign2', []],
          ['cosign3', []],
          ['cosign3', OLDER],
        ] as const) {
          const stated = await cosign.verifyAttestation(program, name, type, { key: pair.pub }, ...more)
          expect(stated.map(one => one.predicateType)).toEqual([predicateType])
          expect(stated[0]?.subject).toContainEqual({ name: image, digest: { sha256: digest.slice('sha256:'.length) } })
          await expect(cosign.verifyAttestation(program, name, type, { key: other.pub }, ...more)).rejects.toThrow(
            /exit code/,
          )
        }
      }
      await expect(cosign.verifyAttestation('cosign2', name, 'vuln', { key: pair.pub })).rejects.toThrow(/exit code/)
      await cosign.verifyAttestation('cosign3', `${image}@${digest}`, 'slsaprovenance1', { key: pair.pub }, ...OLDER)
      await cosign.verifyAttestation('cosign3', `${image}@${digest}`, 'slsaprovenance1', { key: pair.pub })
      expect(await cosign.run('cosign2', ['tree', name])).toContain(attestationsTag(digest))
    }
    const older = report.signed?.signatures.filter(({ form, predicateType }) => form === 'legacy' && predicateType)
    expect(older?.map(one => one.subject)).toHaveLength(6)
  })

  test('published once more there is no layer more, and the registry is sent nothing', async () => {
    const image = `${registry.host}/team/twice`
    const values = { ...IMAGE, ...workshop.attests, ...pair.signs, images: `${image}:v1` }
    const { report } = await workshop.publish(values)
    const mark = registry.requests.length
    const again = await workshop.publish(values)
    expect(again.report.signed?.signatures.filter(({ existed }) => !existed)).toEqual([])
    const writes = registry.requests.slice(mark).filter(({ method }) => method !== 'GET' && method !== 'HEAD')
    expect(writes).toEqual([])
    for (const digest of subjectsOf(report)) expect(await attestationsOf(image, digest)).toHaveLength(2)
  })

  test('what is in bundles already is taken from there, and nothing is signed', async () => {
    const image = `${registry.host}/team/later`
    const values = { ...IMAGE, ...workshop.attests, ...pair.signs, images: `${image}:v1` }
    const { report } = await workshop.publish({ ...values, 'signature-format': 'bundle' })
    const bundled = await bundledEnvelopesOf(image, report.digest)
    const later = await workshop.publish(values)
    for (const { form, existed } of later.report.signed?.signatures ?? []) expect(existed).toBe(form === 'bundle')
    expect(await bundledEnvelopesOf(image, report.digest)).toEqual(bundled)
    const older = await envelopesOf(image, report.digest)
    expect(older).toHaveLength(2)
    for (const { payload, signatures } of older) {
      expect(bundled).toContainEqual(expect.objectContaining({ payload, signatures }))
    }
    const copy = await withoutBundles(image, report)
    await cosign.verifyAttestation('cosign2', `${copy}:v1`, 'slsaprovenance1', { key: pair.pub })
  })
})

describe('attestations of cosign', () => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let workshop: ReturnType<typeof openProject>

  beforeAll(async () => {
    registry = await startRegistry()
    cosign = await openCosign()
    workshop = openProject()
  })

  afterAll(async () => {
    workshop[Symbol.dispose]()
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  interface Attest {
    readonly more: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }

  const attest = async (name: string, pair: KeyPair, { more, env }: Attest): Promise<void> => {
    const predicate = join(cosign.path, 'predicate.json')
    await writeFile(predicate, JSON.stringify({ by: 'cosign <2>' }))
    const what = ['--type', REVIEW, '--predicate', predicate, '--key', pair.key]
    await cosign.run('cosign2', ['attest', ...what, ...more, '-y', name], { ...env, COSIGN_PASSWORD: PASSPHRASE })
  }

  test('are kept where ours are added, and both are verified, by cosign and by us', async () => {
    const image = `${registry.host}/team/app`
    const { report } = await workshop.publish({ ...IMAGE, images: `${image}:v1` })
    const name = `${image}@${report.digest}`
    const [theirs, ours] = [await newKeyPair(cosign.path, 'theirs'), await newKeyPair(cosign.path, 'ours')]
    await attest(name, theirs, { more: ['--tlog-upload=false'] })
    const [before] = await attestationsOf(image, report.digest)

    await workshop.publish({ ...IMAGE, ...workshop.attests, ...ours.signs, images: `${image}:v1` })
    const layers = await attestationsOf(image, report.digest)
    expect(layers).toHaveLength(3)
    expect(layers[0]).toEqual(before)
    // The form of ours is that of theirs.
    for (const layer of layers) {
      expect(layer.mediaType).toBe(before?.mediaType)
      expect(Object.keys(layer.annotations).sort()).toEqual(Object.keys(before?.annotations ?? {}).sort())
    }
    const copy = `${image}-without-bundles`
    await run('crane', ['copy', name, `${copy}:v1`])
    const tag = attestationsTag(report.digest)
    await run('crane', ['copy', `${image}:${tag}`, `${copy}:${tag}`])
    for (const [{ pub }, by] of [
      [theirs, 'cosign <2>'],
      [ours, 'us'],
    ] as const) {
      const [stated, ...more] = await cosign.verifyAttestation('cosign2', `${copy}:v1`, REVIEW, { key: pub })
      expect(more).toEqual([])
      expect(stated?.predicate).toMatchObject(by === 'us' ? { by } : {})
      expect(await verifyWithUs(`${copy}:v1`, `key=${pub},predicate-type=${REVIEW}`)).toMatchObject({
        verified: [{ signatures: [{ form: 'legacy', predicateType: REVIEW, statement: { predicate: { by } } }] }],
      })
    }
  })

  test('are verified by us with their entries in a log and their timestamps', async () => {
    await using sigstore = await startSigstore({ rekor: 1 })
    const image = `${registry.host}/team/logged`
    await workshop.publish({ ...IMAGE, images: `${image}:v1` })
    const pair = await newKeyPair(cosign.path, 'logged')
    const roots = await rootsOf(sigstore, cosign.path)
    const services = ['--rekor-url', sigstore.rekorUrl, '--timestamp-server-url', sigstore.tsaUrl ?? '']
    await attest(`${image}:v1`, pair, { more: services, env: roots })
    const policy = `key=${pair.pub},predicate-type=${REVIEW}`
    expect(await verifyWithUs(`${image}:v1`, `${policy},trusted-root=${sigstore.trustedRootFile}`)).toMatchObject({
      verified: [
        {
          signatures: [
            {
              form: 'legacy',
              times: expect.arrayContaining([
                expect.objectContaining({ by: 'log' }),
                expect.objectContaining({ by: 'timestamp' }),
              ]) as unknown,
              logIndexes: [expect.any(String)],
            },
          ],
        },
      ],
    })
    await expect(verifyWithUs(`${image}:v1`, `key=${pair.pub},predicate-type=vuln`)).rejects.toThrow(
      'has no attestation of https://cosign.sigstore.dev/attestation/vuln/v1',
    )
  })
})

describe('attestations in the older form, keyless', () => {
  const identity = `https://github.com/${WORKFLOW}`

  test.each([true, false])('are verified by what is in the log, with a timestamp: %s', async tsa => {
    await using registry = await startRegistry()
    await using sigstore = await startSigstore({ rekor: 1, tsa })
    await using cosign = await openCosign()
    using workshop = openProject()
    const image = `${registry.host}/team/app`
    const services = { 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile }
    const values = { ...IMAGE, ...workshop.attests, ...services, images: `${image}:v1`, sign: 'keyless' }
    const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
    const logged = (): number =>
      sigstore.requests.filter(({ service, method }) => service === 'rekor' && method === 'POST').length
    // The statement that it is signed and two others, once each; and the older signature of each of three manifests.
    expect(logged()).toBe(6)

    const copy = await withoutBundles(image, report)
    const stranger = identity.replace('main', 'fork')
    const roots = await rootsOf(sigstore, cosign.path)
    for (const digest of subjectsOf(report)) {
      const verify = async (who: string, program: Cosign, ...more: readonly string[]): Promise<void> => {
        const certificate = ['--certificate-identity', who, '--certificate-oidc-issuer', GITHUB_ISSUER]
        const args = ['verify-attestation', ...certificate, '--type', 'slsaprovenance1', ...more, `${copy}@${digest}`]
        // cosign 2 has no file of roots for this form.
        await cosign.run(program, args, program === 'cosign2' ? roots : {})
      }
      const trustedRoot = ['--trusted-root', sigstore.trustedRootFile]
      for (const [program, more] of [
        ['cosign2', tsa ? ['--use-signed-timestamps'] : []],
        ['cosign3', trustedRoot],
        ['cosign3', [...trustedRoot, ...OLDER]],
      ] as const) {
        await verify(identity, program, ...more)
        await expect(verify(stranger, program, ...more)).rejects.toThrow(/none of the expected identities matched/)
      }
    }
    const policy = `identity=${identity},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`
    expect(await verifyWithUs(`${copy}:v1`, `${policy},predicate-type=${PROVENANCE}`)).toMatchObject({
      verified: [{ signatures: [{ form: 'legacy', predicateType: PROVENANCE, logIndexes: [expect.any(String)] }] }],
    })

    const again = await workshop.publish(values, { env: sigstore.oidcEnv })
    const signatures = again.report.signed?.signatures ?? []
    expect(signatures.filter(({ form, predicateType }) => form === 'legacy' && predicateType)).toHaveLength(6)
    expect(signatures.filter(({ existed }) => !existed)).toEqual([])
    expect(logged()).toBe(6)
  })

  test('without a log there is a timestamp, of what cosign looks for in this form', async () => {
    await using registry = await startRegistry()
    await using sigstore = await startSigstore({ rekor: 1 })
    await using cosign = await openCosign()
    using workshop = openProject()
    const image = `${registry.host}/team/app`
    const services = { 'fulcio-url': sigstore.fulcioUrl, ...(sigstore.tsaUrl && { 'tsa-url': sigstore.tsaUrl }) }
    const values = { ...IMAGE, ...workshop.attests, ...services, images: `${image}:v1`, sign: 'keyless' }
    const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
    const copy = await withoutBundles(image, report)
    const certificate = ['--certificate-identity', identity, '--certificate-oidc-issuer', GITHUB_ISSUER]
    const args = ['verify-attestation', ...certificate, '--insecure-ignore-tlog', '--use-signed-timestamps']
    const roots = await rootsOf(sigstore, cosign.path)
    for (const digest of subjectsOf(report)) {
      await cosign.run('cosign2', [...args, '--type', 'slsaprovenance1', `${copy}@${digest}`], roots)
    }
    expect(sigstore.requests.filter(({ service }) => service === 'rekor')).toEqual([])

    const mark = sigstore.requests.filter(({ service }) => service === 'tsa').length
    const again = await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(again.report.signed?.signatures.filter(({ existed }) => !existed)).toEqual([])
    expect(sigstore.requests.filter(({ service }) => service === 'tsa')).toHaveLength(mark)
  })
})

interface Authority {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] }
}

interface Log {
  readonly publicKey: { readonly rawBytes: string }
}

interface Roots {
  readonly tlogs: readonly Log[]
  readonly ctlogs: readonly Log[]
  readonly certificateAuthorities: readonly Authority[]
  readonly timestampAuthorities: readonly Authority[]
}

/** A trusted root in the files that cosign 2 has for each part of it, by their variables. */
async function rootsOf({ trustedRoot }: LocalSigstore, directory: string): Promise<Readonly<Record<string, string>>> {
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = trustedRoot as Roots
  const pem = (type: string, der: string): string =>
    `-----BEGIN ${type}-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END ${type}-----\n`
  const keys = (logs: readonly Log[]): string => logs.map(one => pem('PUBLIC KEY', one.publicKey.rawBytes)).join('')
  const certificates = (authorities: readonly Authority[]): string =>
    authorities
      .flatMap(({ certChain }) => certChain.certificates)
      .map(one => pem('CERTIFICATE', one.rawBytes))
      .join('')
  const files = {
    SIGSTORE_REKOR_PUBLIC_KEY: keys(tlogs),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: keys(ctlogs),
    SIGSTORE_ROOT_FILE: certificates(certificateAuthorities),
    ...(timestampAuthorities.length > 0 && { SIGSTORE_TSA_CERTIFICATE_FILE: certificates(timestampAuthorities) }),
  }
  const written = Object.entries(files).map(async ([name, text]) => {
    const path = join(directory, `${name}.pem`)
    await writeFile(path, text)
    return [name, path] as const
  })
  return Object.fromEntries(await Promise.all(written))
}
