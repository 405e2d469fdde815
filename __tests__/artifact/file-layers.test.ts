import { gunzipSync } from 'node:zlib'
import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileLayers } from '../../src/artifact/file-layers.ts'
import { findFiles } from '../../src/artifact/find-files.ts'
import { readTar } from '../../src/archive/tar/read.ts'
import type { Blob } from '../../src/content/blob.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { bytesOf, put, type Content } from './files.ts'

const TREE: Readonly<Record<string, Content>> = {
  'd/sub/x': 'x',
  'd/run': { program: '#!/bin/sh\n' },
  'd/link': { link: 'sub/x' },
  'd/ünï.txt': 'ü',
  [`d/${'long'.repeat(50)}`]: 'long',
  'd.txt': 'file',
}

async function layersOf(context: string, files: readonly string[], tempDir: string): Promise<readonly Blob[]> {
  return fileLayers(await findFiles(files, { context }), { tempDir })
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

test('a directory is an archive that others unpack below its title, its folder first', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, TREE)
  const [layer] = await layersOf(work.path, ['./d/'], work.path)
  const tar = gunzipSync(await bytesOf(layer))
  expect(layer?.descriptor).toMatchObject({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    annotations: {
      'org.opencontainers.image.title': 'd',
      'io.deis.oras.content.unpack': 'true',
      'io.deis.oras.content.digest': digestOf(tar),
    },
  })
  const entries: unknown[] = []
  for await (const { entry } of readTar(chunks(tar))) entries.push(entry)
  expect(entries).toMatchObject([
    { type: 'directory', path: 'd', mode: 0o755, uid: 0, gid: 0, mtime: 0 },
    { type: 'symlink', path: 'd/link', linkPath: 'sub/x' },
    { type: 'file', path: `d/${'long'.repeat(50)}` },
    { type: 'file', path: 'd/run', mode: 0o755, mtime: 0 },
    { type: 'directory', path: 'd/sub' },
    { type: 'file', path: 'd/sub/x', mode: 0o644 },
    { type: 'file', path: 'd/ünï.txt' },
  ])
})

test('the same files make the same digests in another folder, on another day, with other modes', async () => {
  await using one = await temporaryDirectory()
  await using other = await temporaryDirectory()
  await put(one.path, TREE, new Date('2001-02-03'))
  await put(other.path, Object.fromEntries(Object.entries(TREE).reverse()), new Date('2026-07-08'))
  await chmod(join(other.path, 'd', 'sub', 'x'), 0o600)
  await chmod(join(other.path, 'd', 'run'), 0o700)
  await chmod(join(other.path, 'd', 'sub'), 0o700)
  const digests = async (context: string): Promise<readonly string[]> =>
    (await layersOf(context, ['d.txt', 'd'], context)).map(({ descriptor }) => descriptor.digest)
  expect(await digests(other.path)).toEqual(await digests(one.path))
})

test('a file is a layer as it is, and only directories take room in the temporary folder', async () => {
  await using work = await temporaryDirectory()
  await using temp = await temporaryDirectory()
  await put(work.path, { 'a.json': '{}', 'b.bin': 'b' })
  const layers = await layersOf(work.path, ['a.json:application/json', 'b.bin'], temp.path)
  expect(layers.map(({ descriptor }) => descriptor)).toMatchObject([
    { mediaType: 'application/json', size: 2, annotations: { 'org.opencontainers.image.title': 'a.json' } },
    { mediaType: 'application/octet-stream', size: 1 },
  ])
  expect(await readdir(temp.path)).toEqual([])
})

test('a file that shrinks while it is packed fails the publication and leaves nothing behind', async () => {
  await using work = await temporaryDirectory()
  await using temp = await temporaryDirectory()
  await put(work.path, { 'd/a': 'long enough' })
  const files = await findFiles(['d'], { context: work.path })
  await put(work.path, { 'd/a': 'short' })
  await expect(fileLayers(files, { tempDir: temp.path })).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  expect(await readdir(temp.path)).toEqual([])
})

test('packing stops when it is told to', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'd/a': 'a', b: 'b' })
  const files = await findFiles(['d', 'b'], { context: work.path })
  const signal = AbortSignal.abort(new Error('stopped'))
  for (const one of files) {
    await expect(fileLayers([one], { tempDir: work.path, signal })).rejects.toThrow('stopped')
  }
})
