import * as fc from 'fast-check'
import { readTar } from '../../../src/archive/tar/read.ts'
import type { ReadTarOptions } from '../../../src/archive/tar/read.ts'
import { writeTar } from '../../../src/archive/tar/write.ts'
import { collect, drain, failureOf, firstOf, madeUp, pieces, watched } from '../bytes.ts'
import { END, GNU, POSIX, rawHeader, rawMember } from './raw.ts'
import { file } from './samples.ts'

interface Read {
  readonly path: string
  readonly type: string
  readonly content: string
  readonly [other: string]: unknown
}

async function read(archive: Uint8Array, options?: ReadTarOptions): Promise<Read[]> {
  const all: Read[] = []
  for await (const { entry, body } of readTar(pieces(archive, 700), options)) {
    all.push({ ...entry, content: (await collect(body)).toString() })
  }
  return all
}

const archiveOf = (...members: readonly Uint8Array[]): Buffer => Buffer.concat([...members, END])
const pax = (records: string | Uint8Array, typeflag = 'x'): Buffer =>
  rawMember({ name: 'PaxHeaders/1', typeflag, magic: POSIX }, records)
const record = (text: string): string => {
  const length = Buffer.byteLength(text) + 2
  const digits = `${length + `${length}`.length}`.length
  return `${length + digits} ${text}\n`
}
const base256 = (bytes: number, value: bigint): Buffer => {
  const field = Buffer.alloc(bytes)
  field.writeBigInt64BE(value, bytes - 8)
  if (value < 0n) field.fill(0xff, 0, bytes - 8)
  field[0] = (field[0] ?? 0) | 0x80
  return field
}

