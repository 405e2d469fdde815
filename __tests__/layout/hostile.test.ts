import { execFile } from 'node:child_process'
import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { encodeEntry } from '../../src/archive/tar/encode.ts'
import { readAll } from '../../src/content/verify.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { openLayoutArchive } from '../../src/layout/archive.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { blobFile } from '../../src/layout/files.ts'
import { image, sampleOf } from '../copy/sample.ts'
import { tempDir } from './temp-dir.ts'

const run = promisify(execFile)

/** A layout with one image, under `out` of a folder of the test. */
async function layoutIn(dir: { in(...parts: string[]): string }) {
  const sample = sampleOf(image('linux/amd64', ['a', 'b']))
  const layout = openLayout(dir.in('out'))
  await copyGraph(sample.contentOf, sample.root.descriptor, layout)
  await layout.tag(sample.root, ['v1'])
  const [blob] = sample.blobs
  if (!blob) throw new Error('the sample has blobs')
  return { ...sample, blob, file: dir.in('out', blobFile(blob.descriptor.digest)) }
}

const read = (path: string, descriptor: Parameters<ReturnType<typeof openLayout>['open']>[0]): Promise<Uint8Array> =>
  readAll(openLayout(path).open(descriptor), { maxBytes: 1 << 20, what: 'blob' })

describe.each(['index.json', 'oci-layout'])('a layout whose %s', name => {
  test('is a named pipe is refused, and not waited for', async () => {
    await using dir = await tempDir()
    await layoutIn(dir)
    await rm(dir.in('out', name))
    await run('mkfifo', [dir.in('out', name)])
    await expect(openLayout(dir.in('out')).resolve('v1')).rejects.toMatchObject({
      code: 'NOT_A_FILE',
      message: `oci:${dir.in('out')}: ${dir.in('out', name)} is not a regular file`,
    })
  })

  test.each(['/dev/zero', '../elsewhere', 'elsewhere'])('is a link to %s is refused', async to => {
    await using dir = await tempDir()
    await layoutIn(dir)
    for (const place of [dir.in('elsewhere'), dir.in('out', 'elsewhere')]) {
      await writeFile(place, await readFile(dir.in('out', name)))
    }
    await rm(dir.in('out', name))
    await symlink(to, dir.in('out', name))
    await expect(openLayout(dir.in('out')).resolve('v1')).rejects.toMatchObject({
      code: 'NOT_A_FILE',
      message: expect.stringContaining('is a symbolic link, and links of a layout are not followed') as string,
      hint: 'copy the layout with its links resolved: cp -rL',
    })
  })
})

test('a blob that is a named pipe is refused, and not waited for', async () => {
  await using dir = await tempDir()
  const { blob, file } = await layoutIn(dir)
  await rm(file)
  await run('mkfifo', [file])
  await expect(read(dir.in('out'), blob.descriptor)).rejects.toMatchObject({ code: 'NOT_A_FILE' })
})

test('a blob that is a link to a file of the machine is not read', async () => {
  await using dir = await tempDir()
  const { blob, file } = await layoutIn(dir)
  await rename(file, dir.in('secret'))
  await symlink(dir.in('secret'), file)
  await expect(read(dir.in('out'), blob.descriptor)).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  expect(await openLayout(dir.in('out')).has(blob.descriptor)).toBe(false)
})

test('a blob is put in the place of a link, not through it', async () => {
  await using dir = await tempDir()
  const { blob, file } = await layoutIn(dir)
  await rm(file)
  await writeFile(dir.in('secret'), 'untouched')
  await symlink(dir.in('secret'), file)
  await openLayout(dir.in('out')).push(blob)
  expect(await readFile(dir.in('secret'), 'utf8')).toBe('untouched')
  expect(await read(dir.in('out'), blob.descriptor)).toHaveLength(blob.descriptor.size)
})

test('nothing is written or read through a folder of a layout that leads out of it', async () => {
  await using dir = await tempDir()
  const { blob, file } = await layoutIn(dir)
  await rm(file)
  await rename(dir.in('out', 'blobs', 'sha256'), dir.in('elsewhere'))
  await symlink(dir.in('elsewhere'), dir.in('out', 'blobs', 'sha256'))
  const before = await readdir(dir.in('elsewhere'))
  await expect(openLayout(dir.in('out')).push(blob)).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  await expect(read(dir.in('out'), blob.descriptor)).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  expect(await readdir(dir.in('elsewhere'))).toEqual(before)
})

test('a layout whose own folder is a link is one: it is what the user named', async () => {
  await using dir = await tempDir()
  const { root } = await layoutIn(dir)
  await symlink(dir.in('out'), dir.in('link'))
  expect(await openLayout(dir.in('link')).resolve('v1')).toEqual(root.descriptor)
})

test('what says that it is a layout is not read without end', async () => {
  await using dir = await tempDir()
  await layoutIn(dir)
  await writeFile(dir.in('out', 'oci-layout'), Buffer.alloc(1 << 20, ' '))
  await expect(openLayout(dir.in('out')).resolve('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
})

test('an archive that is a named pipe or a folder is refused', async () => {
  await using dir = await tempDir()
  await run('mkfifo', [dir.in('pipe')])
  await mkdir(dir.in('folder'))
  for (const name of ['pipe', 'folder']) {
    await expect(openLayoutArchive(dir.in(name)).resolve('v1')).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  }
})

test('an archive of nothing but entries is refused, whatever it holds', async () => {
  await using dir = await tempDir()
  const header = encodeEntry({ path: 'x', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, size: 0 })
  await writeFile(dir.in('many.tar'), Buffer.concat(Array.from({ length: 50_001 }, () => header)))
  await expect(openLayoutArchive(dir.in('many.tar')).resolve('v1')).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: `oci-archive:${dir.in('many.tar')}: it has more than 50000 entries`,
  })
}, 60_000)

test('manifests of a layout are read once, however many subjects are asked for', async () => {
  await using dir = await tempDir()
  const { root } = await layoutIn(dir)
  const layout = openLayout(dir.in('out'))
  const list = async (): Promise<number> => {
    let found = 0
    for await (const one of layout.referrers(root.descriptor)) found += one.size
    return found
  }
  expect(await list()).toBe(0)
  await rm(dir.in('out', blobFile(root.descriptor.digest)))
  await run('mkfifo', [dir.in('out', blobFile(root.descriptor.digest))])
  expect(await list()).toBe(0) // another read would be refused
})
