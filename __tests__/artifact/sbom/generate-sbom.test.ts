import { MemoryStore } from '../../../src/content/memory.ts'
import { readAll } from '../../../src/content/verify.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { parseManifest } from '../../../src/oci/manifest.ts'
import { parsePlatform } from '../../../src/oci/platform.ts'
import { parseReference } from '../../../src/oci/reference.ts'
import { readDocument } from '../../../src/artifact/members.ts'
import { checkSbom } from '../../../src/artifact/sbom/check-sbom.ts'
import { attachSboms, generateSbom, type SbomDeps, type SbomEvent } from '../../../src/artifact/sbom/generate-sbom.ts'
import { storeImage, storeIndex } from './images.ts'

const LAYERS = [
  {
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n',
    'lib/apk/db/installed': 'P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\n\nP:busybox\nV:1.36.1-r29\nL:GPL-2.0-only\n',
  },
  {
    'a/node_modules/x/package.json': '{"name":"x","version":"1.0.0","license":"(MIT OR Apache-2.0)"}',
    'b/node_modules/x/package.json': '{"name":"x","version":"1.0.0","license":"(MIT OR Apache-2.0)"}',
    'b/node_modules/y/package.json': '{"name":"y","version":"not a\\u0007 version","license":"SEE LICENSE IN <x>"}',
    'b/node_modules/z/package.json': '{"name":"z","version":"1","licenses":["MIT","MIT AND ISC","words"]}',
  },
]

async function prepare(sourceDateEpoch?: string) {
  const store = new MemoryStore('r.example/team/app')
  const amd64 = await storeImage(store, LAYERS)
  const arm64 = await storeImage(store, LAYERS, 'arm64')
  await storeIndex(store, 'v1', [amd64, arm64])
  const events: SbomEvent[] = []
  const deps: SbomDeps = {
    locate: () => ({ source: store, name: 'v1', mountDomain: undefined, repository: undefined }),
    openTarget: () => store,
    onEvent: event => events.push(event),
    facts: { sourceDateEpoch },
  }
  return { store, deps, amd64, arm64, events }
}

const REFERENCE = parseReference('r.example/team/app:v1')
const platform = parsePlatform('linux/arm64')
const toolVersion = '1.2.3'

interface Bom {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly components: readonly { readonly name: string; readonly properties?: unknown; readonly licenses?: unknown }[]
}

function read(bytes: Uint8Array): Bom {
  return JSON.parse(Buffer.from(bytes).toString()) as Bom
}

