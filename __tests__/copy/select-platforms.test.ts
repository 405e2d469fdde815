import { describedAs, type Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readAll } from '../../src/content/verify.ts'
import { readGraph } from '../../src/copy/walk.ts'
import { selectPlatforms, type Selection } from '../../src/copy/select-platforms.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import { OCI_INDEX } from '../../src/oci/media-type.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import { image, index, manifest, textBlob } from './sample.ts'

async function storeOf(...blobs: readonly Blob[]): Promise<MemoryStore> {
  const store = new MemoryStore('memory')
  for (const blob of blobs) await store.push(blob)
  return store
}

const platformsOf = (...names: readonly string[]) => names.map(parsePlatform)

interface Parsed {
  readonly manifests: readonly Descriptor[]
}

async function documentOf({ root, contentOf }: Selection): Promise<Parsed & Record<string, unknown>> {
  const bytes = await readAll(contentOf(root).open(), { maxBytes: 1 << 20, what: 'root' })
  return JSON.parse(new TextDecoder().decode(bytes)) as Parsed & Record<string, unknown>
}

const rootOf = (blobs: readonly Blob[]): Descriptor => {
  const root = blobs.at(-1)
  if (!root) throw new Error('an image has a manifest')
  return root.descriptor
}

const AMD = image('linux/amd64', ['amd'])
const ARM = image('linux/arm64', ['arm'])
const ARMV7 = image('linux/arm/v7', ['armv7'])
const entry = (blobs: readonly Blob[], platform: string): Descriptor => ({
  ...rootOf(blobs),
  platform: parsePlatform(platform),
})
const [AMD_ENTRY, ARM_ENTRY, ARMV7_ENTRY] = [
  entry(AMD, 'linux/amd64'),
  entry(ARM, 'linux/arm64'),
  entry(ARMV7, 'linux/arm/v7'),
]

/** As BuildKit has it: a child for nobody that says what it is about. */
function attestationOf({ digest }: Descriptor): readonly [Descriptor, ...Blob[]] {
  const config = textBlob(`{"about":"${digest}"}`, 'application/vnd.oci.image.config.v1+json')
  const made = manifest(config.descriptor, [])
  const described: Descriptor = {
    ...made.descriptor,
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest },
    platform: { os: 'unknown', architecture: 'unknown' },
  }
  return [described, config, made]
}

test('an index of the platforms that are wanted, in its own order and with all that it said', async () => {
  const parts = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [ARM_ENTRY, ARMV7_ENTRY, AMD_ENTRY] }
  const extra = { annotations: { a: 'b' }, 'x-unknown': [1] }
  const whole = bytesBlob(toDocument(OCI_INDEX, { ...parts, ...extra }))
  const store = await storeOf(...AMD, ...ARM, ...ARMV7, whole)
  const selection = await selectPlatforms(store, whole.descriptor, platformsOf('linux/amd64', 'linux/arm64'))
  expect(selection.root.digest).not.toBe(whole.descriptor.digest)
  expect(await documentOf(selection)).toEqual({ ...parts, ...extra, manifests: [ARM_ENTRY, AMD_ENTRY] })
  expect(await readGraph(selection.contentOf, selection.root)).toHaveLength(7)
})

test('all that there is, asked for by name, is the index itself with its digest', async () => {
  const whole = index([AMD_ENTRY, ARM_ENTRY])
  const store = await storeOf(...AMD, ...ARM, whole)
  const { root } = await selectPlatforms(store, whole.descriptor, platformsOf('linux/arm64', 'linux/amd64'))
  expect(root).toEqual(whole.descriptor)
})

test('without a wish nothing is read', async () => {
  const whole = index([AMD_ENTRY])
  const { root } = await selectPlatforms(new MemoryStore(), whole.descriptor, [])
  expect(root).toBe(whole.descriptor)
})

