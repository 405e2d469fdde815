import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FieldValues } from '../../src/publish/fields.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { COSIGNS, newKeyPair, openCosign, PASSPHRASE, type CosignBench, type KeyPair } from '../support/cosign.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { craneValidate, run } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs } from '../support/signing.ts'

const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** The image of a test: an index of two platforms. */
const IMAGE: FieldValues = { platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }

function openProject(): Workshop {
  const workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x', 'notes.txt': 'notes\n' })
  return workshop
}

/** By tag and by digest, the index and each platform. */
function namesOf(image: string, { digest, platforms }: PublishReport): readonly string[] {
  return [`${image}:v1`, `${image}@${digest}`, ...platforms.map(one => `${image}@${one.digest}`)]
}

/** What may change something, since a mark. */
function writesTo({ requests }: RunningRegistry, since: number): readonly string[] {
  const some = requests.slice(since).filter(({ method }) => method !== 'GET' && method !== 'HEAD')
  return some.map(({ method, path }) => `${method} ${path}`)
}

interface Listed {
  readonly referrers?: readonly {
    readonly artifactType: string
    readonly annotations?: Readonly<Record<string, string>>
  }[]
}

/** What oras finds to refer to something. */
async function discovered(reference: string): Promise<NonNullable<Listed['referrers']>> {
  const printed = await run('oras', ['discover', '--plain-http', '--format', 'json', reference])
  return (JSON.parse(printed) as Listed).referrers ?? []
}

