import type { TarEntry } from '../../../src/archive/tar/header.ts'
import { encodeEntry } from '../../../src/archive/tar/encode.ts'
import { splitName } from '../../../src/archive/tar/header.ts'
import { decodeRecords } from '../../../src/archive/tar/pax.ts'
import { directory, file, link } from './samples.ts'

const field = (record: Buffer, at: number, bytes: number): string =>
  record.toString('latin1', at, at + bytes).replace(/\0[^]*$/, '')

function recordsOf(entry: TarEntry): Record<string, string> {
  const bytes = encodeEntry(entry)
  if (field(bytes, 156, 1) !== 'x') return {}
  const size = Number.parseInt(field(bytes, 124, 12), 8)
  const records = decodeRecords(bytes.subarray(512, 512 + size), 'it')
  return Object.fromEntries([...records].map(([key, value]) => [key, Buffer.from(value).toString('latin1')]))
}

const lastRecord = (entry: TarEntry): Buffer => encodeEntry(entry).subarray(-512)

describe('splitName()', () => {
  const n = (length: number, letter = 'n'): string => letter.repeat(length)
  test.each([
    ['100 bytes as they are', n(100), { prefix: '', name: n(100) }],
    ['101 bytes without a slash not at all', n(101), undefined],
    ['155 and 100', `${n(155, 'p')}/${n(100)}`, { prefix: n(155, 'p'), name: n(100) }],
    ['not 156 before the only slash', `${n(156, 'p')}/${n(100)}`, undefined],
    ['not 101 after the only slash', `${n(155, 'p')}/${n(101)}`, undefined],
    [
      'at the last slash that leaves a short prefix',
      `${n(80)}/${n(20)}/${n(60)}`,
      { prefix: `${n(80)}/${n(20)}`, name: n(60) },
    ],
    [
      'at an earlier slash when the last is too far',
      `${n(80)}/${n(80)}/${n(19)}`,
      { prefix: n(80), name: `${n(80)}/${n(19)}` },
    ],
    ['not at the slash that ends a directory', `${n(120)}/`, undefined],
    ['a directory before its last name', `${n(50)}/${n(99)}/`, { prefix: n(50), name: `${n(99)}/` }],
    ['never with an empty prefix', `/${n(101)}`, undefined],
  ])('splits %s', (_name, name, split) => {
    expect(splitName(name)).toEqual(split)
  })
})