test('attestations go with the image that they are about', async () => {
  const [ofAmd, ...amdParts] = attestationOf(AMD_ENTRY)
  const [ofArm, ...armParts] = attestationOf(ARM_ENTRY)
  const whole = index([AMD_ENTRY, ARM_ENTRY, ofAmd, ofArm])
  const store = await storeOf(...AMD, ...ARM, ...amdParts, ...armParts, whole)
  const selection = await selectPlatforms(store, whole.descriptor, platformsOf('linux/arm64'))
  expect((await documentOf(selection)).manifests).toEqual([ARM_ENTRY, ofArm])
})

test('an index within an index is rewritten too, and its entry no longer carries what it was', async () => {
  const inner = index([AMD_ENTRY, ARM_ENTRY])
  const other = index([ARMV7_ENTRY])
  const described = { ...inner.descriptor, annotations: { name: 'inner' }, data: 'e30=' }
  const whole = index([described, other.descriptor])
  const store = await storeOf(...AMD, ...ARM, ...ARMV7, inner, other, whole)
  const selection = await selectPlatforms(store, whole.descriptor, platformsOf('linux/amd64'))
  const { manifests } = await documentOf(selection)
  const { digest, size } = index([AMD_ENTRY]).descriptor
  expect(manifests).toEqual([{ mediaType: OCI_INDEX, digest, size, annotations: { name: 'inner' } }])
  expect(await readGraph(selection.contentOf, selection.root)).toHaveLength(5)
})

test('an entry that does not say its platform is asked for it; what has none is for none', async () => {
  const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
  const artifact = manifest(config.descriptor, [])
  const whole = index([rootOf(AMD), rootOf(ARM), artifact.descriptor])
  const store = await storeOf(...AMD, ...ARM, config, artifact, whole)
  const selection = await selectPlatforms(store, whole.descriptor, platformsOf('linux/amd64'))
  expect((await documentOf(selection)).manifests).toEqual([rootOf(AMD)])
})

test('the manifest of the only platform is taken as it is', async () => {
  const store = await storeOf(...AMD)
  const { root } = await selectPlatforms(store, rootOf(AMD), platformsOf('linux/amd64'))
  expect(root).toEqual(rootOf(AMD))
})

test.each([
  ['an index', index([AMD_ENTRY, ARM_ENTRY]), 'linux/s390x; it has linux/amd64, linux/arm64'],
  ['a manifest', describedAs(AMD.at(-1) ?? textBlob(''), rootOf(AMD)), 'linux/s390x; it has linux/amd64'],
  ['an index of nothing', index([]), 'linux/amd64 and linux/s390x; it has nothing to run'],
])('%s that lacks a platform is refused, with what it has', async (_name, root, told) => {
  const store = await storeOf(...AMD, ...ARM, root)
  const selected = selectPlatforms(store, root.descriptor, platformsOf('linux/amd64', 'linux/s390x'))
  await expect(selected).rejects.toThrow(`platforms: memory@${root.descriptor.digest} lacks ${told}`)
})

test('indexes without an end are refused', async () => {
  const blobs = [...AMD]
  for (let depth = 0; depth < 10; depth++) blobs.push(index([rootOf(blobs)]))
  const store = await storeOf(...blobs)
  await expect(selectPlatforms(store, rootOf(blobs), platformsOf('linux/amd64'))).rejects.toThrow('nest too deep')
})

test('an index that leads to itself a thousand times over is left at 2,000 entries', async () => {
  let last = rootOf(AMD)
  const blobs = [...AMD]
  for (let depth = 0; depth < 4; depth++) {
    const document = toDocument(OCI_INDEX, {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: Array<object>(60).fill(last),
      annotations: { depth: `${depth}` },
    })
    blobs.push(bytesBlob(document))
    last = document.descriptor
  }
  const selecting = selectPlatforms(await storeOf(...blobs), last, platformsOf('linux/amd64'))
  await expect(selecting).rejects.toMatchObject({ code: 'TOO_LARGE' })
})
