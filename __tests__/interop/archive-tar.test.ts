import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, link, lstat, mkdir, mkdtemp, open, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { decompress } from '../../src/archive/decompress.ts'
import { gzip } from '../../src/archive/gzip.ts'
import type { TarEntry } from '../../src/archive/tar/header.ts'
import { readTar } from '../../src/archive/tar/read.ts'
import { writeTar } from '../../src/archive/tar/write.ts'
import type { TarItem } from '../../src/archive/tar/write.ts'
import { zstd } from '../../src/archive/zstd.ts'
import { collect, madeUp, pieces } from '../archive/bytes.ts'
import { directory, file, link as linkTo } from '../archive/tar/samples.ts'

const run = promisify(execFile)

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'archive-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

/** Names around the limits of ustar, one of them a directory's. */
const NAMES = [
  'n'.repeat(100),
  'n'.repeat(101),
  `${'p'.repeat(155)}/${'n'.repeat(100)}`,
  `${'p'.repeat(155)}/${'m'.repeat(101)}`,
  `${'q'.repeat(156)}/${'n'.repeat(99)}`,
  `${'r/'.repeat(127)}x`,
  'å/\u{1f600} and spaces',
]

function sample(): { readonly items: readonly TarItem[]; readonly contents: ReadonlyMap<string, Buffer> } {
  const contents = new Map(NAMES.map((name, at) => [name, madeUp(at * 700, at)]))
  const files = [...contents].map(([path, content]) => ({
    entry: file(path, { size: content.byteLength, mtime: 1_700_000_000, mode: 0o640 }),
    body: { open: () => pieces(content, 999) },
  }))
  const others: readonly TarEntry[] = [
    directory('d'.repeat(120), { mode: 0o1777 }),
    linkTo('symlink', 'symlink', `../${'t'.repeat(120)}/å`),
    linkTo('hardlink', 'hardlink', NAMES[1] ?? ''),
    file('old', { mtime: -86_400 }),
    file('late', { mtime: 8 ** 11 }),
    file('ids', { uid: 3_000_000, gid: 4_000_000_000, mode: 0o4755 }),
  ]
  return { items: [...files, ...others.map(entry => ({ entry }))], contents }
}

/** What python's tarfile sees, in our words. */
const PYTHON_LIST = `
import json, sys, tarfile
kinds = {b'0': 'file', b'1': 'hardlink', b'2': 'symlink', b'3': 'character', b'4': 'block', b'5': 'directory', b'6': 'fifo'}
out = []
with tarfile.open(sys.argv[1]) as t:
    for m in t:
        e = dict(path=m.name, type=kinds[m.type], mode=m.mode, uid=m.uid, gid=m.gid, mtime=int(m.mtime), size=m.size)
        if m.linkname: e['linkPath'] = m.linkname
        if m.isdev() and not m.isfifo(): e.update(major=m.devmajor, minor=m.devminor)
        x = {k[13:]: v.encode('utf-8', 'surrogateescape').hex() for k, v in m.pax_headers.items() if k.startswith('SCHILY.xattr.')}
        if x: e['xattrs'] = x
        out.append(e)
print(json.dumps(out))
`

async function pythonSees(archive: string): Promise<unknown> {
  return JSON.parse((await run('python3', ['-c', PYTHON_LIST, archive])).stdout) as unknown
}

const plain = (entry: TarEntry): object => ({
  ...entry,
  ...(entry.xattrs && {
    xattrs: Object.fromEntries([...entry.xattrs].map(([key, value]) => [key, Buffer.from(value).toString('hex')])),
  }),
})

async function weSee(
  archive: string,
): Promise<{ readonly entries: readonly object[]; readonly contents: Map<string, Buffer> }> {
  const entries: object[] = []
  const contents = new Map<string, Buffer>()
  for await (const { entry, body } of readTar(decompress(createReadStream(archive)))) {
    entries.push(plain(entry))
    if (entry.type === 'file') contents.set(entry.path, await collect(body))
  }
  return { entries, contents }
}

