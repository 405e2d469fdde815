import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLine, type FilesSpec } from '../../src/layer/line.ts'
import { walkLine, type Walk } from '../../src/layer/walk.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { tempDir, type TempDir } from './temp-dir.ts'

function filesLine(line: string): FilesSpec {
  const { spec, problems } = parseLine(line)
  if (spec?.kind !== 'files') throw new Error(`not a line of files: ${line} ${JSON.stringify(problems)}`)
  return spec
}

function walk(dir: TempDir, line: string): Walk {
  return walkLine(filesLine(line), { context: dir.path })
}

/** Matches as text: `name` for a file, `[a, b]` for the contents of a directory. */
function found({ matches }: Walk): readonly string[] {
  return matches.map(match =>
    match.kind === 'file'
      ? `${match.file.type} ${match.name}`
      : `[${match.files.map(({ relative }) => relative).join(', ')}]`,
  )
}

function problems({ problems }: Walk, dir: TempDir): readonly string[] {
  return problems.map(({ problem }) => problem.replaceAll(dir.path, 'CONTEXT'))
}

describe('a source', () => {
  test('that is a directory gives all it has, parents before children, by bytes', () => {
    using dir = tempDir()
    dir.put({
      'd/a/b': '1',
      'd/a.txt': '2',
      'd/a-b': '3',
      'd/B': '4',
      'd/ä': '5',
      'd/z/.hidden': '6',
      'd/😀': '',
      'd/ﾮ': '',
    })
    expect(found(walk(dir, 'd:/x'))).toEqual(['[B, a, a-b, a.txt, a/b, z, z/.hidden, ä, ﾮ, 😀]'])
  })

  test('keeps empty directories', () => {
    using dir = tempDir()
    dir.put({ 'd/empty': { directory: true } })
    expect(walk(dir, 'd/:/x').matches).toMatchObject([{ files: [{ relative: 'empty', type: 'directory' }] }])
  })

  test('that is a file is told with what the system says of it', () => {
    using dir = tempDir()
    dir.put({ 'd/run': { text: 'hello', mode: 0o750 } })
    const file = { path: join(dir.path, 'd/run'), relative: '', type: 'file', size: 5, nlink: 1, inode: undefined }
    expect(walk(dir, 'd/run:/x').matches).toMatchObject([{ kind: 'file', name: 'run', file }])
  })

  test('that is a symlink is followed, and keeps its name; symlinks in it stay what they are', () => {
    using dir = tempDir()
    dir.put({
      'real/f': '1',
      'real/dangling': { link: '../nowhere' },
      current: { link: 'real' },
      file: { link: 'real/f' },
    })
    expect(found(walk(dir, 'current:/x'))).toEqual(['[dangling, f]'])
    expect(found(walk(dir, 'file:/x/'))).toEqual(['file file'])
    expect(walk(dir, 'current/:/x').matches).toMatchObject([
      { files: [{ linkTarget: '../nowhere', type: 'symlink' }, {}] },
    ])
  })

  test('may lie outside the context', () => {
    using dir = tempDir()
    dir.put({ 'a/f': '1', 'b/g': '2' })
    expect(found(walkLine(filesLine('../b:/x'), { context: join(dir.path, 'a') }))).toEqual(['[g]'])
    expect(found(walkLine(filesLine(`${dir.path}/b:/x`), { context: join(dir.path, 'a') }))).toEqual(['[g]'])
  })

  test('tells names of one file from files of one content', () => {
    using dir = tempDir()
    dir.put({ 'd/a': 'same', 'd/b': { hard: 'd/a' }, 'd/c': 'same' })
    const [match] = walk(dir, 'd:/x').matches
    const inodes = match?.kind === 'directory' ? match.files.map(({ inode }) => inode) : []
    expect(inodes).toEqual([expect.any(String), inodes[0], undefined])
  })
})