describe('encodeEntry()', () => {
  const n = (length: number): string => 'n'.repeat(length)
  test.each<[string, TarEntry, Record<string, string>]>([
    ['an ordinary file', file('a/b', { size: 7, uid: 1000, mtime: 1_700_000_000 }), {}],
    ['a name of 100 bytes', file(n(100)), {}],
    ['a directory of 99 bytes and its slash', directory(n(99)), {}],
    ['a name that splits', file(`${n(155)}/${n(100)}`), {}],
    ['a link of 100 bytes', link('symlink', 'a', n(100)), {}],
    [
      'the largest that fits',
      file('a', { size: 8 ** 11 - 1, mtime: 8 ** 11 - 1, uid: 8 ** 7 - 1, gid: 8 ** 7 - 1 }),
      {},
    ],
    ['a name of 101 bytes', file(n(101)), { path: n(101) }],
    ['a directory of 100 bytes and its slash', directory(n(100)), { path: `${n(100)}/` }],
    ['a name that is not ASCII', file('å'), { path: Buffer.from('å').toString('latin1') }],
    ['a link of 101 bytes', link('hardlink', 'a', n(101)), { linkpath: n(101) }],
    ['a link that is not ASCII', link('symlink', 'a', 'å'), { linkpath: Buffer.from('å').toString('latin1') }],
    ['8 GiB', file('a', { size: 2 ** 33 }), { size: '8589934592' }],
    ['large ids', file('a', { uid: 2_097_152, gid: 4_294_967_294 }), { uid: '2097152', gid: '4294967294' }],
    ['a time before 1970', file('a', { mtime: -1 }), { mtime: '-1' }],
    ['a time after 2242', file('a', { mtime: 8 ** 11 }), { mtime: '8589934592' }],
    [
      'extended attributes, in one order, raw',
      file('a', {
        xattrs: new Map([
          ['user.b', Uint8Array.of(0x00, 0x0a, 0x3d, 0x80, 0xff)],
          ['user.empty', new Uint8Array(0)],
          ['security.capability', Uint8Array.of(1)],
        ]),
      }),
      { 'SCHILY.xattr.security.capability': '\x01', 'SCHILY.xattr.user.b': '\0\n=\x80\xff' },
    ],
  ])('uses PAX where it must and nowhere else: %s', (_name, entry, records) => {
    expect(recordsOf(entry)).toEqual(records)
    expect(encodeEntry(entry).byteLength % 512).toBe(0)
  })

  test('names nobody and no host, only numbers', () => {
    expect(
      lastRecord(file('a'))
        .subarray(265, 329)
        .every(byte => byte === 0),
    ).toBe(true)
  })

  test('is ustar with a checksum of six digits', () => {
    const record = lastRecord(file('dir/name', { mode: 0o4755, uid: 10, gid: 11, size: 12, mtime: 13 }))
    expect(record.toString('latin1', 257, 265)).toBe('ustar\x0000')
    expect(record.toString('latin1', 100, 148)).toBe(
      ['0004755\0', '0000012\0', '0000013\0', '00000000014\0', '00000000015\0'].join(''),
    )
    const sum = Buffer.from(record)
      .fill(' ', 148, 156)
      .reduce((total, byte) => total + byte, 0)
    expect(record.toString('latin1', 148, 156)).toBe(`${sum.toString(8).padStart(6, '0')}\0 `)
  })

  test('names the PAX header the same on every machine', () => {
    const header = encodeEntry(file('dir/å.txt', { mtime: 5, uid: 7 }))
    expect(field(header, 0, 100)).toBe('PaxHeaders.0/_.txt')
    expect(field(header, 108, 8)).toBe('0000000')
    expect(field(header, 136, 12)).toBe('00000000000')
  })

  test.each<[string, TarEntry, string, string]>([
    ['a directory ends with a slash', directory('a/b'), 'a/b/', '5'],
    ['the root can be told', directory('.'), './', '5'],
    ['a symlink', link('symlink', 'a', '../b/'), 'a', '2'],
    ['a hard link', link('hardlink', 'a', 'b'), 'a', '1'],
    ['a file', file('a'), 'a', '0'],
    ['a fifo', { ...file('a'), type: 'fifo' }, 'a', '6'],
    ['a character device', { ...file('a'), type: 'character', major: 1, minor: 3 }, 'a', '3'],
    ['a block device', { ...file('a'), type: 'block', major: 8, minor: 1 }, 'a', '4'],
  ])('%s', (_name, entry, name, typeflag) => {
    const record = lastRecord(entry)
    expect([field(record, 0, 100), field(record, 156, 1)]).toEqual([name, typeflag])
  })

  test('a symlink is 0777 on every system, and a link has no bytes', () => {
    const record = lastRecord({ ...link('symlink', 'a', 'b'), mode: 0o755, size: 9 })
    expect([field(record, 100, 8), field(record, 124, 12)]).toEqual(['0000777', '00000000000'])
  })

  test.each<[string, TarEntry]>([
    ['its path or link is empty', file('')],
    ['its path or link is empty', link('symlink', 'a', '')],
    ['there is a NUL in its path or link', file('a\0b')],
    ['there is a NUL in its path or link', link('hardlink', 'a', 'b\0')],
    ['its path begins or ends with a slash', file('/a')],
    ['its path begins or ends with a slash', directory('a/')],
    ['its mode 100644 holds more than permissions', file('a', { mode: 0o100644 })],
    ['one of its numbers is not whole or negative', file('a', { size: -1 })],
    ['one of its numbers is not whole or negative', file('a', { mtime: 1.5 })],
    ['one of its numbers is not whole or negative', file('a', { uid: NaN })],
    ['one of its device numbers is too large', { ...file('a'), type: 'block', major: 8 ** 7, minor: 0 }],
  ])('refuses what would be read back differently: %s', (why, entry) => {
    expect(() => encodeEntry(entry)).toThrow(`${JSON.stringify(entry.path)} cannot be written to a tar archive: ${why}`)
  })
})
