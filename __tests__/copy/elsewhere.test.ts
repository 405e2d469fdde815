import { copyImage, type ImageCopy } from '../../src/copy/copy-image.ts'
import { parseCopy } from '../../src/copy/request.ts'
import type { SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { openPlaces, type Places } from './places.ts'
import { multiPlatform, type Sample } from './sample.ts'

/** As a mirror has it: a manifest of any repository is found by its digest in all of them; blobs are where they were sent. */
const ELSEWHERE: SpecRegistryOptions = { manifestsEverywhere: true, mount: false }

async function putAt(places: Places, place: string, tag: string): Promise<Sample> {
  const sample = multiPlatform()
  const target = places.open(place)
  for (const blob of sample.blobs) await target.push(blob)
  await target.tag(sample.root, [tag])
  return sample
}

function copy(places: Places, from: string, to: string): Promise<ImageCopy> {
  return copyImage(parseCopy({ from, to, platforms: [], referrers: false, dryRun: false }), places.deps)
}

const pushes = (places: Places, since: number): readonly string[] =>
  places
    .registry('api.example')
    .requests.slice(since)
    .map(({ method, path }) => `${method} ${path.replace(/sha256:.*/, 'sha256')}`)

test.each([
  ['that looks at blobs when a manifest is pushed', ELSEWHERE],
  ['that looks at nothing', { ...ELSEWHERE, missingContent: 'taken' } as const],
])(
  'a tag never leads to what only another repository of the registry has: at one %s',
  async (_name, options: SpecRegistryOptions) => {
    await using places = await openPlaces(options)
    const { root, blobs } = await putAt(places, 'api.example/a', 'v1')
    await putAt(places, 'api2.example/a', 'v1')
    await copy(places, 'api2.example/a:v1', 'api.example/b:v1')
    const registry = places.registry('api.example')
    expect(registry.missing('b', root.descriptor.digest)).toEqual([])
    for (const { descriptor } of blobs) {
      const there = registry.manifest('b', descriptor.digest) ?? (await registry.blob('b', descriptor.digest))
      expect(there).toBeDefined()
    }
  },
)

test('nor where a run before it left the manifests there without a tag and without their blobs', async () => {
  await using places = await openPlaces({ missingContent: 'taken' })
  const { root, blobs } = await putAt(places, 'api2.example/a', 'v1')
  const target = places.open('api.example/b')
  for (const blob of blobs.filter(({ descriptor }) => descriptor.mediaType.includes('.image.manifest'))) {
    await target.push(blob)
  }
  await target.push(root)
  await copy(places, 'api2.example/a:v1', 'api.example/b:v1')
  expect(places.registry('api.example').missing('b', root.descriptor.digest)).toEqual([])
})

test('what a tag of the repository leads to is believed: another tag for it costs one PUT, a copy again one request', async () => {
  await using places = await openPlaces()
  await putAt(places, 'api.example/a', 'v1')
  const registry = places.registry('api.example')
  const before = registry.requests.length
  await copy(places, 'api.example/a:v1', 'api.example/a:prod')
  expect(pushes(places, before).filter(line => !line.startsWith('HEAD'))).toEqual([
    'GET /v2/a/manifests/sha256', // what is tagged has to be sent
    'PUT /v2/a/manifests/prod',
  ])
  const done = registry.requests.length
  await putAt(places, 'api2.example/a', 'v1')
  await copy(places, 'api2.example/a:v1', 'api.example/a:v1')
  expect(pushes(places, done)).toEqual(['HEAD /v2/a/manifests/v1'])
})

test('a registry that refuses to be sent a manifest twice keeps the one that it has', async () => {
  await using places = await openPlaces()
  const { root } = await putAt(places, 'api.example/a', 'v1')
  await putAt(places, 'api2.example/a', 'v1')
  const registry = places.registry('api.example')
  registry.fail({ method: 'PUT', path: /manifests\/sha256:/, times: 3 }, { status: 403 })
  const { outcome } = await copy(places, 'api2.example/a:v1', 'api.example/a:v2')
  expect(registry.tags('a').get('v2')).toBe(root.descriptor.digest)
  expect(outcome.steps === undefined && outcome.result.sent.descriptors).toEqual([])
})
