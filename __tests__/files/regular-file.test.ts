import { execFileSync } from 'node:child_process'
import { closeSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRegularFileSync, readRegularFile } from '../../src/files/regular-file.ts'

describe('a file that is opened after it was looked at', () => {
  let root: string
  let path: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'regular-file-'))
    await mkdir(join(root, 'dir'))
    path = join(root, 'dir', 'file')
    await writeFile(path, 'own')
    await mkdir(join(root, 'outside'))
    await writeFile(join(root, 'outside', 'file'), 'secret')
  })
  afterEach(() => rm(root, { recursive: true }))

  const read = (found?: { readonly dev: number; readonly ino: number }): string => {
    const fd = openRegularFileSync(path, found)
    try {
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  }

  test('is read when it is still the same', async () => {
    expect(read(statSync(path))).toBe('own')
    expect((await readRegularFile(path, 3, statSync(path))).toString()).toBe('own')
  })

  test.each([
    ['a symlink', async () => (await rm(path), symlink(join(root, 'outside', 'file'), path))],
    ['another file', async () => rename(join(root, 'outside', 'file'), path)],
    [
      'a file behind a symlinked folder',
      async () => (await rm(join(root, 'dir'), { recursive: true }), symlink('outside', join(root, 'dir'))),
    ],
    ['a pipe that nobody writes to', async () => (await rm(path), void execFileSync('mkfifo', [path]))],
    ['a folder', async () => (await rm(path), mkdir(path))],
    ['a device', async () => (await rm(path), symlink('/dev/zero', path))],
  ])('gives nothing away when it is %s by then', async (_, swap) => {
    const found = statSync(path)
    await swap()
    const refused = /was replaced before it was read/
    expect(() => read(found)).toThrow(refused)
    await expect(readRegularFile(path, 100, found)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  })

  test('is told as unreadable when it is gone, and as too large beyond the limit', async () => {
    await expect(readRegularFile(path, 2)).rejects.toThrow(/has 3 bytes, more than 2/)
    await rm(path)
    expect(() => read()).toThrow(/cannot be read: ENOENT/)
    await expect(readRegularFile(path, 2)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})
