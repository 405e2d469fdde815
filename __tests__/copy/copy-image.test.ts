import { describedAs } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Output } from '../../src/content/places.ts'
import type { PushOptions, Source, Target } from '../../src/content/ports.ts'
import { copyImage } from '../../src/copy/copy-image.ts'
import type { ImageCopyEvent } from '../../src/copy/event.ts'
import { parseCopy } from '../../src/copy/request.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { formatReference, type Reference } from '../../src/oci/reference.ts'
import { multiPlatform, textBlob } from './sample.ts'

/** Registries in memory: a host has repositories, of which each remembers what it was asked. */
function world() {
  const stores = new Map<string, MemoryStore>()
  const log: string[] = []
  const mounts: (readonly string[])[] = []
  const events: ImageCopyEvent[] = []
  const storeAt = (place: string): MemoryStore => {
    const store = stores.get(place) ?? new MemoryStore(place)
    stores.set(place, store)
    return store
  }
  const open = (place: string, mountDomain: string | undefined): Target => {
    const store = storeAt(place)
    return {
      place,
      mountDomain,
      resolve: name => {
        log.push(`resolve ${place}:${name}`)
        return store.resolve(name)
      },
      open: descriptor => {
        log.push(`open ${place}`)
        return store.open(descriptor)
      },
      has: descriptor => {
        log.push(`has ${place}`)
        return store.has(descriptor)
      },
      push: (blob, options: PushOptions = {}) => {
        log.push(`push ${place}`)
        if (options.mountFrom) mounts.push(options.mountFrom)
        return store.push(blob)
      },
      tag: (blob, names) => {
        log.push(`tag ${place} ${names.join()}`)
        return store.tag(blob, names)
      },
      close: () => {
        log.push(`close ${place}`)
        return Promise.resolve()
      },
    }
  }
  const placeOf = (reference: Reference | Output): string => {
    if ('image' in reference) return formatReference(reference.image)
    if (reference.kind !== 'registry') return `${reference.kind}:${reference.path}`
    return `${reference.host}/${reference.repository}`
  }
  const deps = {
    locate(reference: Reference) {
      const isRegistry = reference.kind === 'registry'
      const name = isRegistry ? (reference.digest ?? reference.tag ?? 'latest') : (reference.name ?? '')
      const source: Source = open(placeOf(reference), undefined)
      const mountDomain = isRegistry ? reference.host : undefined
      return { source, name, mountDomain, repository: isRegistry ? reference.repository : undefined }
    },
    openTarget: (output: Output) => open(placeOf(output), output.kind === 'registry' ? output.image.host : undefined),
    onEvent: (event: ImageCopyEvent) => events.push(event),
  }
  const copy = (from: string, to: string, { dryRun = false, platforms = [] as readonly string[] } = {}) =>
    copyImage(parseCopy({ from, to, platforms, dryRun }), deps)
  return { storeAt, copy, log, mounts, events }
}

/** `r.example/a:v1` is there, with two platforms. */
async function withImage() {
  const made = world()
  const { root, blobs } = multiPlatform()
  const store = made.storeAt('r.example/a')
  for (const blob of blobs) await store.push(blob)
  await store.tag(root, ['v1'])
  return { ...made, root: root.descriptor, blobs }
}

test('everything arrives as it was, and the tag moves when all of it is there', async () => {
  const { copy, storeAt, root, blobs, log } = await withImage()
  const copied = await copy('r.example/a:v1', 's.example/b')
  expect([copied.found, copied.root]).toEqual([root, root])
  const store = storeAt('s.example/b')
  for (const { descriptor } of blobs) expect(await store.has(descriptor)).toBe(true)
  expect(await store.resolve('v1')).toEqual(root)
  expect(log.filter(line => /^(?:push|tag|close)/.test(line)).slice(-3)).toEqual([
    'push s.example/b',
    'tag s.example/b v1',
    'close s.example/b',
  ])
})

test('the second copy asks where the tag is, here and there, and for nothing else', async () => {
  const { copy, log, root } = await withImage()
  await copy('r.example/a:v1', 's.example/b')
  log.length = 0
  const { outcome } = await copy('r.example/a:v1', 's.example/b')
  // A registry knows by then what it has, and is not asked again.
  const asked = ['resolve r.example/a:v1', 'resolve s.example/b:v1', 'has s.example/b']
  expect(log).toEqual([...asked, 'close s.example/b'])
  expect(outcome).toMatchObject({ result: { sent: { descriptors: [] }, existing: { descriptors: [root] } } })
})

test('between repositories of one host blobs are mounted, elsewhere they cannot be', async () => {
  const near = await withImage()
  await near.copy('r.example/a:v1', 'r.example/b')
  expect(near.mounts).toEqual(Array(5).fill(['a'])) // three layers and two configs
  const far = await withImage()
  await far.copy('r.example/a:v1', 's.example/b')
  await far.copy('r.example/a:v1', 'oci:out')
  expect(far.mounts).toEqual([])
})

test('a dry run says what would be sent, and changes nothing', async () => {
  const { copy, log, blobs } = await withImage()
  const { outcome } = await copy('r.example/a:v1', 's.example/b', { dryRun: true })
  expect(outcome.steps?.map(step => step.do)).toEqual(blobs.map(() => 'send').slice(1)) // the shared layer once
  expect(log.filter(line => /^(?:push|tag|close)/.test(line))).toEqual([])
})

test('fewer platforms are another index, and that is said', async () => {
  const { copy, storeAt, root, events } = await withImage()
  const copied = await copy('r.example/a:v1', 's.example/b', { platforms: ['linux/arm64'] })
  expect(copied.found).toEqual(root)
  expect(await storeAt('s.example/b').resolve('v1')).toEqual(copied.root)
  const text = `the index is rewritten for linux/arm64: ${root.digest} becomes ${copied.root.digest}`
  expect(events[0]).toEqual({ type: 'notice', text })
})

test('what is not the digest that was named is refused before anything is asked of the target', async () => {
  const { copy, log, root } = await withImage()
  const other = textBlob('x').descriptor.digest
  await expect(copy('r.example/a:v1', `s.example/b@${other}`)).rejects.toThrow(
    `TO: says ${other}, but what would arrive there from r.example/a:v1 is ${root.digest}`,
  )
  expect(log).toEqual(['resolve r.example/a:v1'])
  await copy('r.example/a:v1', `s.example/b@${root.digest}`)
  expect(log).toContain('tag s.example/b ')
})

test('what is no manifest is not copied as if it were one', async () => {
  const { copy, storeAt } = world()
  const old: Descriptor = {
    ...textBlob('{}').descriptor,
    mediaType: 'application/vnd.docker.distribution.manifest.v1+json',
  }
  const blob = describedAs(textBlob('{}'), old)
  await storeAt('r.example/a').push(blob)
  await storeAt('r.example/a').tag(blob, ['v1'])
  await expect(copy('r.example/a:v1', 's.example/b')).rejects.toThrow('which is neither a manifest nor an index')
})