describe('our archives', () => {
  test('list and unpack with the tar of the system: names, contents, modes, times, links', async () => {
    const { items, contents } = sample()
    const archive = join(dir, 'ours.tar')
    await pipeline(writeTar(items), createWriteStream(archive))

    const { stdout } = await run('tar', ['--list', '--quoting-style=literal', '--file', archive])
    expect(stdout.trimEnd().split('\n')).toEqual(
      items.map(({ entry }) => (entry.type === 'directory' ? `${entry.path}/` : entry.path)),
    )

    const out = join(dir, 'out')
    await mkdir(out)
    await run('tar', ['--extract', '--same-permissions', '--no-same-owner', '--file', archive, '--directory', out])
    for (const [path, content] of contents) expect((await readFile(join(out, path))).equals(content)).toBe(true)
    expect(await lstat(join(out, NAMES[0] ?? ''))).toMatchObject({ mode: 0o100640, mtimeMs: 1_700_000_000_000 })
    expect(await lstat(join(out, 'old'))).toMatchObject({ mtimeMs: -86_400_000 })
    expect(await lstat(join(out, 'd'.repeat(120)))).toMatchObject({ mode: 0o41777 })
    expect(await readlink(join(out, 'symlink'))).toBe(`../${'t'.repeat(120)}/å`)
    expect((await lstat(join(out, 'hardlink'))).ino).toBe((await lstat(join(out, NAMES[1] ?? ''))).ino)
  })

  test('mean the same to python, extended attributes with bytes that are not text included', async () => {
    const xattrs = new Map([
      ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
      ['user.bytes', Buffer.of(0x80, 0xff, 0x3d, 0x0a, 0x00)],
    ])
    const device = { ...file('null'), type: 'character' as const, major: 1, minor: 3 }
    const items = [...sample().items, { entry: file('xattrs', { xattrs }) }, { entry: device }]
    const archive = join(dir, 'ours.tar')
    await pipeline(writeTar(items), createWriteStream(archive))
    expect(await pythonSees(archive)).toEqual(items.map(({ entry }) => plain(entry)))
  })

  test('of more than 8 GiB are listed by the tar of the system, with what comes after', async () => {
    const size = 2 ** 33 + 1
    const zeros = Buffer.alloc(1 << 20)
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let left = size; left > 0; left -= zeros.byteLength) {
        yield await Promise.resolve(left < zeros.byteLength ? zeros.subarray(0, left) : zeros)
      }
    }
    // Holes instead of zeros: the archive costs a few kilobytes of disk.
    const archive = join(dir, 'large.tar')
    {
      await using handle = await open(archive, 'w')
      let at = 0
      for await (const block of writeTar([
        { entry: file('large', { size }), body: { open: body } },
        { entry: file('next') },
      ])) {
        if (!zeros.subarray(0, block.byteLength).equals(block)) await handle.write(block, 0, block.byteLength, at)
        at += block.byteLength
      }
      await handle.truncate(at)
    }
    const { stdout } = await run('tar', ['--list', '--verbose', '--numeric-owner', '--file', archive])
    expect(stdout).toMatch(/^-rw-r--r-- 0\/0 +8589934593 .* large\n-rw-r--r-- 0\/0 +0 .* next\n$/)
  }, 60_000)

  test.each([
    ['gzip', gzip],
    ['zstd', zstd],
  ])('pass the test of %s and unpack with it to the same bytes', async (tool, compress) => {
    const content = Buffer.concat([madeUp(9_000_000, 1, { alphabet: 30 }), madeUp(2_000_000, 2)])
    const [packed, expected] = [join(dir, 'packed'), join(dir, 'expected')]
    await writeFile(expected, content)
    await pipeline(compress(pieces(content, 333_333)), createWriteStream(packed))
    await run(tool, ['--test', '--stdout', packed])
    const compare = `${tool} --decompress --stdout < "$1" | cmp - "$2"`
    expect((await run('sh', ['-c', compare, 'sh', packed, expected])).stdout).toBe('')
  })
})

