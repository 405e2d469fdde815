import { describedAs, type Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { PushOptions, Pushed, Target } from '../../src/content/ports.ts'
import type { CopyEvent } from '../../src/copy/event.ts'
import { readAll } from '../../src/content/verify.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { planCopy } from '../../src/copy/plan.ts'
import { blobsOf, readGraph } from '../../src/copy/walk.ts'
import { RegistryError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { isManifestType } from '../../src/oci/media-type.ts'
import { image, index, manifest, multiPlatform, sampleOf, textBlob } from './sample.ts'

/** A memory store that remembers what was asked of it, and may refuse. */
function recorder(refuse: (blob: Blob, store: MemoryStore) => Promise<void> = () => Promise.resolve()) {
  const store = new MemoryStore('recorder')
  const pushes: Descriptor[] = []
  const asked: Descriptor[] = []
  const target: Target = {
    place: store.place,
    resolve: name => store.resolve(name),
    open: (descriptor, options) => store.open(descriptor, options as { signal?: AbortSignal }),
    has: descriptor => {
      asked.push(descriptor)
      return store.has(descriptor)
    },
    async push(blob: Blob, options?: PushOptions): Promise<Pushed> {
      pushes.push(blob.descriptor)
      await refuse(blob, store)
      if (options?.mountFrom?.includes('team/base') && !(await store.has(blob.descriptor))) {
        await store.push(blob)
        return { how: 'mounted', bytes: 0 }
      }
      const pushed = await store.push(blob, { signal: options?.signal })
      options?.onBytes?.(pushed.bytes)
      return pushed
    },
    tag: (blob, names) => store.tag(blob, names),
  }
  return { store, target, pushes, asked }
}

const digests = (descriptors: readonly Descriptor[]): string[] => descriptors.map(({ digest }) => digest)

function refusal(codes: readonly string[]): RegistryError {
  return new RegistryError({
    ...{ side: 'target', host: '127.0.0.1:5000', repository: 'a', operation: 'push manifest', method: 'PUT' },
    ...{ url: 'http://127.0.0.1:5000/', status: 404, codes, detail: '', requestId: undefined, retriable: false },
  })
}

describe('layers that only their publisher may serve', () => {
  const TYPE = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  const config = textBlob('{}', 'application/vnd.oci.image.config.v1+json')
  const theirs = textBlob('theirs', TYPE)

  test('a layer that the source lacks is left out when the manifest says where to download it', async () => {
    const root = manifest(config.descriptor, [{ ...theirs.descriptor, urls: ['https://example.com/layer'] }])
    const graph = await readGraph(sampleOf([config, root]).contentOf, root.descriptor)
    expect(graph.map(({ blob }) => blob.descriptor.digest)).toEqual(digests([config.descriptor, root.descriptor]))
  })

  test.each<[string, Pick<Descriptor, 'urls'>]>([
    ['no urls', {}],
    ['an empty list of urls', { urls: [] }],
  ])('a copy fails when the source lacks such a layer and the manifest has %s', async (_, urls) => {
    const root = manifest(config.descriptor, [{ ...theirs.descriptor, ...urls }])
    const { target, pushes } = recorder()
    const { contentOf } = sampleOf([config, root])
    await expect(copyGraph(contentOf, root.descriptor, target)).rejects.toMatchObject({
      message: expect.stringContaining(theirs.descriptor.digest) as string,
    })
    expect(digests(pushes)).not.toContain(root.descriptor.digest)
  })

  test('a layer that the source has is copied', async () => {
    const root = manifest(config.descriptor, [{ ...theirs.descriptor, urls: ['https://example.com/layer'] }])
    const { target, pushes } = recorder()
    await copyGraph(sampleOf([config, theirs, root]).contentOf, root.descriptor, target)
    expect(digests(pushes)).toContain(theirs.descriptor.digest)
  })
})

describe('copyGraph()', () => {
  test('a registry that checks references takes every manifest, because what it points at came before', async () => {
    const { blobs, root, contentOf } = multiPlatform()
    const { target, pushes } = recorder(async (blob, store) => {
      if (!isManifestType(blob.descriptor.mediaType)) return
      const [, ...rest] = [...(await readGraph(contentOf, blob.descriptor))].reverse()
      for (const node of rest) expect(await store.has(node.blob.descriptor)).toBe(true)
    })

    const { sent, mounted, existing } = await copyGraph(contentOf, root.descriptor, target)

    const unique = new Set(blobs.map(({ descriptor }) => descriptor.digest))
    expect(new Set(digests(pushes))).toEqual(unique)
    expect(pushes).toHaveLength(unique.size) // the shared layer once
    expect(pushes.at(-1)).toEqual(root.descriptor)
    expect(digests(sent.descriptors)).toHaveLength(unique.size)
    expect(sent.bytes).toBe(pushes.reduce((sum, { size }) => sum + size, 0))
    expect([mounted, existing]).toEqual([
      { descriptors: [], bytes: 0 },
      { descriptors: [], bytes: 0 },
    ])
  })

  test('publishing again costs one question', async () => {
    const { root, contentOf } = multiPlatform()
    const { target, pushes, asked } = recorder()
    const first = await copyGraph(contentOf, root.descriptor, target)
    pushes.length = asked.length = 0

    const second = await copyGraph(contentOf, root.descriptor, target)

    expect(asked).toEqual([root.descriptor])
    expect(pushes).toEqual([])
    expect(second.existing.descriptors).toEqual(first.sent.descriptors)
    expect(second.sent.descriptors).toEqual([])
  })

  test('a new index over known images sends the index alone', async () => {
    const { blobs, root, contentOf } = multiPlatform()
    const { target, pushes } = recorder()
    await copyGraph(contentOf, root.descriptor, target)
    pushes.length = 0
    const manifests = blobs.filter(({ descriptor }) => descriptor.mediaType.includes('manifest'))
    const other = index([...manifests].reverse().map(({ descriptor }) => descriptor))

    await copyGraph(sampleOf([...blobs, other]).contentOf, other.descriptor, target)

    expect(pushes).toEqual([other.descriptor])
  })

  test('a broken layer does not stop its siblings, and no manifest is pushed without its layers', async () => {
    const { blobs, root, contentOf } = multiPlatform()
    const broken = blobs[1] // the layer of linux/amd64 alone
    const { target, store } = recorder(blob =>
      blob.descriptor.digest === broken?.descriptor.digest ? Promise.reject(new Error('cut')) : Promise.resolve(),
    )

    await expect(copyGraph(contentOf, root.descriptor, target, { concurrency: 1 })).rejects.toThrow(/^cut$/)

    const there = await Promise.all(blobs.map(async blob => [await store.has(blob.descriptor), blob] as const))
    const missing = there.filter(([has]) => !has).map(([, blob]) => blob.descriptor.digest)
    expect(missing).toEqual([blobs[1], blobs[3], root].map(blob => blob?.descriptor.digest))
  })

  test('tells every failure once, though two platforms wait for the same layer', async () => {
    const { blobs, root, contentOf } = multiPlatform()
    const bad = new Map([blobs[0], blobs[1]].map((blob, i) => [blob?.descriptor.digest, `cut ${i}`]))
    const { target } = recorder(({ descriptor: { digest } }) =>
      bad.has(digest) ? Promise.reject(new Error(bad.get(digest))) : Promise.resolve(),
    )
    const failure = await copyGraph(contentOf, root.descriptor, target).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AggregateError)
    expect((failure as AggregateError).errors.map(String).sort()).toEqual(['Error: cut 0', 'Error: cut 1'])
  })

  test.each([
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ])('a layer that its publisher serves is copied by whoever has it (%s)', async type => {
    const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
    const kept = textBlob('kept', type)
    const root = manifest(config.descriptor, [{ ...kept.descriptor, urls: ['https://example.com/layer'] }])
    const { target, pushes } = recorder()
    const { contentOf } = sampleOf([config, kept, root])
    const steps = await planCopy(contentOf, root.descriptor, target)
    expect(steps.map(step => step.descriptor.digest)).toEqual(digests([config, kept, root].map(one => one.descriptor)))
    await copyGraph(contentOf, root.descriptor, target)
    expect(digests(pushes).sort()).toEqual(digests([config, kept, root].map(one => one.descriptor)).sort())
  })

  test('a source that fails is not taken for one without the layer', async () => {
    const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
    const theirs = { ...textBlob('theirs', type).descriptor, urls: ['https://example.com/layer'] }
    const root = manifest(config.descriptor, [theirs])
    const { contentOf } = sampleOf([config, root])
    const cut = (): never => {
      throw new Error('cut')
    }
    const failing: typeof contentOf = one =>
      one.digest === theirs.digest ? { descriptor: one, open: cut } : contentOf(one)
    await expect(copyGraph(failing, root.descriptor, recorder().target)).rejects.toThrow('cut')
  })

  test('layers that only their publisher may serve are not pushed, those without urls are', async () => {
    const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
    const theirs = textBlob('theirs', type)
    const ours = textBlob('ours', type)
    const root = manifest(config.descriptor, [
      { ...theirs.descriptor, urls: ['https://example.com/layer'] },
      ours.descriptor,
    ])
    const { target, pushes } = recorder()
    await copyGraph(sampleOf([config, ours, root]).contentOf, root.descriptor, target)
    expect(digests(pushes).sort()).toEqual(digests([config, ours, root].map(({ descriptor }) => descriptor)).sort())
  })

  test('a manifest that the target has without its blobs heals by itself', async () => {
    const blobs = image('linux/amd64', ['one'])
    const [layer, , child] = blobs
    const top = index(child ? [child.descriptor] : [])
    const { contentOf } = sampleOf([...blobs, top])
    let refused = 0
    const { target, pushes, store } = recorder(async (blob, store) => {
      if (blob.descriptor.digest !== top.descriptor.digest || (layer && (await store.has(layer.descriptor)))) return
      refused++
      throw refusal(['MANIFEST_BLOB_UNKNOWN'])
    })
    if (child) await store.push(child) // it was there once; the garbage collector took what it points at

    const { sent } = await copyGraph(contentOf, top.descriptor, target)

    expect(refused).toBe(1)
    expect(pushes.at(-1)).toEqual(top.descriptor)
    expect(digests(sent.descriptors)).toEqual(digests([blobs[1], layer, top].map(blob => (blob ?? top).descriptor)))
  })

  test('a refusal for another reason is told at once', async () => {
    const { root, contentOf } = multiPlatform()
    const { target, pushes } = recorder(blob =>
      blob.descriptor.digest === root.descriptor.digest ? Promise.reject(refusal(['DENIED'])) : Promise.resolve(),
    )
    await expect(copyGraph(contentOf, root.descriptor, target)).rejects.toThrow('DENIED')
    expect(pushes.filter(({ digest }) => digest === root.descriptor.digest)).toHaveLength(1)
  })

  test('an abort throws its own reason, once, and starts nothing more', async () => {
    const { root, contentOf } = multiPlatform()
    const controller = new AbortController()
    const reason = new Error('stopped by SIGINT')
    const { target, pushes } = recorder(() => {
      controller.abort(reason)
      return Promise.reject(new Error('connection closed'))
    })
    const copied = copyGraph(contentOf, root.descriptor, target, { concurrency: 1, signal: controller.signal })
    await expect(copied).rejects.toBe(reason)
    expect(pushes).toHaveLength(1)
  })

  test('at most so many blobs are under way', async () => {
    const { root, contentOf } = multiPlatform()
    let running = 0
    let most = 0
    const { target } = recorder(async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
    })
    await copyGraph(contentOf, root.descriptor, target, { concurrency: 2 })
    expect(most).toBe(2)
  })

  test('a progress bar hears of every blob, its bytes and how it came to be there', async () => {
    const blobs = image('linux/amd64', ['one', 'base'])
    const { root, contentOf } = sampleOf(blobs)
    const { target } = recorder()
    const events: CopyEvent[] = []
    const base = blobs[1]?.descriptor.digest
    const { mounted } = await copyGraph(contentOf, root.descriptor, target, {
      mountFrom: ({ digest }) => (digest === base ? ['team/base'] : []),
      onEvent: event => events.push(event),
    })
    expect(digests(mounted.descriptors)).toEqual([base])
    const of = (digest: string | undefined): CopyEvent[] =>
      events.filter(event => 'blob' in event && event.blob.digest === digest)
    expect(of(base)).toMatchObject([{ type: 'blob-start' }, { type: 'blob-done', how: 'mounted', bytes: 0 }])
    const size = blobs[0]?.descriptor.size
    expect(of(blobs[0]?.descriptor.digest)).toMatchObject([
      { type: 'blob-start' },
      { type: 'blob-progress', bytes: size },
      { type: 'blob-done', how: 'uploaded', bytes: size },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'manifest-done', how: 'uploaded', manifest: root.descriptor })
  })

  test('one target is the source of the next', async () => {
    const { root, contentOf, blobs } = multiPlatform()
    const [first, second] = [new MemoryStore('first'), new MemoryStore('second')]
    await copyGraph(contentOf, root.descriptor, first)
    await copyGraph(blobsOf(first), root.descriptor, second)
    for (const { descriptor } of blobs) expect(await second.has(descriptor)).toBe(true)
  })
})