describe.each(REGISTRIES)('an index signed with a key, on $name', ({ start, referrers }) => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let workshop: Workshop
  let pair: KeyPair
  let image: string
  let report: PublishReport

  beforeAll(async () => {
    registry = await start()
    cosign = await openCosign()
    workshop = openProject()
    pair = await newKeyPair(cosign.path)
    image = `${registry.host}/team/app`
    report = (await workshop.publish({ ...IMAGE, images: `${image}:v1`, ...pair.signs })).report
  })

  afterAll(async () => {
    workshop[Symbol.dispose]()
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  test.each(COSIGNS)('%s verifies the tag, the index and each platform', async program => {
    for (const name of namesOf(image, report)) {
      const verified = await cosign.verify(program, name, { key: pair.pub })
      // It prints the first subject of what is signed, also where it was asked for another: the index that tags lead to.
      expect(verified.map(({ critical }) => critical.image['docker-manifest-digest'])).toEqual([report.digest])
    }
  })

  test.each(COSIGNS)('%s refuses it with the key of somebody else', async program => {
    const other = await newKeyPair(cosign.path, 'other')
    await expect(cosign.verify(program, `${image}:v1`, { key: other.pub })).rejects.toThrow(/exit code/)
  })

  test('the commands that are printed verify it as they are', async () => {
    const commands = report.signed?.verifyCommands ?? []
    expect(commands).toEqual([`cosign verify --key ${pair.pub} --insecure-ignore-tlog ${image}@${report.digest}`])
    for (const command of commands) expect(await cosign.paste(command)).toContain(report.digest)
  })

  test('cosign tree and oras discover list the signature of the index and of each platform', async () => {
    for (const name of namesOf(image, report)) {
      expect(await cosign.run('cosign3', ['tree', name])).toContain(SIGNATURE)
      const listed = await discovered(name)
      // Where the registry keeps the list, it says what type that is: refreg says that of the config.
      const type = referrers ? {} : { artifactType: BUNDLE }
      expect(listed).toMatchObject([{ ...type, annotations: { 'dev.sigstore.bundle.predicateType': SIGNATURE } }])
    }
  })

  test('crane and skopeo read the image as if nothing referred to it', async () => {
    await craneValidate(`${image}:v1`)
    const inspected = await run('skopeo', ['inspect', '--tls-verify=false', `docker://${image}:v1`])
    expect(JSON.parse(inspected)).toMatchObject({ Digest: report.digest })
  })

  test('published once more it has one signature still, and the registry is sent nothing', async () => {
    const mark = registry.requests.length
    await workshop.publish({ ...IMAGE, images: `${image}:v1`, ...pair.signs })
    const again = await signWithUs(`${image}:v1`, pair.signs)
    expect(again.signatures.map(({ existed }) => existed)).toEqual([true, true, true])
    expect(writesTo(registry, mark)).toEqual([])
    expect(await discovered(`${image}:v1`)).toHaveLength(1)
  })

  test('two keys sign it one after the other, and each is verified', async () => {
    const second = await newKeyPair(cosign.path, 'second')
    await workshop.publish({ ...IMAGE, images: `${registry.host}/team/two:v1`, ...pair.signs })
    const signed = await signWithUs(`${registry.host}/team/two:v1`, second.signs)
    expect(signed.signatures.map(({ existed }) => existed)).toEqual([false, false, false])
    for (const { pub } of [pair, second]) {
      for (const name of namesOf(`${registry.host}/team/two`, report))
        await cosign.verify('cosign3', name, { key: pub })
      await cosign.verify('cosign2', `${registry.host}/team/two:v1`, { key: pub })
    }
  })

  test('whoever looks at the tag never sees an image that is not signed', async () => {
    const seen: string[] = []
    const name = `${registry.directHost}/team/watched@${report.digest}`
    await using proxy = await startCountingProxy(registry.directHost, {
      before: async ({ method, path }) => {
        if (method !== 'PUT' || !path.endsWith('/manifests/v1')) return
        // The tag is about to move: what it will stand for is held against the key, as an admission controller does.
        for (const program of COSIGNS) await cosign.verify(program, name, { key: pair.pub })
        seen.push(path)
      },
    })
    await workshop.publish({ ...IMAGE, images: `${proxy.host}/team/watched:v1`, ...pair.signs })
    expect(seen).toEqual(['/v2/team/watched/manifests/v1'])
    const puts = proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'))
    expect(puts.at(-1)?.path).toBe('/v2/team/watched/manifests/v1')
  })
})

test('a chart and an artifact of files are signed as well', async () => {
  await using registry = await startRegistry()
  await using cosign = await openCosign()
  using workshop = openProject()
  const pair = await newKeyPair(cosign.path)
  await run('helm3', ['create', 'web'], { cwd: workshop.context })
  const chart = { chart: 'web', images: `${registry.host}/charts`, ...pair.signs }
  const files = { files: 'notes.txt', images: `${registry.host}/team/notes:v1`, ...pair.signs }
  for (const values of [chart, files]) {
    const { report } = await workshop.publish(values)
    expect(report.tags).toHaveLength(1)
    expect(report.signed?.signatures).toHaveLength(1)
    for (const program of COSIGNS) {
      for (const tag of report.tags) await cosign.verify(program, tag, { key: pair.pub })
    }
  }
})

describe('with a key pair of real cosign, and signed by it', () => {
  const SIGN = {
    cosign2: ['--tlog-upload=false'],
    cosign3: ['--use-signing-config=false', '--tlog-upload=false'],
  } as const
  const FORM = { cosign2: 'legacy', cosign3: 'bundle' } as const

  test.each(COSIGNS)(
    '%s: we verify it, with the same key we add nothing, and what we sign with it, it verifies',
    async program => {
      await using registry = await startRegistry()
      await using cosign = await openCosign()
      using workshop = openProject()
      const env = { COSIGN_PASSWORD: PASSPHRASE }
      await cosign.run(program, ['generate-key-pair'], env)
      const [key, pub] = [join(cosign.path, 'cosign.key'), join(cosign.path, 'cosign.pub')]
      const image = `${registry.host}/team/app`
      const { report } = await workshop.publish({ ...IMAGE, images: `${image}:v1` })
      const name = `${image}@${report.digest}`
      await expect(verifyWithUs(name, `key=${pub}`)).rejects.toMatchObject({ code: 'NOT_SIGNED' })
      await cosign.run(program, ['sign', '--key', 'cosign.key', ...SIGN[program], '-y', '-r', name], env)

      for (const one of namesOf(image, report)) {
        const { verified } = await verifyWithUs(one, `key=${pub}`)
        expect(verified).toMatchObject([{ signatures: [{ form: FORM[program] }] }])
      }
      const other = await newKeyPair(cosign.path, 'other')
      await expect(verifyWithUs(name, `key=${other.pub}`)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })

      const mark = registry.requests.length
      const values = { sign: 'key', 'sign-key': key, 'sign-password': PASSPHRASE, 'signature-format': FORM[program] }
      const signed = await signWithUs(`${image}:v1`, values)
      expect(signed.signatures.map(({ existed }) => existed)).toEqual([true, true, true])
      expect(writesTo(registry, mark)).toEqual([])

      const own = `${registry.host}/team/own:v1`
      await workshop.publish({ layers: 'app/:/app/', images: own, ...values })
      await cosign.verify(program, own, { key: pub })
    },
  )
})

/** How openssl makes keys of kinds that cosign itself does not make. */
const KINDS = [
  { kind: 'P-384', args: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
  { kind: 'Ed25519', args: ['-algorithm', 'ED25519'] },
  { kind: 'RSA 3072', args: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'] },
]

test.each(KINDS)('a key as PEM from a secret signs so that cosign verifies it: $kind', async ({ args }) => {
  await using registry = await startRegistry()
  await using cosign = await openCosign()
  using workshop = openProject()
  const pem = await run('openssl', ['genpkey', ...args])
  const pub = join(cosign.path, 'pem.pub')
  await writeFile(pub, await run('openssl', ['pkey', '-pubout'], { input: pem }))
  const images = { bundle: `${registry.host}/team/bundle:v1`, legacy: `${registry.host}/team/legacy:v1` }
  for (const [format, ref] of Object.entries(images)) {
    await workshop.publish({
      layers: 'app/:/app/',
      images: ref,
      sign: 'key',
      'sign-key': pem,
      'signature-format': format,
    })
    for (const program of COSIGNS) expect(await cosign.verify(program, ref, { key: pub })).toHaveLength(1)
    expect((await verifyWithUs(ref, `key=${pub}`)).verified).toMatchObject([{ signatures: [{ form: format }] }])
  }
})
