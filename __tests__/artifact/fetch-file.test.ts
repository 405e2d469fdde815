import { createHash, randomBytes } from 'node:crypto'
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchFile } from '../../src/artifact/fetch-file.ts'
import type { Source } from '../../src/content/ports.ts'
import { verified } from '../../src/content/verify.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { temporaryDirectory } from '../support/peers.ts'

const SIZE = 12 << 20
const PIECE = 1 << 20
const bytes = randomBytes(SIZE)
const blob: Descriptor = { mediaType: 'a/b', digest: digestOf(bytes), size: SIZE }

/** A source that may break off, and notes what it was asked for. */
function sourceOf({ cutAt = Infinity, content = bytes }: { cutAt?: number; content?: Uint8Array } = {}) {
  const offsets: number[] = []
  const source: Source = {
    place: 'r.example/app',
    resolve: () => Promise.reject(new Error('not asked for')),
    open(descriptor, { offset = 0 } = {}) {
      offsets.push(offset)
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = offset; at < content.byteLength; at += PIECE) {
          if (at >= cutAt) throw new Error('the line is cut')
          yield await Promise.resolve(content.subarray(at, at + PIECE))
        }
      }
      return offset === 0 ? verified(pieces(), descriptor, 'r.example/app') : pieces()
    },
  }
  return { source, offsets }
}

test('what came of a large file before a failure is not fetched again', async () => {
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'blob')
  const cut = sourceOf({ cutAt: 10 << 20 }) // verified, the last piece is held back
  await expect(fetchFile(cut.source, blob, file)).rejects.toThrow('the line is cut')
  const { source, offsets } = sourceOf()
  let seen = 0
  await fetchFile(source, blob, file, { onBytes: delta => (seen += delta) })
  expect({ offsets, seen }).toEqual({ offsets: [9 << 20], seen: SIZE })
  expect(
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  ).toBe(blob.digest.slice(7))
})

test('a file that is whole already is not asked for', async () => {
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'blob')
  await writeFile(file, bytes)
  const { source, offsets } = sourceOf()
  await fetchFile(source, blob, file)
  expect(offsets).toEqual([])
})

test.each([
  ['is wrong', Buffer.alloc(9 << 20), [9 << 20, 0]],
  ['is too long', Buffer.alloc(SIZE + 1), [0]],
])('a beginning that %s is no loss: all is fetched anew', async (_name, there, asked) => {
  await using dir = await temporaryDirectory()
  const file = join(dir.path, 'blob')
  await writeFile(file, there)
  const { source, offsets } = sourceOf()
  let seen = 0
  await fetchFile(source, blob, file, { onBytes: delta => (seen += delta) })
  expect({ offsets, seen }).toEqual({ offsets: asked, seen: SIZE })
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0)
})

test.each([
  ['a source that gives other bytes', Buffer.alloc(SIZE)],
  ['a source that gives too few', bytes.subarray(0, 3 << 20)],
  ['a source that gives too many', Buffer.concat([bytes, Buffer.from('x')])],
])('%s leaves nothing behind', async (_name, content) => {
  await using dir = await temporaryDirectory()
  const { source } = sourceOf({ content })
  await expect(fetchFile(source, blob, join(dir.path, 'blob'))).rejects.toMatchObject({ code: 'INTEGRITY' })
  expect(await readdir(dir.path)).toEqual([])
})

test('a little is not worth a file that stays behind', async () => {
  await using dir = await temporaryDirectory()
  const { source } = sourceOf({ cutAt: 2 << 20 })
  await expect(fetchFile(source, blob, join(dir.path, 'blob'))).rejects.toThrow('the line is cut')
  expect(await readdir(dir.path)).toEqual([])
})

test('a link in place of the file is not written through', async () => {
  await using dir = await temporaryDirectory()
  await writeFile(join(dir.path, 'precious'), 'precious')
  await symlink('precious', join(dir.path, 'blob'))
  await expect(fetchFile(sourceOf().source, blob, join(dir.path, 'blob'))).rejects.toThrow('ELOOP')
  expect(await readFile(join(dir.path, 'precious'), 'utf8')).toBe('precious')
})

test('an abort keeps what is there, and its reason comes as it is', async () => {
  await using dir = await temporaryDirectory()
  const controller = new AbortController()
  const reason = new Error('enough')
  const onBytes = (delta: number): void => {
    if (delta > 0) controller.abort(reason)
  }
  const { source } = sourceOf()
  await expect(fetchFile(source, blob, join(dir.path, 'blob'), { onBytes, signal: controller.signal })).rejects.toBe(
    reason,
  )
})
