import { withDocumentsOnce } from '../../src/content/documents-once.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Target } from '../../src/content/ports.ts'
import { withPush } from '../../src/content/with-push.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { collect } from '../layer/layer-blob.ts'

const JSON_TYPE = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

interface Counted {
  readonly read: (descriptor: Descriptor, offset?: number) => Promise<string>
  readonly put: (text: string, mediaType?: string) => Promise<Descriptor>
  readonly opened: string[]
}

function counted(): Counted {
  const store: Target = new MemoryStore()
  const opened: string[] = []
  const same = withPush(store, (blob, options) => store.push(blob, options))
  const target = withDocumentsOnce({
    ...same,
    open: (descriptor, options) => {
      opened.push(descriptor.digest)
      return same.open(descriptor, options)
    },
  })
  return {
    opened,
    read: async (descriptor, offset) => (await collect(target.open(descriptor, { offset }))).toString(),
    put: async (text, mediaType = JSON_TYPE) => {
      const bytes = Buffer.from(text)
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
      await target.push({
        descriptor,
        open: async function* () {
          yield await Promise.resolve(bytes)
        },
      })
      return descriptor
    },
  }
}

test('a document is asked for once, by however many at a time', async () => {
  const { put, read, opened } = counted()
  const one = await put('{"a":1}')
  expect(await Promise.all([read(one), read(one)])).toEqual(['{"a":1}', '{"a":1}'])
  expect(await read({ ...one, mediaType: 'application/vnd.oci.image.manifest.v1+json' })).toBe('{"a":1}')
  expect(opened).toEqual([one.digest])
})

test('a layer is never kept, and neither is a part of a document or one of more than a megabyte', async () => {
  const { put, read, opened } = counted()
  const [layer, one, large] = [await put('x', LAYER), await put('{"a":1}'), await put('1'.repeat((1 << 20) + 1))]
  for (const descriptor of [layer, large]) {
    await read(descriptor)
    await read(descriptor)
  }
  expect(await read(one, 1)).toBe('"a":1}')
  expect(await read(one)).toBe('{"a":1}')
  expect(opened).toEqual([layer, layer, large, large, one, one].map(({ digest }) => digest))
})

test('what is not what its digest says is refused each time', async () => {
  const { put, read } = counted()
  const one = await put('{"a":1}')
  const wrong = { ...one, digest: digestOf(Buffer.from('{"a":2}')) }
  await expect(read(wrong)).rejects.toThrow()
  await expect(read(wrong)).rejects.toThrow()
})
