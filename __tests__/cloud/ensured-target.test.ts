import { ensuredTarget, type EnsuredTargetDeps } from '../../src/cloud/ensured-target.ts'
import type { EcrApi } from '../../src/cloud/ecr-api.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Target } from '../../src/content/ports.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { awsError, fakeEcr, type FakeEcr } from './fake-ecr.ts'

const IMAGE = { host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', repository: 'team/app' }
const LIFECYCLE = '{"rules":[]}'

const blobs = [1, 2, 3].map(byte => {
  const bytes = new Uint8Array([byte])
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: 1 }
  return bytesBlob({ descriptor, bytes })
})

interface Ensured {
  readonly target: Target
  readonly store: MemoryStore
  readonly api: FakeEcr
  readonly created: string[]
}

function ensured(answers: Partial<EcrApi> = {}, image = IMAGE, more: Partial<EnsuredTargetDeps> = {}): Ensured {
  const [store, api, created]: [MemoryStore, FakeEcr, string[]] = [new MemoryStore(), fakeEcr(answers), []]
  const target = ensuredTarget(store, image, {
    open: () => Promise.resolve(api),
    settings: { tagMutability: 'mutable', scanOnPush: false },
    onCreated: place => {
      created.push(place)
    },
    ...more,
  })
  return { target, store, api, created }
}

async function pushAll(target: Target): Promise<void> {
  await Promise.all(blobs.map(blob => target.push(blob)))
}

test('the repository is there before the first layer, and is asked for once for all of them', async () => {
  const { target, store, api, created } = ensured({}, IMAGE, { lifecyclePolicy: LIFECYCLE })
  await pushAll(target)
  expect(api.asked).toEqual(['has team/app', 'create team/app mutable', `lifecycle team/app ${LIFECYCLE}`])
  expect(created).toEqual([store.place])
  expect(await Promise.all(blobs.map(({ descriptor }) => store.has(descriptor)))).toEqual([true, true, true])
})

test('one that was there already is not told as made', async () => {
  const { target, created } = ensured({ hasRepository: () => Promise.resolve(true) })
  await pushAll(target)
  expect(created).toEqual([])
})

test('a dry run, which only looks, makes nothing', async () => {
  const { target, api } = ensured()
  for (const { descriptor } of blobs) await target.has(descriptor)
  await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(api.asked).toEqual([])
})

test('a refusal keeps every layer from being sent, and AWS from being asked for each', async () => {
  const { target, store, api } = ensured({
    createRepository: () => Promise.reject(awsError('LimitExceededException', 'too many')),
  })
  for (const blob of blobs) await expect(target.push(blob)).rejects.toThrow('could not create it: LimitExceeded')
  expect(api.asked).toHaveLength(2)
  expect(await Promise.all(blobs.map(({ descriptor }) => store.has(descriptor)))).toEqual([false, false, false])
})

test('a policy that cannot be read leaves no repository without it', async () => {
  const { target, api } = ensured({}, IMAGE, { repositoryPolicy: 'not/there.json' })
  await expect(pushAll(target)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(api.asked).toEqual([])
})

test('other registries make their repositories themselves', () => {
  const { target, store } = ensured({}, { host: 'ghcr.io', repository: 'team/app' })
  expect(target).toBe(store)
})
