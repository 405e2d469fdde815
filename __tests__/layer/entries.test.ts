import * as fc from 'fast-check'
import type { TarEntry } from '../../src/archive/tar/header.ts'
import { BaseTree, emptyTree } from '../../src/layer/base-tree.ts'
import { planEntries, type EntryPlan } from '../../src/layer/entries.ts'
import type { TreeEntry } from '../../src/layer/tree-entry.ts'
import { parseLine } from '../../src/layer/line.ts'
import { sortBytewise } from '../../src/layer/order.ts'
import type { WalkedFile } from '../../src/layer/scan.ts'
import type { Match } from '../../src/layer/walk.ts'

function walked(relative: string, more: Partial<WalkedFile> = {}): WalkedFile {
  return {
    path: `/ctx/${relative}`,
    relative,
    type: 'file',
    size: 3,
    mtimeMs: 1e12,
    ctimeMs: 1e12,
    ino: 1,
    dev: 1,
    mode: 0o100644,
    nlink: 1,
    linkTarget: undefined,
    inode: undefined,
    ...more,
  }
}

const directory = (relative: string): WalkedFile => walked(relative, { type: 'directory', mode: 0o40700, size: 4096 })
const symlink = (relative: string, linkTarget: string): WalkedFile =>
  walked(relative, { type: 'symlink', linkTarget, size: linkTarget.length })
const contents = (...files: readonly WalkedFile[]): Match => ({ kind: 'directory', path: '/ctx', files })
const single = (name: string, more: Partial<WalkedFile> = {}): Match => ({
  kind: 'file',
  name,
  file: { ...walked(name, more), relative: '' },
})

const usual = { mode: 0o755, uid: 0, gid: 0 }
const base = new BaseTree([
  {
    whiteouts: [],
    opaques: [],
    entries: [
      { path: 'usr/bin', type: 'directory', ...usual },
      { path: 'bin', type: 'symlink', ...usual, linkTarget: 'usr/bin' },
      { path: 'tmp', type: 'directory', mode: 0o1777, uid: 0, gid: 0 },
      { path: 'root', type: 'directory', mode: 0o700, uid: 0, gid: 0 },
      { path: 'home/app', type: 'directory', mode: 0o750, uid: 1000, gid: 1000 },
      { path: 'run', type: 'directory', ...usual },
      { path: 'var/run', type: 'symlink', ...usual, linkTarget: '/run' },
      { path: 'etc/motd', type: 'file', ...usual },
      { path: 'etc/os-release', type: 'symlink', ...usual, linkTarget: '../usr/lib/os-release' },
      { path: 'lost', type: 'symlink', ...usual, linkTarget: 'found' },
      { path: 'toFile', type: 'symlink', ...usual, linkTarget: 'etc/motd' },
      { path: 'etc/passwd', type: 'file', ...usual, text: 'app:x:1000:1001::/:\n' },
    ],
  },
])

function plan(line: string, matches: readonly Match[], tree = base, sourceDateEpoch?: number): EntryPlan {
  const { spec } = parseLine(line)
  if (spec?.kind !== 'files') throw new Error(`not a line of files: ${line}`)
  return planEntries({ spec, walk: { matches, problems: [], startedMs: 0 }, tree, sourceDateEpoch })
}