describe('readTar() reads', () => {
  test('v7, where only a slash tells a directory', async () => {
    const archive = archiveOf(
      rawHeader({ name: 'dir/', mode: '   755 \0', typeflag: '\0' }),
      rawMember({ name: 'dir/file', mode: ' 100644 ', typeflag: '\0' }, 'hello'),
    )
    expect(await read(archive)).toMatchObject([
      { path: 'dir', type: 'directory', mode: 0o755 },
      { path: 'dir/file', type: 'file', mode: 0o644, size: 5, content: 'hello' },
    ])
  })

  test('ustar with a prefix, and with a name that fills its field', async () => {
    const name = 'n'.repeat(100)
    const archive = archiveOf(rawMember({ name, magic: POSIX, prefix: 'p'.repeat(155) }, 'x'))
    expect(await read(archive)).toMatchObject([{ path: `${'p'.repeat(155)}/${name}`, content: 'x' }])
  })

  test('GNU, which has times where POSIX has a prefix, and a long name or link before the header', async () => {
    const archive = archiveOf(
      rawMember({ name: 'a', magic: GNU, prefix: '14371217703' }, 'x'),
      rawMember({ name: '././@LongLink', typeflag: 'L', magic: GNU }, `${'å'.repeat(90)}\0`),
      rawMember({ name: '././@LongLink', typeflag: 'K', magic: GNU }, `${'t'.repeat(120)}\0`),
      rawHeader({ name: 'å'.repeat(50), typeflag: '2', magic: GNU, linkName: 't'.repeat(100) }),
      rawMember({ name: 'b', magic: GNU }, 'y'),
    )
    expect(await read(archive)).toMatchObject([
      { path: 'a' },
      { path: 'å'.repeat(90), type: 'symlink', linkPath: 't'.repeat(120) },
      { path: 'b', content: 'y' },
    ])
  })

  test('GNU numbers in base 256, below zero too', async () => {
    const archive = archiveOf(
      rawHeader({
        ...{ name: 'a', typeflag: '5', magic: GNU },
        ...{ uid: base256(8, 4_000_000_000n), mtime: base256(12, -2n), size: base256(12, 0n) },
      }),
    )
    expect(await read(archive)).toMatchObject([{ uid: 4_000_000_000, mtime: -2 }])
  })

  test('star, whose prefix is shorter', async () => {
    const archive = archiveOf(rawMember({ name: 'a', magic: POSIX, prefix: 'p', trailer: 'tar\0' }, 'x'))
    expect(await read(archive)).toMatchObject([{ path: 'p/a' }])
  })

  test('PAX records of an entry over the fields of its header', async () => {
    const records = ['path=ä/b', 'linkpath=ö', 'uid=5000000', 'gid=6000000', 'mtime=12.999', 'comment=no'].map(record)
    const archive = archiveOf(
      pax(records.join('')),
      rawHeader({ name: 'a', typeflag: '2', magic: POSIX, linkName: 'o' }),
      rawHeader({ name: 'next', typeflag: '5', magic: POSIX }),
    )
    expect(await read(archive)).toMatchObject([
      { path: 'ä/b', linkPath: 'ö', uid: 5_000_000, gid: 6_000_000, mtime: 12 },
      { path: 'next', uid: 0, mtime: 0 },
    ])
  })

  test.each([
    ['-1.5', -2],
    ['-1', -1],
    ['1.', 1],
  ])('a PAX mtime of %s as a whole second', async (mtime, seconds) => {
    const archive = archiveOf(pax(record(`mtime=${mtime}`)), rawHeader({ name: 'a' }))
    expect(await read(archive)).toMatchObject([{ mtime: seconds }])
  })

  test('a PAX size over the one of the header, to find the next entry', async () => {
    const header = rawHeader({ name: 'a', magic: POSIX, size: '00000000000\0' })
    const body = Buffer.concat([Buffer.from('hello'), Buffer.alloc(507)])
    const archive = archiveOf(pax(record('size=5')), header, body, rawMember({ name: 'b' }, 'x'))
    expect(await read(archive)).toMatchObject([{ path: 'a', size: 5, content: 'hello' }, { path: 'b' }])
  })

  test('extended attributes as the bytes they are', async () => {
    const value = Uint8Array.of(0x01, 0x00, 0x80, 0xff, 0x0a)
    const key = 'SCHILY.xattr.security.capability='
    const length = key.length + value.length + 4
    const archive = archiveOf(
      pax(Buffer.concat([Buffer.from(`${length} ${key}`), value, Buffer.from('\n')])),
      rawHeader({ name: 'a' }),
    )
    expect(await read(archive)).toMatchObject([{ xattrs: new Map([['security.capability', value]]) }])
  })

  test('global PAX records for all entries, until they are told otherwise or taken back', async () => {
    const archive = archiveOf(
      pax(record('uid=7') + record('comment=0123456789'), 'g'),
      rawHeader({ name: 'a', uid: '0000001\0' }),
      pax(record('uid=8')),
      rawHeader({ name: 'b' }),
      pax(record('uid=')),
      rawHeader({ name: 'c', uid: '0000002\0' }),
      rawHeader({ name: 'd' }),
    )
    expect((await read(archive)).map(({ uid }) => uid)).toEqual([7, 8, 2, 7])
  })

  test('links with a size that have no body, devices, fifos and the root', async () => {
    const archive = archiveOf(
      rawHeader({ name: './', typeflag: '5' }),
      rawHeader({ name: '/', typeflag: '5' }),
      rawHeader({ name: './a', typeflag: '1', linkName: './b', size: '00000000700\0' }),
      rawHeader({ name: 'dev/null', typeflag: '3', magic: POSIX, major: '0000001\0', minor: '0000003\0' }),
      rawHeader({ name: 'dev/sda', typeflag: '4', magic: POSIX, major: '0000010\0', minor: '0000000\0' }),
      rawHeader({ name: 'pipe', typeflag: '6' }),
      rawMember({ name: 'label', typeflag: 'V' }, ''),
      rawMember({ name: 'dump/', typeflag: 'D' }, 'Ya\0'),
      rawMember({ name: 'contiguous', typeflag: '7' }, 'x'),
    )
    expect(await read(archive)).toMatchObject([
      { path: '.', type: 'directory' },
      { path: '/', type: 'directory' },
      { path: './a', type: 'hardlink', linkPath: './b', size: 0 },
      { path: 'dev/null', type: 'character', major: 1, minor: 3 },
      { path: 'dev/sda', type: 'block', major: 8, minor: 0 },
      { path: 'pipe', type: 'fifo' },
      { path: 'dump', type: 'directory', size: 0 },
      { path: 'contiguous', type: 'file', content: 'x' },
    ])
  })

  test('checksums that were summed as signed characters', async () => {
    const archive = archiveOf(rawHeader({ name: 'å', signed: true }))
    expect(await read(archive)).toMatchObject([{ path: 'å' }])
  })

  test.each([
    ['no records of zeros at its end', Buffer.alloc(0)],
    ['one record of zeros at its end', Buffer.alloc(512)],
    ['rubbish after its end', Buffer.concat([END, madeUp(5_000, 1)])],
    ['padding as GNU tar writes it', Buffer.alloc(10_240)],
  ])('an archive with %s', async (_name, end) => {
    const archive = Buffer.concat([rawMember({ name: 'a' }, 'x'), end])
    expect((await read(archive)).map(({ path }) => path)).toEqual(['a'])
  })

  test('a last body without its padding', async () => {
    const archive = rawMember({ name: 'a' }, 'hello').subarray(0, 517)
    expect(await read(archive)).toMatchObject([{ content: 'hello' }])
  })

  test('nothing at all', async () => {
    expect(await read(Buffer.alloc(0))).toEqual([])
  })
})

