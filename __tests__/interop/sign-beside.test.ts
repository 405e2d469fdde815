import { join } from 'node:path'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { pushAttestedIndex, pushIndex } from '../support/base-images.ts'
import { COSIGNS, newKeyPair, openCosign, type CosignBench, type KeyPair } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs } from '../support/signing.ts'

const IMAGE = { platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }
const ALONE = { cosign2: ['--tlog-upload=false'], cosign3: ['--use-signing-config=false', '--tlog-upload=false'] }
const FORM = { cosign2: 'legacy', cosign3: 'bundle' }

describe.each([
  { who: 'the registry', referrers: true },
  { who: 'the clients', referrers: false },
])('beside others, where $who keep lists of referrers', ({ referrers }) => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let workshop: Workshop
  let pairs: readonly [KeyPair, KeyPair]
  let names = 0

  beforeAll(async () => {
    registry = await startRegistry({ referrers })
    cosign = await openCosign()
    workshop = openWorkshop()
    workshop.put({ 'app/hello': 'x' })
    pairs = [await newKeyPair(cosign.path, 'first'), await newKeyPair(cosign.path, 'second')]
  })

  afterAll(async () => {
    workshop[Symbol.dispose]()
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  const published = async (values = {}): Promise<string> => {
    const image = `${registry.host}/team/app-${++names}:v1`
    await workshop.publish({ ...IMAGE, images: image, ...values })
    return image
  }

  test('two jobs that sign at the same time keep the signatures of each other', async () => {
    const image = await published()
    await Promise.all(pairs.map(({ signs }) => signWithUs(image, signs)))
    for (const { pub: key } of pairs) expect(await cosign.verify('cosign3', image, { key })).toHaveLength(1)
  })

  test.each(COSIGNS)('%s signs beside us, and we beside it, and each signature is verified', async program => {
    const format = FORM[program]
    const image = await published({ ...pairs[0].signs, 'signature-format': format })
    const env = { COSIGN_PASSWORD: 'theirs' }
    await cosign.run(program, ['generate-key-pair', '--output-key-prefix', program], env)
    await cosign.run(program, ['sign', '--key', `${program}.key`, ...ALONE[program], '-y', image], env)
    await signWithUs(image, { ...pairs[1].signs, 'signature-format': format })
    for (const key of [pairs[0].pub, pairs[1].pub, `${program}.pub`]) {
      expect(await cosign.verify(program, image, { key })).toHaveLength(1)
    }
  })

  test('only a base that is signed is built on: by cosign with a key, in whichever form', async () => {
    const base = `${registry.host}/base/os:1`
    await pushIndex(`${registry.directHost}/base/os:1`)
    const env = { COSIGN_PASSWORD: 'theirs' }
    for (const program of COSIGNS) {
      const prefix = `base-${program}`
      await cosign.run(program, ['generate-key-pair', '--output-key-prefix', prefix], env)
      const build = (): Promise<string> =>
        published({ 'base-image': base, 'verify-base': `key=${join(cosign.path, `${prefix}.pub`)}` })
      const mark = registry.requests.length
      await expect(build()).rejects.toMatchObject({
        code: expect.stringMatching(/NOT_SIGNED|VERIFICATION_FAILED/) as string,
      })
      expect(registry.requests.slice(mark).filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([])
      await cosign.run(program, ['sign', '--key', `${prefix}.key`, ...ALONE[program], '-y', base], env)
      expect(await build()).toContain('/team/app-')
    }
  })

  test('oras and regctl copy the image with its signature', async () => {
    const image = await published(pairs[0].signs)
    const [byOras, byRegctl] = [`${registry.host}/copied/oras:v1`, `${registry.host}/copied/regctl:v1`]
    await run('oras', ['cp', '-r', '--from-plain-http', '--to-plain-http', image, byOras])
    const plain = ['--host', `reg=${registry.host},tls=disabled`]
    await run('regctl', [...plain, 'image', 'copy', '--referrers', image, byRegctl])
    for (const copy of [byOras, byRegctl]) {
      expect(await cosign.verify('cosign3', copy, { key: pairs[0].pub })).toHaveLength(1)
    }
  })

  test('what a signature says besides is verified', async () => {
    const image = await published({ ...pairs[0].signs, 'sign-annotations': ['build=7', 'by=<ü>'] })
    const key = pairs[0].pub
    expect(await cosign.verify('cosign3', image, { key }, '-a', 'build=7', '-a', 'by=<ü>')).toHaveLength(1)
    await expect(cosign.verify('cosign3', image, { key }, '-a', 'build=8')).rejects.toThrow(/exit code/)
    expect(await verifyWithUs(image, `key=${key},annotation=build=7`)).toBeDefined()
    await expect(verifyWithUs(image, `key=${key},annotation=build=8`)).rejects.toThrow('has to be "8"')
  })
})

/** It gives an image of Docker's types in another form to whoever does not ask for those, with another digest. */
const DOCKER = REGISTRIES.filter(({ name }) => name.startsWith('docker-registry'))

test.each(DOCKER)('images of Docker types, and of BuildKit with its attestations, are signed on $name', async one => {
  await using registry = await one.start()
  await using cosign = await openCosign()
  const { pub: key, signs } = await newKeyPair(cosign.path)
  const [docker, buildkit] = [`${registry.host}/theirs/docker:v1`, `${registry.host}/theirs/buildkit:v1`]
  await pushIndex(docker, { family: 'docker' })
  await pushAttestedIndex(buildkit)
  for (const image of [docker, buildkit]) {
    const digest = (await run('crane', ['digest', image])).trim()
    const { root, signatures } = await signWithUs(image, signs)
    expect(root.digest).toBe(digest)
    expect(await cosign.verify('cosign3', image, { key })).toHaveLength(1)
    const platforms = signatures.map(({ subject }) => subject).filter(subject => subject !== digest)
    expect(platforms).toHaveLength(2)
    for (const platform of platforms) {
      expect(await cosign.verify('cosign3', image.replace(':v1', `@${platform}`), { key })).toHaveLength(1)
    }
  }
})