/** `drwxr-xr-x 0:0 app`, in octal. */
function show({ entry }: { readonly entry: TarEntry }): string {
  const { type, path, mode, uid, gid } = entry
  const link = 'linkPath' in entry ? ` -> ${entry.linkPath}` : ''
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${path}${link}`
}

function shown(planned: EntryPlan): readonly string[] {
  expect(planned.problems).toEqual([])
  return planned.entries.map(show)
}

describe('where things land', () => {
  test.each([
    ['a file at a name', 'f:/app/f', [single('f')], ['directory 755 0:0 app', 'file 644 0:0 app/f']],
    ['a file in a directory', 'f:/app/', [single('f')], ['directory 755 0:0 app', 'file 644 0:0 app/f']],
    ['a file at the root', 'f:/', [single('f')], ['file 644 0:0 f']],
    [
      'a file in a directory of the base, without a slash',
      'f:/tmp',
      [single('f')],
      ['directory 1777 0:0 tmp', 'file 644 0:0 tmp/f'],
    ],
    [
      'a file in a directory that a symlink of the base leads to',
      'f:/bin',
      [single('f')],
      ['directory 755 0:0 usr', 'directory 755 0:0 usr/bin', 'file 644 0:0 usr/bin/f'],
    ],
    [
      'below a symlink of the base',
      'f:/bin/f',
      [single('f')],
      ['directory 755 0:0 usr', 'directory 755 0:0 usr/bin', 'file 644 0:0 usr/bin/f'],
    ],
    [
      'below an absolute symlink of the base',
      'f:/var/run/x/',
      [single('f')],
      ['directory 755 0:0 run', 'directory 755 0:0 run/x', 'file 644 0:0 run/x/f'],
    ],
    [
      'where a dangling symlink points',
      'd:/lost/',
      [contents(walked('f'))],
      ['directory 755 0:0 found', 'file 644 0:0 found/f'],
    ],
    [
      'in place of a symlink of the base',
      'f:/etc/os-release',
      [single('f')],
      ['directory 755 0:0 etc', 'file 644 0:0 etc/os-release'],
    ],
    [
      'contents of directories, merged',
      'd*:/x/',
      [contents(directory('a'), walked('a/f')), contents(directory('a'), walked('a/g'))],
      ['directory 755 0:0 x', 'directory 755 0:0 x/a', 'file 644 0:0 x/a/f', 'file 644 0:0 x/a/g'],
    ],
    [
      'parents before children, by bytes',
      'd:/',
      [contents(directory('a'), walked('a-b'), walked('a.b'), walked('a/b'), walked('ä'))],
      ['directory 755 0:0 a', 'file 644 0:0 a-b', 'file 644 0:0 a.b', 'file 644 0:0 a/b', 'file 644 0:0 ä'],
    ],
    ['an empty directory', 'd/:/data/', [contents()], ['directory 755 0:0 data']],
    ['a name with a backslash', 'd:/x/', [contents(walked('a\\b'))], ['directory 755 0:0 x', 'file 644 0:0 x/a\\b']],
    [
      'symlinks as they are',
      'd:/x/',
      [contents(symlink('up', '../../../etc/passwd'))],
      ['directory 755 0:0 x', 'symlink 777 0:0 x/up -> ../../../etc/passwd'],
    ],
    [
      'names of one file as links to the first',
      'd:/x/',
      [contents(walked('b', { inode: '1:1' }), walked('a', { inode: '1:1' }), walked('c', { inode: '1:2' }))],
      ['directory 755 0:0 x', 'file 644 0:0 x/a', 'hardlink 644 0:0 x/b -> x/a', 'file 644 0:0 x/c'],
    ],
    [
      'a directory through a symlink of the base, when asked',
      'src=d,dest=/,follow-links=true',
      [contents(directory('bin'), walked('bin/f'), directory('var'), directory('var/run'), walked('var/run/pid'))],
      [
        'directory 755 0:0 run',
        'file 644 0:0 run/pid',
        'directory 755 0:0 usr',
        'directory 755 0:0 usr/bin',
        'file 644 0:0 usr/bin/f',
        'directory 755 0:0 var',
      ],
    ],
  ])('%s', (_name, line, matches, expected) => {
    expect(shown(plan(line, matches))).toEqual(expected)
  })

  test('two files for one path are told, or one of them would be lost without a word', () => {
    const { problems } = plan('d*:/', [contents(walked('f', { path: '/1' })), contents(walked('f', { path: '/2' }))])
    expect(problems.map(({ problem }) => problem)).toEqual([expect.stringContaining('/1 and /2 would both be /f')])
  })
})

describe('owner and mode', () => {
  test.each([
    [
      'the line owns DEST and what is below, root what is above',
      'src=d,dest=/srv/app/,owner=7:8',
      [contents(directory('x'), walked('x/f'))],
      ['directory 755 0:0 srv', 'directory 755 7:8 srv/app', 'directory 755 7:8 srv/app/x', 'file 644 7:8 srv/app/x/f'],
    ],
    [
      'directories of the base keep theirs, at any depth',
      'src=d,dest=/,owner=7,mode=0600',
      [contents(directory('tmp'), walked('tmp/f'), directory('root'), directory('root/new'), directory('home'))],
      [
        'directory 755 0:0 home',
        'directory 700 0:0 root',
        'directory 700 7:7 root/new',
        'directory 1777 0:0 tmp',
        'file 600 7:7 tmp/f',
      ],
    ],
    [
      'a name is looked up in the base',
      'src=f,dest=/home/app/,owner=app',
      [single('f')],
      ['directory 755 0:0 home', 'directory 750 1000:1000 home/app', 'file 644 1000:1001 home/app/f'],
    ],
    [
      'the executable bit of the owner decides, not the umask of the checkout',
      'd:/',
      [contents(walked('a', { mode: 0o100700 }), walked('b', { mode: 0o100666 }), walked('c', { mode: 0o106755 }))],
      ['file 755 0:0 a', 'file 644 0:0 b', 'file 755 0:0 c'],
    ],
    [
      'a mode is for files; directories can be entered where they can be read',
      'src=d,dest=/x/,mode=4640',
      [contents(directory('y'), walked('y/f'), symlink('l', 'y'))],
      ['directory 750 0:0 x', 'symlink 777 0:0 x/l -> y', 'directory 750 0:0 x/y', 'file 4640 0:0 x/y/f'],
    ],
    [
      'the sticky bit is for directories too',
      'src=d/,dest=/spool/,mode=1777',
      [contents()],
      ['directory 1777 0:0 spool'],
    ],
  ])('%s', (_name, line, matches, expected) => {
    expect(shown(plan(line, matches))).toEqual(expected)
  })
})

test.each([
  ['the time of the line', 'src=f,dest=/x/f,mtime=5', 7, 5],
  ['SOURCE_DATE_EPOCH', 'f:/x/f', 7, 7],
  ['0, so that an unchanged file is an unchanged layer', 'f:/x/f', undefined, 0],
])('everything has %s', (_name, line, epoch, mtime) => {
  expect(plan(line, [single('f')], base, epoch).entries.map(({ entry }) => entry.mtime)).toEqual([mtime, mtime])
})

describe('what would break the image is refused', () => {
  test.each([
    [
      'a directory over a symlink of the base',
      'd:/',
      [contents(directory('bin'), walked('bin/f'))],
      [
        '/bin is a symlink in the layers below (to usr/bin); the directory /ctx/bin would replace it and hide what it leads to; ' +
          'copy to where it points, or add follow-links=true',
      ],
    ],
    [
      'a directory over a file of the base',
      'd:/etc/',
      [contents(directory('motd'), walked('motd/f'))],
      ['cannot replace the file /etc/motd of the layers below with the directory /ctx/motd'],
    ],
    [
      'a file over a directory of the base',
      'd:/',
      [contents(walked('tmp'))],
      ['cannot replace the directory /tmp of the layers below with /ctx/tmp'],
    ],
    [
      'a symlink over a directory of the base',
      'd:/',
      [contents(symlink('tmp', 'run'))],
      ['cannot replace the directory /tmp of the layers below with /ctx/tmp'],
    ],
    [
      'a destination below a file',
      'f:/etc/motd/x',
      [single('f')],
      ['/etc/motd/x: /etc/motd is not a directory in the layers below'],
    ],
    [
      'a destination that is a file',
      'd:/etc/motd/',
      [contents(walked('f'))],
      ['/etc/motd is not a directory in the layers below'],
    ],
    [
      'links followed to a file',
      'src=d,dest=/,follow-links=true',
      [contents(directory('toFile'))],
      ['/toFile of the layers below points at etc/motd, which is not a directory; /ctx/toFile is one'],
    ],
    [
      'several sources for one name',
      '*:/x',
      [single('a'), single('b')],
      ['* names 2 sources; end the destination with a slash: /x/'],
    ],
    [
      'a file and a directory at one path',
      'd*:/x/',
      [contents(directory('a'), walked('a/f')), contents(walked('a'))],
      ['/x/a would be a file and a directory (/ctx/a is one of them)'],
    ],
    [
      'a file where a link of the base leads a directory',
      'src=d,dest=/,follow-links=true',
      [contents(walked('found'), directory('lost'), walked('lost/f'))],
      ['/found would be a file and a directory (/ctx/lost is one of them)'],
    ],
    [
      'an unknown owner',
      'src=f,dest=/x,owner=nobody',
      [single('f')],
      ['owner: unknown user "nobody" (not in etc/passwd of the layers below); use a number'],
    ],
  ])('%s', (_name, line, matches, says) => {
    const { problems } = plan(line, matches)
    expect(problems).toEqual(says.map(problem => ({ input: 'layers', problem: `"${line}": ${problem}` })))
  })
})

test('on any base, a layer is sorted, has parents first, each path once, and nothing outside the root', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'a.b', 'ä', '😀', '..b')
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'))
  const target = fc.constantFrom('..', '/', 'a', '../..', '/b/c', '../a', 'c')
  const baseEntry: fc.Arbitrary<TreeEntry> = fc
    .tuple(path, fc.constantFrom('file', 'directory', 'symlink', 'other'), target)
    .map(([at, type, to]) => ({ path: at, type, ...usual, linkTarget: type === 'symlink' ? to : undefined }))
  const source = fc.array(fc.tuple(path, fc.boolean()), { maxLength: 20 })
  fc.assert(
    fc.property(
      fc.array(baseEntry, { maxLength: 15 }),
      source,
      fc.constantFrom('/', '/a/', '/a', '/a/b/../c/', '/c/b'),
      fc.boolean(),
      (entries, files, dest, follow) => {
        const tree = new BaseTree([{ entries, whiteouts: [], opaques: [] }])
        const planned = plan(`src=d,dest=${dest},follow-links=${follow}`, [contents(...treeOf(files))], tree)
        const paths = planned.entries.map(({ entry }) => entry.path)
        expect(sortBytewise(new Set(paths), one => one)).toEqual(paths)
        if (planned.problems.length > 0) return
        for (const { entry } of planned.entries) {
          expect(entry.path).not.toMatch(/(?:^|\/)(?:[.]{0,2})(?:\/|$)/)
          const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))
          if (parent === '') continue
          expect(planned.entries.find(one => one.entry.path === parent)?.entry.type).toBe('directory')
          // Nothing is written through a symlink of the base, which would become a directory.
          expect(tree.lookup(parent)?.type ?? 'directory').toBe('directory')
        }
      },
    ),
    { numRuns: 500 },
  )
})

/** Files with the directories above them, as a walk would find them. */
function treeOf(files: readonly (readonly [path: string, directory: boolean])[]): readonly WalkedFile[] {
  const found = new Map<string, WalkedFile>()
  for (const [path, isDirectory] of files) {
    const names = path.split('/')
    const above = names.slice(0, -1).map((_, i) => names.slice(0, i + 1).join('/'))
    if (above.some(one => found.get(one)?.type === 'file') || found.has(path)) continue
    for (const one of above) found.set(one, directory(one))
    found.set(path, isDirectory ? directory(path) : walked(path))
  }
  return sortBytewise(found.values(), file => file.relative)
}

test('scratch has no tree to respect', () => {
  expect(shown(plan('f:/bin/f', [single('f')], emptyTree))).toEqual(['directory 755 0:0 bin', 'file 644 0:0 bin/f'])
})