describe('generateSbom', () => {
  test('the document is valid, whatever packages say of themselves', async () => {
    const { deps, arm64 } = await prepare()
    const sbom = await generateSbom(REFERENCE, deps, { platform, toolVersion })
    expect(await checkSbom(sbom.bytes)).toEqual({
      artifactType: 'application/vnd.cyclonedx+json',
      form: 'CycloneDX 1.6',
      problems: [],
    })
    expect(sbom).toMatchObject({ packages: 6, subject: { digest: arm64.digest } })
  })

  test('the same image has the same document, byte for byte, with no trace of the day', async () => {
    const bytes = async (epoch?: string) => {
      const { deps } = await prepare(epoch)
      return (await generateSbom(REFERENCE, deps, { platform, toolVersion })).bytes
    }
    const first = await bytes()
    expect(digestOf(await bytes())).toBe(digestOf(first))
    expect(read(first).metadata).not.toHaveProperty('timestamp')
    expect(read(await bytes('1700000000')).metadata).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z' })
  })

  test('it says what it is about, so that it can be found without the image', async () => {
    const { deps, arm64 } = await prepare()
    const { metadata } = read((await generateSbom(REFERENCE, deps, { platform, toolVersion })).bytes)
    const purl = `pkg:oci/app@${arm64.digest}?arch=arm64&repository_url=r.example%2Fteam%2Fapp`
    expect(metadata).toMatchObject({
      component: { type: 'container', name: 'r.example/team/app', version: arm64.digest, purl },
      tools: { components: [{ name: 'oci-publish', version: '1.2.3' }] },
    })
  })

  test('a package in two folders is one component in two places; licences are ids, expressions or words', async () => {
    const { deps } = await prepare()
    const { components } = read((await generateSbom(REFERENCE, deps, { platform, toolVersion })).bytes)
    expect(components.map(({ name }) => name).sort()).toEqual(['alpine', 'busybox', 'musl', 'x', 'y', 'z'])
    const of = (name: string) => components.find(one => one.name === name)
    expect(of('x')).toMatchObject({
      licenses: [{ expression: '(MIT OR Apache-2.0)' }],
      properties: [
        { name: 'oci-publish:layer' },
        { name: 'oci-publish:location', value: '/a/node_modules/x/package.json' },
        { name: 'oci-publish:location', value: '/b/node_modules/x/package.json' },
      ],
    })
    expect(of('musl')).toMatchObject({ licenses: [{ license: { id: 'MIT' } }] })
    expect(of('y')).toMatchObject({ licenses: [{ license: { name: 'SEE LICENSE IN <x>' } }] })
    expect(of('z')?.licenses).toHaveLength(3)
  })

  test('of several platforms one has to be chosen', async () => {
    const { deps } = await prepare()
    await expect(generateSbom(REFERENCE, deps, { toolVersion })).rejects.toThrow(
      'platform: an SBOM is of one platform; there are linux/amd64, linux/arm64 (--attach makes one for each of them)',
    )
    const other = { platform: parsePlatform('linux/s390x'), toolVersion }
    await expect(generateSbom(REFERENCE, deps, other)).rejects.toThrow('lacks linux/s390x')
  })

  test('a time that is none is refused before anything is read', async () => {
    const { deps } = await prepare('yesterday')
    await expect(generateSbom(REFERENCE, deps, { platform, toolVersion })).rejects.toThrow('SOURCE_DATE_EPOCH')
  })
})

describe('attachSboms', () => {
  test('every platform gets its own, found by type, and nothing is added the second time', async () => {
    const { deps, store, amd64, arm64 } = await prepare()
    const { attachments } = await attachSboms(REFERENCE, deps, { toolVersion })
    expect(attachments.map(({ subject, existed }) => [subject.digest, existed])).toEqual([
      [amd64.digest, false],
      [arm64.digest, false],
    ])
    for (const { manifest, subject } of attachments) {
      const document = parseManifest(await readDocument(store, manifest), 'x')
      expect(document).toMatchObject({
        artifactType: 'application/vnd.cyclonedx+json',
        subject: { digest: subject.digest },
        layers: [
          {
            mediaType: 'application/vnd.cyclonedx+json',
            annotations: { 'org.opencontainers.image.title': 'sbom.cdx.json' },
          },
        ],
      })
      for (const layer of document.layers) {
        const bytes = await readAll(store.open(layer), { maxBytes: 1 << 20, what: 'x' })
        expect(read(bytes).metadata).toMatchObject({ component: { version: subject.digest } })
      }
    }
    const again = await attachSboms(REFERENCE, deps, { toolVersion })
    expect(again.attachments).toEqual(attachments.map(one => ({ ...one, existed: true })))
  })

  test('only the platform that was asked for', async () => {
    const { deps, arm64 } = await prepare()
    const { attachments } = await attachSboms(REFERENCE, deps, { platform, toolVersion })
    expect(attachments.map(({ subject }) => subject.digest)).toEqual([arm64.digest])
  })

  test('to an archive nothing can be added', async () => {
    const { deps } = await prepare()
    const archive = parseReference('oci-archive:a.tar')
    await expect(attachSboms(archive, deps, { toolVersion })).rejects.toThrow(
      'nothing can be added to oci-archive:a.tar',
    )
  })
})