describe('a symlink that leads out of the context', () => {
  const tree = {
    'secret/key': 'private',
    'secret/dir/id': 'private',
    'ctx/file': { link: '../secret/key' },
    'ctx/dir': { link: '../secret' },
    'ctx/inner/up': { link: '..' },
    'ctx/inner/own': { link: '../plain' },
    'ctx/plain/f': '1',
    'ctx/packages/out': { link: '../../secret' },
    'ctx/packages/own': { link: '../plain' },
  } as const

  const walkIn = (dir: TempDir, line: string, followLinks?: boolean): Walk =>
    walkLine(filesLine(line), { context: join(dir.path, 'ctx'), followLinks })

  test.each([
    ['file:/x', 'is'],
    ['dir:/x', 'is'],
    ['dir/:/x', 'is'],
    ['dir/dir/id:/x', 'passes'],
    ['inner/up/dir/key:/x', 'passes another and'],
    ['dir/*:/x/', 'is passed by a pattern and'],
    ['dir/**/id:/x/', 'is passed by a pattern and'],
    ['*/key:/x/', 'is found by a pattern and'],
    ['packages/*/key:/x/', 'is found by a pattern and'],
    ['packages/*/dir/id:/x/', 'is found by a pattern and'],
    ['packages/*/dir/*:/x/', 'is found by a pattern and'],
    ['packages/*/:/x/', 'is found by a pattern and'],
    ['inner/*/../../secret/*:/x/', 'is the way back from'],
  ])('gives nothing away: %s (it %s would be followed)', line => {
    using dir = tempDir()
    dir.put(tree)
    const { problems } = walkIn(dir, line)
    expect(problems[0]?.problem).toMatch(/leads out of .*\/ctx: .*set "follow-links: true"/)
  })

  test('is followed where that is asked for, for one line or for all', () => {
    using dir = tempDir()
    dir.put(tree)
    expect(found(walkIn(dir, 'src=dir,dest=/x,follow-links=true'))).toEqual(['[dir, dir/id, key]'])
    expect(found(walkIn(dir, 'file:/x/', true))).toEqual(['file file'])
    expect(found(walkIn(dir, 'packages/*/key:/x/', true))).toEqual(['file key'])
  })

  test('is none where it stays in, or where the context itself is one', () => {
    using dir = tempDir()
    dir.put({ ...tree, link: { link: 'ctx' } })
    expect(found(walkIn(dir, 'inner/own:/x'))).toEqual(['[f]'])
    expect(found(walkIn(dir, 'packages/ow*/f:/x/'))).toEqual(['file f'])
    const linked = { context: join(dir.path, 'link') }
    expect(found(walkLine(filesLine('plain:/x'), linked))).toEqual(['[f]'])
    expect(found(walkLine(filesLine('plain/*:/x/'), linked))).toEqual(['file f'])
    expect(found(walkLine(filesLine(`${dir.path}/link/plain:/x`), linked))).toEqual(['[f]'])
    expect(walkLine(filesLine(`${dir.path}/ctx/dir:/x`), linked).problems).toHaveLength(1)
  })

  test('may not lead further out than what was typed, which may lie outside itself', () => {
    using dir = tempDir()
    dir.put({
      'repo/app/f': '1',
      'repo/shared/own': { link: '../app/f' },
      'repo/shared/out': { link: '../../secret' },
      'secret/key': 'private',
    })
    const context = join(dir.path, 'repo/app')
    const walked = (line: string): Walk => walkLine(filesLine(line), { context })
    expect(found(walked('../shared/own:/x/'))).toEqual(['file own'])
    expect(found(walked('../../secret:/x/'))).toEqual(['[key]'])
    expect(found(walked('../shared/ow*:/x/'))).toEqual(['symlink own'])
    expect(walked('../shared/out/key:/x').problems).toHaveLength(1)
    expect(walked('../shared/*/key:/x/').problems).toHaveLength(1)
    expect(walked(`${dir.path}/repo/shared/out/key:/x`).problems).toHaveLength(1)
  })
})

describe('exclude', () => {
  const files = { 'd/a.js': '', 'd/a.js.map': '', 'd/lib/b.js.map': '', 'd/lib/keep/c': '', 'd/lib/other': '' }

  test.each([
    ['*.map', '[a.js, lib, lib/b.js.map, lib/keep, lib/keep/c, lib/other]'],
    ['**/*.map', '[a.js, lib, lib/keep, lib/keep/c, lib/other]'],
    ['lib', '[a.js, a.js.map]'],
    ['lib/**', '[a.js, a.js.map, lib]'],
    ['lib,exclude=!lib/keep', '[a.js, a.js.map, lib, lib/keep, lib/keep/c]'],
    ['**,exclude=!**/c', '[lib, lib/keep, lib/keep/c]'],
  ])('%s leaves %s', (pattern, left) => {
    using dir = tempDir()
    dir.put(files)
    expect(found(walk(dir, `src=d,dest=/x,exclude=${pattern}`))).toEqual([left])
  })

  test('that leaves nothing is told, rather than publishing an empty layer', () => {
    using dir = tempDir()
    dir.put(files)
    expect(problems(walk(dir, 'src=d,dest=/x,exclude=**'), dir)).toEqual([
      '"src=d,dest=/x,exclude=**": exclude leaves nothing of "d"',
    ])
    expect(problems(walk(dir, 'src=d/a.js,dest=/x,exclude=a*'), dir)).toEqual([
      '"src=d/a.js,dest=/x,exclude=a*": exclude leaves nothing of "d/a.js"',
    ])
  })
})