describe('readTar() refuses', () => {
  const from = 'layer 1'
  test.each([
    ['what is no tar', madeUp(600, 1), 'INVALID_ARCHIVE', 'layer 1, byte 0: not a tar header, its checksum is wrong'],
    [
      'a header with a flipped bit',
      rawHeader({ name: 'a', checksum: '000123\0 ' }),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: not a tar header, its checksum is wrong',
    ],
    [
      'a number that is none',
      rawHeader({ name: 'a', uid: 'root\0\0\0\0' }),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: the number at byte 108 of the tar header is broken',
    ],
    [
      'a number that no file has',
      rawHeader({ name: 'a', mtime: base256(12, 2n ** 60n) }),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: the number at byte 136 of the tar header is broken',
    ],
    [
      'a size below zero, which would read the same bytes again',
      rawHeader({ name: 'a', size: base256(12, -512n) }),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: the tar header tells a negative size',
    ],
    [
      'an end in a header',
      rawMember({ name: 'a' }, 'x').subarray(0, 300),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: broken tar archive: ends in the middle of a header',
    ],
    [
      'an end in a body',
      rawMember({ name: 'a' }, 'hello').subarray(0, 515),
      'INVALID_ARCHIVE',
      'layer 1, "a": broken tar archive: ends in the middle of a file',
    ],
    [
      'an end in a PAX header',
      pax(record('uid=7')).subarray(0, 515),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: broken tar archive: ends in the middle of a header',
    ],
    [
      'an end between a PAX header and its entry',
      pax(record('uid=7')),
      'INVALID_ARCHIVE',
      'layer 1, byte 1024: broken tar archive: ends where an entry should follow its PAX header or long name',
    ],
    [
      'an entry that only some readers would see',
      archiveOf(Buffer.alloc(512), rawHeader({ name: 'a' })),
      'INVALID_ARCHIVE',
      'layer 1, byte 0: broken tar archive: a lone record of zeros',
    ],
    [
      'metadata that would fill the memory',
      rawHeader({ name: 'a', typeflag: 'L', size: '00010000000\0' }),
      'TOO_LARGE',
      'layer 1, byte 0: more than 1,048,576 bytes of names and attributes',
    ],
    [
      'metadata that would fill the memory bit by bit',
      Buffer.concat([1, 2, 3].map(key => pax(record(`${key}=${'v'.repeat(400_000)}`), 'g'))),
      'TOO_LARGE',
      'layer 1, byte 801792: more than 1,048,576 bytes of names and attributes',
    ],
    [
      'global records that each of a million entries would carry',
      Buffer.concat([pax(Array.from({ length: 65 }, (_, key) => record(`${key}=x`)).join(''), 'g'), END]),
      'TOO_LARGE',
      'layer 1, byte 0: more than 64 global PAX records',
    ],
    [
      'one header of a hundred thousand records',
      archiveOf(pax(Array.from({ length: 5000 }, (_, key) => record(`${key}=x`)).join('')), rawHeader({ name: 'a' })),
      'TOO_LARGE',
      'layer 1, byte 0: more than 4,096 records in a PAX header',
    ],
    [
      'a name that no system could unpack',
      archiveOf(pax(record(`path=${'a/'.repeat(3000)}`)), rawHeader({ name: 'a' })),
      'TOO_LARGE',
      'layer 1, byte 6656: more than 4,096 characters in a name',
    ],
    [
      'a link that leads nowhere at length',
      archiveOf(
        rawMember({ name: '././@LongLink', typeflag: 'K', magic: GNU }, 'l'.repeat(5000)),
        rawHeader({ name: 'a' }),
      ),
      'TOO_LARGE',
      'layer 1, byte 5632: more than 4,096 characters in a link',
    ],
    [
      'a number of a thousand digits, which is not printed',
      archiveOf(pax(record(`uid=${'1'.repeat(1000)}`)), rawHeader({ name: 'a' })),
      'INVALID_ARCHIVE',
      'layer 1, "a": broken tar archive: the PAX uid has 1000 bytes',
    ],
    [
      'a PAX path with a NUL, which ends it for some',
      archiveOf(pax(record('path=a\0b')), rawHeader({ name: 'a' })),
      'INVALID_ARCHIVE',
      'layer 1, byte 1024: broken tar archive: a NUL in the PAX path',
    ],
    [
      'a PAX size that is none',
      archiveOf(pax(record('size=-1')), rawHeader({ name: 'a' })),
      'INVALID_ARCHIVE',
      'layer 1, byte 1024: broken tar archive: the PAX size "-1" is not a number',
    ],
    [
      'a PAX time that is none',
      archiveOf(pax(record('mtime=now')), rawHeader({ name: 'a' })),
      'INVALID_ARCHIVE',
      'layer 1, "a": broken tar archive: the PAX mtime "now" is not a time',
    ],
    [
      'sparse files of GNU',
      archiveOf(rawHeader({ name: 'a', typeflag: 'S', magic: GNU })),
      'UNSUPPORTED',
      'layer 1, "a": a sparse file cannot be read',
    ],
    [
      'sparse files of PAX',
      archiveOf(pax(record('GNU.sparse.major=1')), rawHeader({ name: 'a' })),
      'UNSUPPORTED',
      'layer 1, "a": a sparse file cannot be read',
    ],
    [
      'volumes',
      archiveOf(rawHeader({ name: 'a', typeflag: 'M', magic: GNU })),
      'UNSUPPORTED',
      'layer 1, "a": a part of a file, from several volumes cannot be read',
    ],
  ])('%s', async (_name, archive, code, message) => {
    expect(await failureOf(readTar(pieces(archive, 700), { from }))).toMatchObject({ code, message })
  })

  test('any archive that is cut within its entries', async () => {
    const members = [rawMember({ name: 'a' }, 'x'.repeat(600)), pax(record('uid=7')), rawMember({ name: 'b' }, 'y')]
    const archive = Buffer.concat(members)
    // Where an entry ends, and in the padding after it, an archive may end.
    const [first = 0, second = 0] = members.map(member => member.byteLength)
    const fine = (end: number): boolean => end === 0 || (end >= 512 + 600 && end <= first) || end > first + second + 512
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: archive.byteLength }), async end => {
        const [{ status }] = await Promise.allSettled([read(archive.subarray(0, end))])
        expect(status).toBe(fine(end) ? 'fulfilled' : 'rejected')
      }),
      { numRuns: 300 },
    )
  })
})

