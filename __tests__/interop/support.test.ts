import {
  copyToLayout,
  makeLayout,
  pushArmVariants,
  pushAttestedIndex,
  pushDebian,
  pushIndex,
  pushManifest,
  pushNestedIndex,
} from '../support/base-images.ts'
import { baseLayers } from '../support/base-tree.ts'
import { craneValidate, run, runImage, skopeoInspectRaw, temporaryDirectory } from '../support/peers.ts'
import type { RunningRegistry } from '../support/registries.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'

const FIRST_TIME_MS = 300_000

beforeAll(async () => {
  await baseLayers('amd64')
  await baseLayers('arm64')
}, FIRST_TIME_MS)

describe.each(REGISTRIES)('$name', ({ start }) => {
  test('takes a blob from a client, and the count knows of it', async () => {
    await using registry = await start()
    const bytes = 'a blob of 20 bytes..'
    const upload = await fetch(`http://${registry.host}/v2/team/app/blobs/uploads/`, { method: 'POST' })
    const location = new URL(upload.headers.get('location') ?? '', upload.url)
    const digest = `sha256:${(await run('sha256sum', [], { input: bytes })).slice(0, 64)}`
    location.searchParams.set('digest', digest)
    const put = await fetch(location, { method: 'PUT', body: bytes })
    expect(put.status).toBe(201)
    expect(registry.requests).toMatchObject([
      { method: 'POST', path: '/v2/team/app/blobs/uploads/', status: 202, requestBytes: 0 },
      { method: 'PUT', status: 201, requestBytes: 20 },
    ])
    const direct = await fetch(`http://${registry.directHost}/v2/team/app/blobs/${digest}`)
    expect(await direct.text()).toBe(bytes)
    expect(registry.requests).toHaveLength(2)
  })

  test('is gone at the end of the block', async () => {
    let host: string
    {
      await using registry = await start()
      host = registry.directHost
    }
    await expect(fetch(`http://${host}/v2/`)).rejects.toThrow()
  })
})

describe.each(REGISTRIES.filter(({ passwords }) => passwords))('$name with a password', ({ start }) => {
  test('lets nobody else in', async () => {
    await using registry = await start({ password: { username: 'ci', password: 'open sesame' } })
    const url = `http://${registry.host}/v2/`
    const stranger = await fetch(url)
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="test"'])
    const authorization = `Basic ${Buffer.from('ci:open sesame').toString('base64')}`
    const known = await fetch(url, { headers: { authorization } })
    expect(known.status).toBe(200)
  })
})

test.each(REGISTRIES)('$name has the referrers API: $referrers', async ({ start, referrers }) => {
  await using registry = await start()
  const image = `${registry.host}/team/app:v1`
  await pushManifest(image)
  const digest = await run('crane', ['digest', image])
  const answer = await fetch(`http://${registry.host}/v2/team/app/referrers/${digest.trim()}`)
  expect(answer.status).toBe(referrers ? 200 : 404)
})

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const AMD64 = { os: 'linux', architecture: 'amd64' }
const ARM64 = { os: 'linux', architecture: 'arm64' }

interface Entry {
  readonly mediaType: string
  readonly digest: string
  readonly platform?: unknown
  readonly annotations?: Readonly<Record<string, string>>
}

