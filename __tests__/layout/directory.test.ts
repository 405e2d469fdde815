import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import type { Blob } from '../../src/content/blob.ts'
import { TagError } from '../../src/content/tag-error.ts'
import { readAll } from '../../src/content/verify.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { blobsOf } from '../../src/copy/walk.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { hexOf } from '../../src/oci/digest.ts'
import { parseRegistryReference } from '../../src/oci/reference.ts'
import { image, multiPlatform, rawBlob, sampleOf, textBlob } from '../copy/sample.ts'
import { tempDir } from './temp-dir.ts'

const read = (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> =>
  readAll(source, { maxBytes: 1 << 20, what: 'blob' })

/** Ends in the middle, as a connection does. */
function cutBlob(whole: Blob, error = new Error('connection reset')): Blob {
  return {
    descriptor: whole.descriptor,
    async *open(options) {
      yield (await read(whole.open(options))).subarray(0, 3)
      throw error
    },
  }
}

describe('openLayout()', () => {
  test('its tags are listed, each once, also those that others wrote as full references', async () => {
    await using dir = await tempDir()
    const { root, contentOf } = multiPlatform()
    const layout = openLayout(dir.in('out'))
    await copyGraph(contentOf, root.descriptor, layout)
    await layout.tag(root, ['v1', 'latest', 'ghcr.io/team/app:v1'])
    const tags: string[] = []
    for await (const tag of openLayout(dir.in('out')).tags?.() ?? []) tags.push(tag)
    expect(tags).toEqual(['v1', 'latest'])
  })

  test('what is published into a new directory is a layout that gives it back', async () => {
    await using dir = await tempDir()
    const { root, contentOf, blobs } = multiPlatform()
    const layout = openLayout(dir.in('new', 'out'))

    await copyGraph(contentOf, root.descriptor, layout)
    await layout.tag(root, ['v1', 'latest'])

    expect(await readFile(dir.in('new', 'out', 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}')
    const again = openLayout(dir.in('new', 'out'))
    const resolved = await again.resolve('latest')
    expect(resolved).toEqual(root.descriptor)
    expect(await again.resolve('')).toEqual(root.descriptor)
    const store = new MemoryStore()
    await copyGraph(blobsOf(again), resolved, store)
    for (const { descriptor } of blobs) expect(await store.has(descriptor)).toBe(true)
    expect(await readdir(dir.in('new', 'out', 'blobs', 'sha256'))).toHaveLength(
      new Set(blobs.map(({ descriptor }) => descriptor.digest)).size,
    )
  })

  test('any bytes come back, from any offset', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.nat(5_000), async (bytes, offset) => {
        const blob = rawBlob(bytes)
        await layout.push(blob)
        expect(await read(layout.open(blob.descriptor))).toEqual(Buffer.from(bytes))
        expect(await read(layout.open(blob.descriptor, { offset }))).toEqual(Buffer.from(bytes.subarray(offset)))
      }),
      { numRuns: 30 },
    )
  })

  test('a manifest of a platform is found by its digest, with its type', async () => {
    await using dir = await tempDir()
    const { root, contentOf, blobs } = multiPlatform()
    const layout = openLayout(dir.path)
    await copyGraph(contentOf, root.descriptor, layout)
    const [layer, , , manifest] = blobs
    expect(await layout.resolve(manifest?.descriptor.digest ?? '')).toEqual(manifest?.descriptor)
    expect(await layout.resolve(layer?.descriptor.digest ?? '')).toMatchObject({ size: layer?.descriptor.size })
    await expect(layout.resolve(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('reads a layout as umoci leaves it: several images, one name each, no media type of its own', async () => {
    await using dir = await tempDir()
    const blobs = image('linux/amd64', ['one'])
    const root = blobs.at(-1)
    await mkdir(dir.in('blobs', 'sha256'), { recursive: true })
    await writeFile(dir.in('oci-layout'), '{"imageLayoutVersion": "1.0.0"}\n')
    for (const blob of blobs) {
      await writeFile(dir.in('blobs', 'sha256', hexOf(blob.descriptor.digest)), await read(blob.open()))
    }
    const entry = (name: string): object => ({
      ...root?.descriptor,
      annotations: { 'org.opencontainers.image.ref.name': name },
    })
    const manifests = [entry('v1'), { ...entry('old'), digest: `sha256:${'0'.repeat(64)}` }]
    await writeFile(dir.in('index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    const layout = openLayout(dir.path)

    expect(await layout.resolve('v1')).toEqual(root?.descriptor)
    await expect(layout.resolve('v2')).rejects.toThrow(`oci:${dir.path} has no image "v2"; it has: v1, old`)
    await expect(layout.resolve('')).rejects.toThrow('holds several images, say which: v1, old')
    const missing = await layout.resolve('old')
    await expect(read(layout.open(missing))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `oci:${dir.path}: there is no ${dir.in('blobs', 'sha256', '0'.repeat(64))}`,
    })
  })

  test.each([
    [
      'has files of somebody',
      async (path: string) => writeFile(`${path}/precious.txt`, 'x'),
      /is not empty and has no oci-layout file/,
    ],
    [
      'is of a version to come',
      async (path: string) => writeFile(`${path}/oci-layout`, '{"imageLayoutVersion":"2.0.0"}'),
      /imageLayoutVersion is "2.0.0"/,
    ],
  ])('refuses a directory that %s, and writes nothing', async (_, fill, message) => {
    await using dir = await tempDir()
    await fill(dir.path)
    const before = await readdir(dir.path)
    const layout = openLayout(dir.path)
    const blob = textBlob('text')
    await expect(layout.push(blob)).rejects.toThrow(message)
    await expect(layout.has(blob.descriptor)).rejects.toMatchObject({ code: 'NOT_A_LAYOUT' })
    await expect(layout.tag(blob, ['v1'])).rejects.toThrow(message)
    expect(await readdir(dir.path)).toEqual(before)
  })

  test('refuses a file', async () => {
    await using dir = await tempDir()
    await writeFile(dir.in('file.tar'), 'x')
    await expect(openLayout(dir.in('file.tar')).resolve('v1')).rejects.toMatchObject({
      code: 'NOT_A_LAYOUT',
      hint: 'a layout in a tar is oci-archive:FILE',
    })
  })

  test('a mistyped directory is named', async () => {
    const layout = openLayout('/nowhere/out')
    await expect(layout.resolve('')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'oci:/nowhere/out: there is no /nowhere/out/index.json',
    })
  })

  test('asking creates nothing, so a dry run leaves no trace', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.in('out'))
    expect(await layout.has(textBlob('x').descriptor)).toBe(false)
    await expect(layout.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await readdir(dir.path)).toEqual([])
  })

  test('a transfer that is cut leaves no half blob and no temporary file', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const blob = textBlob('a text that is longer than three bytes')
    await expect(layout.push(cutBlob(blob))).rejects.toThrow('connection reset')
    expect(await layout.has(blob.descriptor)).toBe(false)
    expect((await readdir(dir.path)).sort()).toEqual(['blobs', 'oci-layout'])
    expect(await readdir(dir.in('blobs', 'sha256'))).toEqual([])

    expect(await layout.push(blob)).toEqual({ how: 'uploaded', bytes: blob.descriptor.size })
    expect(await layout.push(blob)).toEqual({ how: 'exists', bytes: 0 })
  })

  test('bytes that are not what they are said to be are refused, and nothing of them stays', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const lie: Blob = { ...textBlob('truth'), descriptor: textBlob('trust').descriptor }
    await expect(layout.push(lie)).rejects.toMatchObject({ code: 'INTEGRITY' })
    expect(await readdir(dir.in('blobs', 'sha256'))).toEqual([])
  })

  test('a blob that a crash of another tool cut short is written again', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const blob = textBlob('whole')
    await layout.push(blob)
    await writeFile(dir.in('blobs', 'sha256', hexOf(blob.descriptor.digest)), 'who')
    expect(await layout.has(blob.descriptor)).toBe(false)
    expect((await layout.push(blob)).how).toBe('uploaded')
    expect(await read(layout.open(blob.descriptor))).toEqual(Buffer.from('whole'))
  })

  test('a blob that changed on disk is not handed on', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const blob = textBlob('whole')
    await layout.push(blob)
    await writeFile(dir.in('blobs', 'sha256', hexOf(blob.descriptor.digest)), 'while')
    await expect(read(layout.open(blob.descriptor))).rejects.toMatchObject({ code: 'INTEGRITY' })
  })

  test('two who push the same blob share one transfer', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const blob = textBlob('shared')
    let opened = 0
    const counted: Blob = {
      descriptor: blob.descriptor,
      open: options => {
        opened++
        return blob.open(options)
      },
    }
    await Promise.all([layout.push(counted), layout.push(counted), layout.push(counted)])
    expect(opened).toBe(1)
  })

  test('an abort stops a transfer with its own reason', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const controller = new AbortController()
    const reason = new Error('stopped')
    const blob = textBlob('some text')
    const aborting: Blob = {
      descriptor: blob.descriptor,
      async *open() {
        for await (const chunk of blob.open()) {
          yield chunk.subarray(0, 2)
          controller.abort(reason)
          yield chunk.subarray(2)
        }
      },
    }
    await expect(layout.push(aborting, { signal: controller.signal })).rejects.toBe(reason)
    expect((await readdir(dir.path)).sort()).toEqual(['blobs', 'oci-layout'])
  })

  test('tags of several publications at once are all kept', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path, { images: [parseRegistryReference('ghcr.io/team/app')] })
    const roots = ['a', 'b', 'c'].map(text => sampleOf(image('linux/amd64', [text])))
    for (const { contentOf, root } of roots) await copyGraph(contentOf, root.descriptor, layout)
    await Promise.all(roots.map(({ root }, i) => layout.tag(root, [`v${i}`])))
    for (const [i, { root }] of roots.entries()) expect(await layout.resolve(`v${i}`)).toEqual(root.descriptor)
    const [, second] = roots
    if (second) await layout.tag(second.root, ['v0'])
    expect(await layout.resolve('v0')).toEqual(second?.root.descriptor)
    expect(await layout.resolve('ghcr.io/team/app:v2')).toEqual(roots[2]?.root.descriptor)
  })

  test('a name for a manifest that is not there is refused', async () => {
    await using dir = await tempDir()
    const layout = openLayout(dir.path)
    const { root } = multiPlatform()
    const failure = await layout.tag(root, ['v1', 'v2']).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(TagError)
    expect(failure).toMatchObject({ moved: [], failed: ['v1', 'v2'] })
    expect(await readdir(dir.path)).toEqual([])
  })

  test('progress adds up to the size of the blob', async () => {
    await using dir = await tempDir()
    const blob = rawBlob(new Uint8Array(3_000_000))
    let bytes = 0
    await openLayout(dir.path).push(blob, { onBytes: delta => (bytes += delta) })
    expect(bytes).toBe(3_000_000)
  })
})
