import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { readTar } from '../../src/archive/tar/read.ts'
import { writeTar } from '../../src/archive/tar/write.ts'
import type { Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readAll } from '../../src/content/verify.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { blobsOf } from '../../src/copy/walk.ts'
import { openLayoutArchive, openLayoutArchiveTarget } from '../../src/layout/archive.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { blobFile } from '../../src/layout/files.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { parseRegistryReference } from '../../src/oci/reference.ts'
import { image, index, manifest, multiPlatform, rawBlob, sampleOf, textBlob, type Sample } from '../copy/sample.ts'
import { BUNDLE, put, referrer, signatures, tagOf } from '../copy/signed.ts'
import { tempDir } from './temp-dir.ts'

const run = promisify(execFile)
const APP = parseRegistryReference('ghcr.io/team/app')

async function write(file: string, waiting: string, { contentOf, root }: Sample, names = ['v1']): Promise<void> {
  const target = openLayoutArchiveTarget(file, { images: [APP], tempDir: waiting })
  await copyGraph(contentOf, root.descriptor, target)
  await target.tag(root, names)
  await target.close()
}

function fileOf(blob: Blob | undefined): string {
  if (!blob) throw new Error('the sample has fewer blobs')
  return blobFile(blob.descriptor.digest)
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

async function entriesOf(file: string): Promise<ReadonlyMap<string, string>> {
  const entries = new Map<string, string>()
  for await (const { entry, body } of readTar(bytesOf(file))) {
    const text = await readAll(body, { maxBytes: 1 << 20, what: entry.path })
    entries.set(entry.path, Buffer.from(text).toString())
    expect(entry).toMatchObject({ uid: 0, gid: 0, mtime: 0 })
  }
  return entries
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  yield await readFile(file)
}

describe('openLayoutArchiveTarget()', () => {
  test('what is published into an archive can be read back from it', async () => {
    await using dir = await tempDir()
    const sample = multiPlatform()
    await write(dir.in('new', 'out.tar'), dir.path, sample, ['v1', 'latest'])

    const source = openLayoutArchive(dir.in('new', 'out.tar'))
    expect(await source.resolve('')).toEqual(sample.root.descriptor)
    expect(await source.resolve('latest')).toEqual(sample.root.descriptor)
    const store = new MemoryStore()
    await copyGraph(blobsOf(source), sample.root.descriptor, store)
    for (const { descriptor } of sample.blobs) expect(await store.has(descriptor)).toBe(true)
    expect(await readdir(dir.path)).toEqual(['new']) // and nothing waits any more
    expect(await readdir(dir.in('new'))).toEqual(['out.tar'])
  })

  test('the same image gives the same bytes, in whatever order its blobs come', async () => {
    await using dir = await tempDir()
    const { blobs, root } = multiPlatform()
    await write(dir.in('a.tar'), dir.path, sampleOf(blobs))
    const target = openLayoutArchiveTarget(dir.in('b.tar'), { images: [APP], tempDir: dir.path })
    for (const blob of [...blobs].reverse()) await target.push(blob)
    await target.tag(root, ['v1'])
    await target.close()
    expect(await sha256(dir.in('b.tar'))).toBe(await sha256(dir.in('a.tar')))
  })

  test('docker load finds the image of its platform and its full names', async () => {
    await using dir = await tempDir()
    const sample = multiPlatform()
    await write(dir.in('out.tar'), dir.path, sample, ['v1', 'latest'])

    const entries = await entriesOf(dir.in('out.tar'))
    const docker = JSON.parse(entries.get('manifest.json') ?? '') as unknown
    const file = (i: number): string => fileOf(sample.blobs[i])
    expect(docker).toEqual([
      { Config: file(2), RepoTags: ['ghcr.io/team/app:v1', 'ghcr.io/team/app:latest'], Layers: [file(0), file(1)] },
    ])
    expect([...entries.keys()].slice(0, 3)).toEqual(['oci-layout', 'index.json', 'manifest.json'])
    expect(entries.has(file(0))).toBe(true)
  })

  test('without linux/amd64 it is the first platform, and never an attestation', async () => {
    await using dir = await tempDir()
    const parts = ['linux/arm64', 'linux/s390x'].map(platform => image(platform, [platform.replace('/', '-')]))
    const roots = parts.map(blobs => blobs.at(-1)?.descriptor).filter(one => one !== undefined)
    const [first, second] = roots
    if (!first || !second) throw new Error('two images')
    const unknown = { ...second, platform: { os: 'unknown', architecture: 'unknown' } }
    const top = index([unknown, first])
    await write(dir.in('out.tar'), dir.path, sampleOf([...parts.flat(), top]))
    const docker = JSON.parse((await entriesOf(dir.in('out.tar'))).get('manifest.json') ?? '') as { Config: string }[]
    expect(docker.map(({ Config }) => Config)).toEqual([fileOf(parts[0]?.[1])])
  })

  test('an artifact has no manifest.json, which would make it look like an image', async () => {
    await using dir = await tempDir()
    const config = textBlob('{}', 'application/vnd.oci.empty.v1+json')
    const chart = textBlob('chart', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')
    const root = manifest(config.descriptor, [chart.descriptor])
    await write(dir.in('out.tar'), dir.path, sampleOf([config, chart, root]))
    expect([...(await entriesOf(dir.in('out.tar'))).keys()]).not.toContain('manifest.json')
  })

  test("a signature under cosign's tag is no image to docker load, though its config says so", async () => {
    await using dir = await tempDir()
    const sample = sampleOf(image('linux/amd64', ['layer']))
    const target = openLayoutArchiveTarget(dir.in('out.tar'), { images: [APP], tempDir: dir.path })
    await copyGraph(sample.contentOf, sample.root.descriptor, target)
    const tag = tagOf(sample.root.descriptor, 'sig')
    await put(target, signatures('of the image'), tag)
    const bundle = referrer(BUNDLE, 'of the image', sample.root.descriptor)
    await put(target, bundle)
    await target.tag(sample.root, ['v1'])
    await target.close()
    const docker = JSON.parse((await entriesOf(dir.in('out.tar'))).get('manifest.json') ?? '') as unknown
    expect(docker).toMatchObject([{ RepoTags: ['ghcr.io/team/app:v1'] }])
    const archive = openLayoutArchive(dir.in('out.tar'))
    expect(await archive.resolve('')).toMatchObject({ digest: sample.root.descriptor.digest })
    expect(await archive.resolve(tag)).toEqual(signatures('of the image').manifest.descriptor)
    const found = []
    for await (const one of archive.referrers(sample.root.descriptor)) found.push(one.digest)
    expect(found).toEqual([bundle.manifest.descriptor.digest])
  })

  test('an image whose layers are elsewhere has no manifest.json, which docker load would fail on', async () => {
    await using dir = await tempDir()
    const config = textBlob('{}', 'application/vnd.oci.image.config.v1+json')
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
    const theirs = { ...textBlob('theirs', type).descriptor, urls: ['https://example.com/layer'] }
    const root = manifest(config.descriptor, [theirs])
    await write(dir.in('out.tar'), dir.path, sampleOf([config, root]))
    expect([...(await entriesOf(dir.in('out.tar'))).keys()]).not.toContain('manifest.json')
  })

  test('an image without a tag can be read as the only one, and one that nobody could find is not written', async () => {
    await using dir = await tempDir()
    const { contentOf, root } = multiPlatform()
    const target = openLayoutArchiveTarget(dir.in('out.tar'), { images: [APP], tempDir: dir.in('waiting') })
    await copyGraph(contentOf, root.descriptor, target)
    await expect(target.close()).rejects.toMatchObject({ code: 'NOTHING_TAGGED' })
    await target.tag(root, [])
    await target.close()
    expect(await openLayoutArchive(dir.in('out.tar')).resolve('')).toEqual(root.descriptor)
  })

  test('a dry run leaves no file', async () => {
    await using dir = await tempDir()
    const target = openLayoutArchiveTarget(dir.in('out.tar'), { tempDir: dir.path })
    expect(await target.has(multiPlatform().root.descriptor)).toBe(false)
    await expect(target.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await target.close()
    expect(await readdir(dir.path)).toEqual([])
  })

  test('an archive that was there stays until the new one is whole', async () => {
    await using dir = await tempDir()
    await writeFile(dir.in('out.tar'), 'old')
    const { root, contentOf } = multiPlatform()
    const target = openLayoutArchiveTarget(dir.in('out.tar'), { tempDir: dir.in('waiting') })
    await copyGraph(contentOf, root.descriptor, target)
    await target.tag(root, ['v1'])
    const stopped = target.close({ signal: AbortSignal.abort(new Error('stopped')) })
    await expect(stopped).rejects.toThrow('stopped')
    expect(await readFile(dir.in('out.tar'), 'utf8')).toBe('old')
    expect((await readdir(dir.path)).sort()).toEqual(['out.tar', 'waiting'])
    await target.close()
    expect((await stat(dir.in('out.tar'))).size).toBeGreaterThan(1_000)
  })

  test('a directory in its place is refused before anything is transferred', async () => {
    await using dir = await tempDir()
    const target = openLayoutArchiveTarget(dir.path, { tempDir: dir.in('waiting') })
    await expect(target.push(textBlob('x'))).rejects.toMatchObject({
      code: 'NOT_A_LAYOUT',
      hint: 'a layout in a directory is oci:DIR',
    })
  })
})

describe('openLayoutArchive()', () => {
  test.each(['gnu', 'pax', 'ustar', 'v7'])('reads what tar packs, as --format=%s', async format => {
    await using dir = await tempDir()
    const { blobs, root, contentOf } = multiPlatform()
    const layout = openLayout(dir.in('layout'))
    await copyGraph(contentOf, root.descriptor, layout)
    await layout.tag(root, ['v1'])
    await run('tar', ['-C', dir.in('layout'), `--format=${format}`, '-cf', dir.in('out.tar'), '.'])

    const source = openLayoutArchive(dir.in('out.tar'))
    expect(await source.resolve('v1')).toEqual(root.descriptor)
    for (const { descriptor } of blobs) {
      const bytes = await readAll(source.open(descriptor), { maxBytes: 1 << 20, what: 'blob' })
      expect(bytes.byteLength).toBe(descriptor.size)
    }
  })

  test.each(['gnu', 'pax'])(
    'reads names that are too long for a header (--format=%s), and hard links',
    async format => {
      await using dir = await tempDir()
      const bytes = new TextEncoder().encode('content')
      const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest
      const linked = rawBlob(bytes)
      await mkdir(dir.in('layout', 'blobs', 'sha512'), { recursive: true })
      await mkdir(dir.in('layout', 'blobs', 'sha256'), { recursive: true })
      await writeFile(dir.in('layout', blobFile(digest)), bytes)
      await run('ln', [dir.in('layout', blobFile(digest)), dir.in('layout', blobFile(linked.descriptor.digest))])
      await run('tar', ['-C', dir.in('layout'), `--format=${format}`, '-cf', dir.in('out.tar'), 'blobs'])

      const source = openLayoutArchive(dir.in('out.tar'))
      for (const one of [{ ...linked.descriptor, digest }, linked.descriptor]) {
        const read = readAll(source.open(one), { maxBytes: 100, what: 'blob' })
        expect(Buffer.from(await read).toString()).toBe('content')
      }
    },
  )

  test('reads from an offset, and nothing beyond the end of a blob', async () => {
    await using dir = await tempDir()
    const sample = multiPlatform()
    await write(dir.in('out.tar'), dir.path, sample)
    const source = openLayoutArchive(dir.in('out.tar'))
    const { descriptor } = sample.root
    const whole = await readAll(source.open(descriptor), { maxBytes: 1 << 20, what: 'blob' })
    for (const offset of [1, descriptor.size - 1, descriptor.size]) {
      const part = await readAll(source.open(descriptor, { offset }), { maxBytes: 1 << 20, what: 'blob' })
      expect(part).toEqual(whole.subarray(offset))
    }
  })

  test('tells what is wrong with an archive', async () => {
    await using dir = await tempDir()
    await write(dir.in('out.tar'), dir.path, multiPlatform())
    const whole = await readFile(dir.in('out.tar'))
    await writeFile(dir.in('cut.tar'), whole.subarray(0, whole.indexOf('"imageLayoutVersion"')))
    await writeFile(dir.in('out.tar.gz'), gzipSync(whole))
    await writeFile(dir.in('text'), 'x'.repeat(2_000))
    await writeFile(dir.in('empty.tar'), await collectTar())

    await expect(openLayoutArchive(dir.in('cut.tar')).resolve('')).rejects.toThrow(/ends in the middle of a file/)
    await expect(openLayoutArchive(dir.in('out.tar.gz')).resolve('')).rejects.toThrow(/is compressed with gzip/)
    await expect(openLayoutArchive(dir.in('text')).resolve('')).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' })
    await expect(openLayoutArchive(dir.in('empty.tar')).resolve('')).rejects.toThrow(
      `oci-archive:${dir.in('empty.tar')}: there is no index.json`,
    )
    await expect(openLayoutArchive(dir.in('absent.tar')).resolve('')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(openLayoutArchive(dir.in('out.tar')).resolve('v2')).rejects.toThrow('it has: v1')
  })

  test('bytes that changed in the archive are not handed on', async () => {
    await using dir = await tempDir()
    const sample = multiPlatform()
    await write(dir.in('out.tar'), dir.path, sample)
    const bytes = await readFile(dir.in('out.tar'))
    const [layer] = sample.blobs
    if (!layer) throw new Error('an image has a layer')
    const at = bytes.indexOf(Buffer.from(await readAll(layer.open(), { maxBytes: 1 << 20, what: 'layer' })))
    bytes[at + 30] = (bytes[at + 30] ?? 0) ^ 1
    await rm(dir.in('out.tar'))
    await writeFile(dir.in('out.tar'), bytes)
    const read = readAll(openLayoutArchive(dir.in('out.tar')).open(layer.descriptor), { maxBytes: 1 << 20, what: 'x' })
    await expect(read).rejects.toMatchObject({ code: 'INTEGRITY' })
  })
})

async function collectTar(): Promise<Uint8Array> {
  return readAll(writeTar([]), { maxBytes: 1 << 20, what: 'tar' })
}