describe('readTar()', () => {
  const archive = archiveOf(rawMember({ name: 'a' }, 'x'.repeat(3_000)), rawMember({ name: 'b' }, 'hello'))

  test('passes over bodies that nobody reads, or not to their end', async () => {
    const paths: string[] = []
    for await (const { entry } of readTar(pieces(archive, 100))) paths.push(entry.path)
    expect(paths).toEqual(['a', 'b'])

    const last: string[] = []
    for await (const { entry, body } of readTar(pieces(archive, 1))) {
      for await (const part of body) {
        last.push(`${entry.path}${part.byteLength}`)
        break
      }
    }
    expect(last).toEqual(['a1', 'b1'])
  })

  test('does not give the bytes of one entry as those of another', async () => {
    const members = readTar(pieces(archive))
    const first = await members.next()
    await members.next()
    const body = first.value?.body ?? pieces(Buffer.alloc(0))
    await expect(collect(body)).rejects.toThrow('the body of a was asked for after the next entry')
    await members.return()
  })

  test('reads its source to the end, so that whoever verifies it sees all of it', async () => {
    let bytes = 0
    async function* source(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(Buffer.concat([archive, madeUp(50_000, 1)]), 1_000)) {
        bytes += piece.byteLength
        yield piece
      }
    }
    await drain(readTar(source()))
    expect(bytes).toBe(archive.byteLength + 50_000)
  })

  test('lets the source go when the reader stops early, or when it fails', async () => {
    const stopped = watched(archive, 100)
    await firstOf(readTar(stopped))
    expect(stopped.released()).toBe(true)
    const failed = watched(madeUp(2_000, 1), 100)
    await failureOf(readTar(failed))
    expect(failed.released()).toBe(true)
  })

  test('stops with the reason of its signal, and passes on what the source throws, both as they are', async () => {
    const reason = new Error('the user said so')
    expect(await failureOf(readTar(pieces(archive), { signal: AbortSignal.abort(reason) }))).toBe(reason)
    async function* source(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(archive.subarray(0, 1_000))
      throw reason
    }
    expect(await failureOf(readTar(source()))).toBe(reason)
  })

  test('reads our own entries of 8 GiB and the next after them', async () => {
    const size = 2 ** 33 + 5
    const zeros = Buffer.alloc(1 << 20)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(zeros)
    }
    const written = writeTar([{ entry: file('large', { size }), body: { open: body } }])
    const read = readTar(written)
    expect((await read.next()).value).toMatchObject({ entry: { path: 'large', size } })
    await read.return()
  })
})
