import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attachArtifact, type Attached } from '../../src/artifact/attach.ts'
import type { AttachWords } from '../../src/artifact/attach-request.ts'
import { composeArtifact } from '../../src/artifact/artifact.ts'
import { discover } from '../../src/artifact/discover.ts'
import type { Hanging } from '../../src/content/hanging.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import type { Blob } from '../../src/content/blob.ts'
import type { ReferrerLister, Target } from '../../src/content/ports.ts'
import { openLayout } from '../../src/layout/directory.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parseReference } from '../../src/oci/reference.ts'
import { clientOf, documentOf } from '../registry/client.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { layerOf } from './shelf.ts'
import { SPDX_DOCUMENT } from './sbom-documents.ts'

const SPDX = 'application/spdx+json'
const layer = layerOf('layer', undefined, { mediaType: 'application/vnd.oci.image.layer.v1.tar' })

type Place = Target & ReferrerLister

async function push(place: Place, ...blobs: readonly Blob[]): Promise<void> {
  for (const blob of blobs) await place.push(blob)
}

async function pushImage(place: Place, architecture: string): Promise<Descriptor> {
  const rootfs = { type: 'layers', diff_ids: [layer.descriptor.digest] }
  const config = documentOf(OCI_CONFIG, { os: 'linux', architecture, rootfs })
  const parts = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer.descriptor] }
  const manifest = documentOf(OCI_MANIFEST, parts)
  await push(place, config, layer, manifest)
  return manifest.descriptor
}

/** Two platforms, one of them with an attestation of BuildKit; tagged v1. */
async function pushIndex(
  place: Place,
): Promise<Readonly<Record<'index' | 'amd64' | 'arm64' | 'attestation', Descriptor>>> {
  const [amd64, arm64] = [await pushImage(place, 'amd64'), await pushImage(place, 'arm64')]
  const attestation = await pushImage(place, 'unknown')
  const about = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': amd64.digest }
  const manifests = [
    { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
    arm64, // its config has the platform
    { ...attestation, platform: { os: 'unknown', architecture: 'unknown' }, annotations: about },
  ]
  const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests })
  await push(place, index)
  await place.tag(index, ['v1'])
  return { index: index.descriptor, amd64, arm64, attestation }
}

const found = async (place: Place, name = 'v1') =>
  discover(parseReference(`r.example/team/app:${name}`), { locate: () => ({ source: place, name }) })

interface Run {
  readonly place: Place
  readonly path: string
}

async function attach({ place, path }: Run, words: Partial<AttachWords> = {}): Promise<Attached> {
  await writeFile(join(path, 'sbom.spdx.json'), SPDX_DOCUMENT)
  const asked = { subject: 'r.example/team/app:v1', files: ['sbom.spdx.json'], artifactType: undefined, platforms: [] }
  return attachArtifact(
    { ...asked, annotations: [], context: path, ...words },
    {
      locate: reference => {
        const name = reference.kind === 'registry' ? (reference.digest ?? reference.tag ?? 'latest') : ''
        return { source: place, name, mountDomain: undefined, repository: undefined }
      },
      openTarget: () => place,
      tempDir: path,
      onEvent: () => undefined,
    },
  )
}

interface Opened extends AsyncDisposable, Run {
  readonly registry: SpecRegistry | undefined
}