describe('archives of others', () => {
  const XATTR = { 'SCHILY.xattr.user.bytes': '80ff00' }
  /** The same tree in a format of python's, which has no v7; names fit the format. */
  const PYTHON_WRITE = `
import io, sys, tarfile
fmt = {'ustar': tarfile.USTAR_FORMAT, 'gnu': tarfile.GNU_FORMAT, 'pax': tarfile.PAX_FORMAT}[sys.argv[2]]
with tarfile.open(sys.argv[1], 'w', format=fmt, pax_headers={'comment': 'hello'} if sys.argv[2] == 'pax' else None) as t:
    def add(name, type=tarfile.REGTYPE, data=b'', **more):
        m = tarfile.TarInfo(name)
        m.type, m.size, m.mtime, m.uid, m.gid, m.uname = type, len(data), 1700000000, 1000, 1000, 'someone'
        for k, v in more.items(): setattr(m, k, v)
        t.addfile(m, io.BytesIO(data))
    add('dir', tarfile.DIRTYPE, mode=0o755)
    add('dir/file', data=b'hello')
    add('p' * 150 + '/' + 'n' * 90, data=b'x' * 1000)
    add('link', tarfile.SYMTYPE, linkname='dir/file', mode=0o777)
    add('hard', tarfile.LNKTYPE, linkname='dir/file')
    add('pipe', tarfile.FIFOTYPE)
    add('null', tarfile.CHRTYPE, devmajor=1, devminor=3)
    if sys.argv[2] != 'ustar':
        add('n' * 300, data=b'long')
        add('longlink', tarfile.SYMTYPE, linkname='t' * 300, mode=0o777)
        add('å' * 80, data='ü'.encode())
        add('ids', uid=3000000, gid=4000000000)
        add('old', mtime=-1)
    if sys.argv[2] == 'pax':
        add('xattr', pax_headers={'SCHILY.xattr.user.bytes': bytes.fromhex('80ff00').decode('utf-8', 'surrogateescape'), 'hdrcharset': 'BINARY'})
`
  test.each(['ustar', 'gnu', 'pax'])('in the %s format of python mean the same to us', async format => {
    const archive = join(dir, 'theirs.tar')
    await run('python3', ['-c', PYTHON_WRITE, archive, format])
    const { entries, contents } = await weSee(archive)
    expect(entries).toEqual(await pythonSees(archive))
    expect(entries.length).toBe({ ustar: 7, gnu: 12, pax: 13 }[format])
    expect(contents.get('dir/file')?.toString()).toBe('hello')
    expect(format !== 'pax' || JSON.stringify(entries.at(-1)).includes(XATTR['SCHILY.xattr.user.bytes'])).toBe(true)
  })

  test.each(['v7', 'oldgnu', 'gnu', 'ustar', 'posix'])(
    'in the %s format of the tar of the system are read whole',
    async format => {
      const tree = join(dir, 'tree')
      const long = 'l'.repeat(format === 'v7' ? 60 : format === 'ustar' ? 97 : 150)
      await mkdir(join(tree, long), { recursive: true })
      await writeFile(join(tree, long, 'file'), madeUp(70_000, 1))
      await writeFile(join(tree, 'exec'), 'run')
      await chmod(join(tree, 'exec'), 0o755)
      await symlink('exec', join(tree, 'symlink'))
      await link(join(tree, 'exec'), join(tree, 'zhard'))
      const archive = join(dir, 'theirs.tar.gz')
      await run('tar', [
        '--create',
        '--gzip',
        '--sort=name',
        `--format=${format}`,
        '--file',
        archive,
        '--directory',
        tree,
        '.',
      ])

      const { entries, contents } = await weSee(archive)
      expect(entries).toMatchObject([
        { path: '.', type: 'directory' },
        { path: './exec', type: 'file', mode: 0o755, size: 3 },
        { path: `./${long}`, type: 'directory' },
        { path: `./${long}/file`, type: 'file', size: 70_000 },
        { path: './symlink', type: 'symlink', linkPath: 'exec' },
        { path: './zhard', type: 'hardlink', linkPath: './exec' },
      ])
      expect(contents.get(`./${long}/file`)?.equals(madeUp(70_000, 1))).toBe(true)
      expect((entries[1] as TarEntry).mtime).toBe(Math.floor((await lstat(join(tree, 'exec'))).mtimeMs / 1000))
    },
  )

  test.each([
    ['gnu', 'oldgnu'],
    ['posix', 'posix'],
  ])('with sparse files (%s) are refused, not read as something else', async (_name, format) => {
    await writeFile(join(dir, 'sparse'), 'x')
    await run('truncate', ['--size=1M', join(dir, 'sparse')])
    await run('tar', [
      '--create',
      '--sparse',
      `--format=${format}`,
      '--file',
      join(dir, 's.tar'),
      '--directory',
      dir,
      'sparse',
    ])
    await expect(weSee(join(dir, 's.tar'))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})