describe('base images', () => {
  let registry: RunningRegistry
  let base: string
  beforeAll(async () => {
    registry = await startRegistry()
    base = `${registry.directHost}/base:1`
  })
  afterAll(() => registry[Symbol.asyncDispose]())

  async function manifestOf(reference: string): Promise<{ mediaType: string; manifests?: Entry[] }> {
    return JSON.parse(await skopeoInspectRaw(reference)) as { mediaType: string; manifests?: Entry[] }
  }

  test.each([
    ['oci', OCI_INDEX, OCI_MANIFEST],
    ['docker', DOCKER_LIST, DOCKER_MANIFEST],
  ] as const)('crane makes an index of two platforms with the media types of %s', async (family, index, manifest) => {
    await pushIndex(base, { family })
    expect(await manifestOf(base)).toMatchObject({
      mediaType: index,
      manifests: [
        { mediaType: manifest, platform: AMD64 },
        { mediaType: manifest, platform: ARM64 },
      ],
    })
    await craneValidate(base)
  })

  test('crane makes an index inside an index', async () => {
    await pushNestedIndex(base)
    const { manifests = [] } = await manifestOf(base)
    expect(manifests).toMatchObject([{ mediaType: OCI_INDEX }])
    const inner = `${registry.directHost}/base@${manifests[0]?.digest}`
    expect(await manifestOf(inner)).toMatchObject({ manifests: [{ platform: AMD64 }, { platform: ARM64 }] })
  })

  test('regctl adds an attestation to each platform of an index', async () => {
    await pushAttestedIndex(base)
    const { manifests = [] } = await manifestOf(base)
    const unknown = { os: 'unknown', architecture: 'unknown' }
    expect(manifests.map(({ platform }) => platform)).toEqual([AMD64, ARM64, unknown, unknown])
    expect(manifests.map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])).toEqual([
      undefined,
      undefined,
      manifests[0]?.digest,
      manifests[1]?.digest,
    ])
    const attestation = `${registry.directHost}/base@${manifests[3]?.digest}`
    expect(await manifestOf(attestation)).toMatchObject({ layers: [{ mediaType: 'application/vnd.in-toto+json' }] })
  })

  test('crane makes an index of variants', async () => {
    await pushArmVariants(base)
    expect((await manifestOf(base)).manifests?.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
    ])
  })

  test.each([
    ['oci', OCI_MANIFEST],
    ['docker', DOCKER_MANIFEST],
  ] as const)('buildah makes a single manifest with the media types of %s', async (family, mediaType) => {
    await pushManifest(base, { family, architecture: 'arm64' })
    expect(await manifestOf(base)).toMatchObject({ mediaType })
    expect(JSON.parse(await run('crane', ['config', base]))).toMatchObject(ARM64)
    await craneValidate(base)
  })

  test('skopeo makes a layout with an index, umoci one with a manifest', async () => {
    await using work = await temporaryDirectory()
    const layouts = [`${work.path}/skopeo`, `${work.path}/umoci`] as const
    await pushIndex(base)
    await copyToLayout(base, layouts[0], 'one')
    await makeLayout(layouts[1], 'two', 'arm64')
    const [index, manifest] = await Promise.all([
      run('skopeo', ['inspect', '--raw', `oci:${layouts[0]}:one`]),
      run('skopeo', ['inspect', '--config', `oci:${layouts[1]}:two`]),
    ])
    expect(JSON.parse(index)).toMatchObject({ manifests: [{ platform: AMD64 }, { platform: ARM64 }] })
    expect(JSON.parse(manifest)).toMatchObject(ARM64)
  })

  const looks = 'ls -l /; ls /opt /opt/*; stat -c "%a %u:%g %n" /tmp /root /home/app /var/www; cat /etc/os-release'

  test.each([
    ['linux/amd64', 'x86_64'],
    ['linux/arm64', 'aarch64'],
  ])('what crane made for %s runs, and the layer above has done its work', async (platform, machine) => {
    await pushIndex(base)
    const said = await runImage(base, { platform, args: ['busybox', 'sh', '-c', `busybox uname -m; ${looks}`] })
    expect(said.split('\n')[0]).toBe(machine)
    expect(said).toMatch(/ bin -> usr\/bin\n/)
    expect(said).toMatch(/ srv -> var\/www\n/)
    expect(said).toMatch(/^\/opt:\nemptied\n\n\/opt\/emptied:\nabove\n/m)
    expect(said).toMatch(/^1777 0:0 \/tmp\n700 0:0 \/root\n750 1234:2345 \/home\/app\n2775 1234:2345 \/var\/www\n/m)
    expect(said).toMatch(/^ID=base$/m)
  })

  test('what buildah made runs', async () => {
    await pushManifest(base, { architecture: 'arm64' })
    expect(await runImage(base, { platform: 'linux/arm64', args: ['echo', 'hello'] })).toBe('hello\n')
  })

  // Downloads and unpacks a hundred packages the first time.
  test(
    'Debian runs',
    async () => {
      await pushDebian(base)
      expect(await runImage(base, { args: ['dpkg', '--print-architecture'] })).toBe('amd64\n')
    },
    FIRST_TIME_MS,
  )
})