async function openRegistry(referrers: boolean): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startSpecRegistry({ referrers }))
  const { path } = stack.use(await temporaryDirectory())
  const place = stack.use(clientOf(registry)).open('team/app')
  const opened = stack.move()
  return { registry, place, path, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function openDirectory(): Promise<Opened> {
  const directory = await temporaryDirectory()
  const place = openLayout(join(directory.path, 'layout'))
  return {
    registry: undefined,
    place,
    path: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const digests = (referrers: readonly Hanging[]): readonly string[] =>
  referrers.map(({ descriptor }) => descriptor.digest)

describe.each([
  ['a registry with lists of referrers', () => openRegistry(true)],
  ['a registry without', () => openRegistry(false)],
  ['a layout', openDirectory],
])('in %s', (_name, open) => {
  test('an SBOM hangs on what its reference stands for, by the type that its name tells', async () => {
    await using opened = await open()
    const { index } = await pushIndex(opened.place)
    const { artifactType, attachments } = await attach(opened)
    expect(artifactType).toBe(SPDX)
    expect(attachments).toMatchObject([{ subject: index, platform: undefined, existed: false }])
    const { descriptor, referrers } = await found(opened.place)
    expect(descriptor.digest).toBe(index.digest)
    expect(referrers).toMatchObject([{ descriptor: { artifactType: SPDX }, by: 'subject', referrers: [] }])
    expect(digests(referrers)).toEqual([attachments[0]?.manifest.digest])
  })

  test('every platform gets its own, and nothing that is no platform', async () => {
    await using opened = await open()
    const { amd64, arm64, attestation } = await pushIndex(opened.place)
    const { attachments } = await attach(opened, { platforms: ['all'] })
    expect(attachments.map(({ subject }) => subject.digest)).toEqual([amd64.digest, arm64.digest])
    expect(attachments.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64'])
    const { referrers, manifests } = await found(opened.place)
    expect(referrers).toEqual([])
    expect(manifests.map(one => one.platform?.architecture)).toEqual(['amd64', 'arm64'])
    const [one, other] = attachments.map(({ manifest }) => manifest.digest)
    expect(manifests.map(child => digests(child.referrers))).toEqual([[one, attestation.digest], [other]])
    expect(manifests[0]?.referrers[1]?.by).toBe('index')
  })

  test('the same again adds nothing, and other annotations are another attachment', async () => {
    await using opened = await open()
    await pushIndex(opened.place)
    const first = await attach(opened)
    const again = await attach(opened)
    expect(again.attachments).toEqual(first.attachments.map(one => ({ ...one, existed: true })))
    expect((await found(opened.place)).referrers).toHaveLength(1)
    await attach(opened, { annotations: ['who=me', 'x=a=b'] })
    const { referrers } = await found(opened.place)
    expect(referrers.map(({ descriptor }) => descriptor.annotations ?? {})).toEqual([{}, { who: 'me', x: 'a=b' }])
  })

  test('one platform, and the index too, where that is asked for', async () => {
    await using opened = await open()
    const { index, arm64 } = await pushIndex(opened.place)
    const { attachments } = await attach(opened, { platforms: ['index', 'linux/arm64'] })
    expect(attachments.map(({ subject }) => subject.digest)).toEqual([index.digest, arm64.digest])
    const { referrers, manifests } = await found(opened.place)
    expect([referrers.length, ...manifests.map(one => one.referrers.length)]).toEqual([1, 1, 1])
  })

  test('what hangs on an attachment is shown below it, and what cosign tags beside it', async () => {
    await using opened = await open()
    const { place } = opened
    const { index } = await pushIndex(place)
    const { attachments } = await attach(opened)
    const sbom = attachments[0]?.manifest ?? index
    await attach(opened, { subject: `r.example/team/app@${sbom.digest}`, artifactType: 'application/vnd.x.signature' })
    const signature = composeArtifact({ layers: [layer], artifactType: 'a/b' })
    const tag = `${index.digest.replace(':', '-')}.sig`
    await pushArtifact(place, signature, { tags: [tag] })
    const { referrers } = await found(place)
    expect(referrers).toMatchObject([
      { by: 'subject', referrers: [{ descriptor: { artifactType: 'application/vnd.x.signature' }, referrers: [] }] },
      { by: 'tag', tag, descriptor: { digest: signature.manifest.descriptor.digest } },
    ])
  })

  test('without files an annotation is what is attached', async () => {
    await using opened = await open()
    await pushIndex(opened.place)
    await attach(opened, { files: [], artifactType: 'application/vnd.x.note', annotations: ['reviewed=yes'] })
    expect((await found(opened.place)).referrers[0]?.descriptor.annotations).toEqual({ reviewed: 'yes' })
  })
})

test('the file goes over the wire once, however many platforms get it', async () => {
  await using opened = await openRegistry(true)
  await pushIndex(opened.place)
  const seen = opened.registry?.requests.length
  await attach(opened, { platforms: ['all'] })
  const sent = opened.registry?.requests.slice(seen).filter(({ method }) => method === 'PUT' || method === 'POST')
  // One upload each of the file and of the empty config, POST and PUT, and a manifest for each platform.
  const kinds = sent?.map(({ path }) => path.split('/')[4]).sort()
  expect(kinds).toEqual(['blobs', 'blobs', 'blobs', 'blobs', 'manifests', 'manifests'])
})

test('a registry that names a manifest which it does not have gets no attachment that nobody will find', async () => {
  await using opened = await openRegistry(true)
  await pushIndex(opened.place)
  const lie = `sha256:${'0'.repeat(64)}`
  opened.registry?.fail({ method: 'HEAD', path: '/manifests/v1' }, { digestHeader: lie })
  const seen = opened.registry?.requests.length
  await expect(attach(opened)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `r.example/team/app:v1 is said to be ${lie}, but there is no manifest with that digest`,
  })
  expect(opened.registry?.requests.slice(seen).filter(({ method }) => method === 'PUT')).toEqual([])
})

test('a subject that is not there is said to be missing, and what to do', async () => {
  await using opened = await openRegistry(true)
  await expect(attach(opened)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'r.example/team/app:v1 is not there, so nothing can be attached to it',
    hint: 'publish it first; what there is shows "oci-publish tags r.example/team/app"',
  })
})

test.each([
  [['linux/s390x'], /lacks linux\/s390x; it has linux\/amd64, linux\/arm64$/],
  [['linux/s390x', 'windows/amd64'], /lacks linux\/s390x and windows\/amd64; it has/],
])('%s is not there: it says what is', async (platforms, message) => {
  await using opened = await openDirectory()
  await pushIndex(opened.place)
  await expect(attach(opened, { platforms })).rejects.toThrow(message)
})

test('an image of one platform is its own platform, and no index', async () => {
  await using opened = await openDirectory()
  const { amd64 } = await pushIndex(opened.place)
  const subject = `r.example/team/app@${amd64.digest}`
  for (const platforms of [['all'], ['linux/amd64'], []]) {
    const { attachments } = await attach(opened, { subject, platforms })
    expect(attachments).toMatchObject([{ subject: { digest: amd64.digest }, platform: { architecture: 'amd64' } }])
  }
  await expect(attach(opened, { subject, platforms: ['index'] })).rejects.toThrow('is no index')
})

test('everything that is wrong with a request is said at once, before anything is asked', async () => {
  await using opened = await openDirectory()
  const wrong = {
    ...{ subject: 'oci-archive:app.tar', files: ['missing.txt'], artifactType: 'sbom', platforms: ['linux'] },
    annotations: ['x'],
  }
  const failed = attach(opened, wrong)
  await expect(failed).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  for (const part of [
    'subject: nothing can be added to the archive app.tar',
    'platforms: unknown platform "linux"',
    'annotations: "x" is not KEY=VALUE',
    'artifact-type: "sbom" is not a media type',
    'files: missing.txt is not there',
  ]) {
    await expect(failed).rejects.toThrow(part)
  }
  await expect(attach(opened, { files: [] })).rejects.toThrow('files: there is nothing to attach')
  await writeFile(join(opened.path, 'report.txt'), '')
  await expect(attach(opened, { files: ['report.txt'] })).rejects.toThrow('artifact-type: say what it is')
  await expect(attach(opened, { files: ['report.txt', 'sbom.spdx.json'] })).rejects.toThrow('artifact-type: say what')
})