describe('planCopy()', () => {
  const mountFrom = ({ size }: Descriptor): readonly string[] => (size % 2 === 0 ? ['team/base'] : [])

  test.each([
    ['nothing is there', () => false],
    ['some blobs are there', (_: Blob, i: number) => i % 3 === 0],
    ['one platform is there', (_: Blob, i: number) => i < 4],
    ['all is there', () => true],
  ])('a dry run tells what the copy then does, when %s', async (_, there) => {
    const { root, contentOf, blobs } = multiPlatform()
    const { target, store } = recorder()
    for (const [i, blob] of blobs.entries()) if (there(blob, i)) await store.push(blob)

    const plan = await planCopy(contentOf, root.descriptor, target, { mountFrom })
    const { sent, mounted, existing } = await copyGraph(contentOf, root.descriptor, target, { mountFrom })

    const planned = (what: string): Descriptor[] => plan.filter(step => step.do === what).map(step => step.descriptor)
    expect(planned('keep')).toEqual(existing.descriptors)
    expect(planned('send')).toEqual(sent.descriptors)
    expect(planned('mount?')).toEqual(mounted.descriptors)
    expect(plan.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(sent.bytes)
  })

  test('pushes nothing', async () => {
    const { root, contentOf } = multiPlatform()
    const { target, pushes } = recorder()
    await planCopy(contentOf, root.descriptor, target)
    expect(pushes).toEqual([])
  })

  test('with verify it does not take the word of a manifest for its layers', async () => {
    const blobs = image('linux/amd64', ['one'])
    const { root, contentOf } = sampleOf(blobs)
    const { target, store } = recorder()
    await store.push(root)
    const steps = await planCopy(contentOf, root.descriptor, target, { verify: true })
    expect(steps.map(step => step.do)).toEqual(['send', 'send', 'keep'])
    const trusting = await planCopy(contentOf, root.descriptor, target)
    expect(trusting.map(step => step.do)).toEqual(['keep', 'keep', 'keep'])
  })
})

describe('readGraph()', () => {
  test('refuses a graph without an end', async () => {
    const blobs = [...image('linux/amd64', ['one'])]
    for (let depth = 0; depth < 9; depth++) blobs.push(index(blobs.slice(-1).map(({ descriptor }) => descriptor)))
    const { root, contentOf } = sampleOf(blobs)
    await expect(readGraph(contentOf, root.descriptor)).rejects.toThrow(/nested more than 8 deep/)
  })

  test('follows an index in an index', async () => {
    const blobs = [...image('linux/amd64', ['one'])]
    for (let depth = 0; depth < 2; depth++) blobs.push(index(blobs.slice(-1).map(({ descriptor }) => descriptor)))
    const { root, contentOf } = sampleOf(blobs)
    expect(await readGraph(contentOf, root.descriptor)).toHaveLength(5)
  })

  test('does not read a manifest that is too large to be one', async () => {
    const root = index([])
    const large = { ...root.descriptor, size: 5 << 20 }
    await expect(readGraph(sampleOf([root]).contentOf, large)).rejects.toThrow(/a manifest of 5242880 bytes/)
  })

  test('refuses one digest that is said to be two things', async () => {
    const [layer, config, root] = image('linux/amd64', ['one'])
    if (!layer || !config || !root) throw new Error('an image has three parts')
    const odd = manifest(config.descriptor, [layer.descriptor, { ...config.descriptor, size: 1 }])
    const { contentOf } = sampleOf([layer, config, odd])
    await expect(readGraph(contentOf, odd.descriptor)).rejects.toThrow(/is described in two ways/)
  })

  test('refuses a manifest that is not what its digest says', async () => {
    const [, , root] = image('linux/amd64', ['one'])
    if (!root) throw new Error('an image has three parts')
    const lie = describedAs(index([]), root.descriptor)
    await expect(readGraph(() => lie, root.descriptor)).rejects.toThrow(/expected/)
  })

  test('does not follow subject, whose image may be elsewhere', async () => {
    const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
    const plain = manifest(config.descriptor, [])
    const bytes = await readAll(plain.open(), { maxBytes: 10_000, what: 'manifest' })
    const text = new TextDecoder().decode(bytes)
    const subject = index([]).descriptor
    const root = textBlob(JSON.stringify({ ...(JSON.parse(text) as object), subject }), plain.descriptor.mediaType)
    const graph = await readGraph(sampleOf([config, root]).contentOf, root.descriptor)
    expect(graph.map(({ blob }) => blob.descriptor.digest)).toEqual(digests([config.descriptor, root.descriptor]))
  })

  test('a manifest that the source lacks is only missed when it has to be sent', async () => {
    const { blobs, root } = multiPlatform()
    const target = new MemoryStore()
    for (const blob of blobs.slice(0, 4)) await target.push(blob)
    const sparse = sampleOf(blobs.filter((_, i) => i !== 3))
    await copyGraph(sparse.contentOf, root.descriptor, target)
    expect(await target.has(root.descriptor)).toBe(true)
    await expect(copyGraph(sparse.contentOf, root.descriptor, new MemoryStore())).rejects.toThrow(/the sample has no/)
  })
})