describe('a pattern', () => {
  const files = {
    'dist/a.js': '',
    'dist/b.js': '',
    'dist/b.css': '',
    'dist/sub/c.js': '',
    'dist/sub/deep/d.js': '',
    'dist/.env': '',
    'dist/lib.so': { link: 'lib.so.1' },
    'dist/lib.so.1': '',
    'pages/[id]/x': '',
    'other/up': { link: '../dist' },
  } as const

  test.each([
    ['dist/*.js', ['file a.js', 'file b.js']],
    ['dist/[ab].*s', ['file a.js', 'file b.css', 'file b.js']],
    ['dist/lib.so*', ['symlink lib.so', 'file lib.so.1']],
    [
      'dist/*',
      [
        'file .env',
        'file a.js',
        'file b.css',
        'file b.js',
        'symlink lib.so',
        'file lib.so.1',
        '[c.js, deep, deep/d.js]',
      ],
    ],
    ['dist/*/', ['[c.js, deep, deep/d.js]']],
    ['dist/**/*.js', ['file a.js', 'file b.js', 'file c.js', 'file d.js']],
    ['dist/sub/**', ['[c.js, deep, deep/d.js]']],
    ['**/deep', ['[d.js]']],
    ['other/*/a.js', ['file a.js']],
    ['**/sub/c.js', ['file c.js']],
    ['pages/[[]id]', ['[x]']],
    ['pages/[id]', ['[x]']],
  ])('%s finds %j', (pattern, expected) => {
    using dir = tempDir()
    dir.put(files)
    const walked = walk(dir, `${pattern}:/x/`)
    expect({ found: found(walked), problems: problems(walked, dir) }).toEqual({ found: expected, problems: [] })
  })

  test('excludes by the name of a file and by the path in a directory', () => {
    using dir = tempDir()
    dir.put(files)
    expect(found(walk(dir, 'src=dist/*,dest=/x/,exclude=*.js,exclude=.env,exclude=deep/d.js'))).toEqual([
      'file b.css',
      'symlink lib.so',
      'file lib.so.1',
      '[deep]',
    ])
  })
})

describe('what cannot be in a layer is told all at once', () => {
  test('a source that is not there, with the platform it is not there for', () => {
    using dir = tempDir()
    const spec = filesLine('dist/arm64/server:/server')
    const walked = walkLine(spec, { context: dir.path, platform: parsePlatform('linux/arm64') })
    expect(problems(walked, dir)).toEqual([
      '"dist/arm64/server:/server" (linux/arm64): there is no "dist/arm64/server" in CONTEXT',
    ])
  })

  test.each([
    ['dist/*.js:/x/', '"dist/*.js:/x/": no file matches "dist/*.js" in CONTEXT'],
    [
      'dist/[.js:/x/',
      '"dist/[.js:/x/": "dist/[.js" is not a pattern: a bracket is not closed or nothing follows a "\\"',
    ],
    ['f/:/x/', '"f/:/x/": "CONTEXT/f/" is not a directory'],
    ['f/g:/x/', '"f/g:/x/": "CONTEXT/f/g" is not a directory'],
  ])('%s', (line, problem) => {
    using dir = tempDir()
    dir.put({ f: '1', 'dist/x': '' })
    expect(problems(walk(dir, line), dir)).toEqual([problem])
  })

  test('pipes, names that mean deletions, names that are not UTF-8, links to such names', () => {
    using dir = tempDir()
    dir.put({ 'd/.wh.gone': '', 'd/ok': '' })
    execFileSync('mkfifo', [join(dir.path, 'd/pipe')])
    writeFileSync(Buffer.concat([Buffer.from(`${dir.path}/d/x`), Buffer.of(0xff)]), '')
    symlinkSync(Buffer.of(0x61, 0xff), join(dir.path, 'd/to'))
    const told = problems(walk(dir, 'd:/x'), dir)
    expect([...told].sort()).toEqual([
      '"d:/x": CONTEXT/d/.wh.gone: names that begin with ".wh." stand for deletions in a layer; rename or exclude it',
      '"d:/x": CONTEXT/d/pipe is a socket, a pipe or a device; only files, directories and symlinks can be copied',
      '"d:/x": CONTEXT/d/to points at a name that is not valid UTF-8',
      '"d:/x": cannot look at CONTEXT/d/x\ufffd (its name is not valid UTF-8)',
    ])
  })

  test('of very many, some and how many more', () => {
    using dir = tempDir()
    dir.put(Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`d/.wh.${i}`, ''])))
    const told = problems(walk(dir, 'd:/x'), dir)
    expect([told.length, told.at(-1)]).toEqual([21, '"d:/x": and 5 more like these'])
  })
})
