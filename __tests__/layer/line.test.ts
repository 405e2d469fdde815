import { expandLine, parseLine, usesPlaceholders, type FilesSpec } from '../../src/layer/line.ts'
import { parsePlatform } from '../../src/oci/platform.ts'

const defaults = {
  kind: 'files',
  owner: undefined,
  mode: undefined,
  exclude: [],
  mtime: undefined,
  followLinks: false,
}

describe('parseLine()', () => {
  test.each([
    ['a directory into a directory', 'dist/:/app/', { src: 'dist/', dest: '/app/' }],
    ['a file to a name', 'dist/server:/usr/local/bin/server', { src: 'dist/server', dest: '/usr/local/bin/server' }],
    ['a drive of Windows in the source', 'C:\\dist:/app', { src: 'C:\\dist', dest: '/app' }],
    ['a drive with slashes', 'C:/dist:/app', { src: 'C:/dist', dest: '/app' }],
    ['colons in the source', 'a:b:/app', { src: 'a:b', dest: '/app' }],
    ['the root', 'rootfs:/', { src: 'rootfs', dest: '/' }],
    ['blanks around it', '  dist:/app  ', { src: 'dist', dest: '/app' }],
    ['a destination in one spelling', 'dist:/opt/../app/./x//', { src: 'dist', dest: '/app/x/' }],
    ['a destination that ends with a dot', 'dist:/app/.', { src: 'dist', dest: '/app/' }],
    ['an equals sign in a name', 'a=b:/app', { src: 'a=b', dest: '/app' }],
    ['the long form', 'src=dist/,dest=/app/', { src: 'dist/', dest: '/app/' }],
    [
      'numbers of an owner',
      'src=a,dest=/a,owner=1000:1001',
      { src: 'a', dest: '/a', owner: { user: 1000, group: 1001 } },
    ],
    ['one number', 'src=a,dest=/a,owner=1000', { src: 'a', dest: '/a', owner: { user: 1000, group: undefined } }],
    ['names', 'src=a,dest=/a,owner=app:www-data', { src: 'a', dest: '/a', owner: { user: 'app', group: 'www-data' } }],
    ['a mode', 'src=a,dest=/a,mode=0755', { src: 'a', dest: '/a', mode: 0o755 }],
    ['a mode without zero', 'src=a,dest=/a,mode=4755', { src: 'a', dest: '/a', mode: 0o4755 }],
    ['a mode in the way of newer languages', 'src=a,dest=/a,mode=0o640', { src: 'a', dest: '/a', mode: 0o640 }],
    ['seconds', 'src=a,dest=/a,mtime=1700000000', { src: 'a', dest: '/a', mtime: 1_700_000_000 }],
    ['a time', 'src=a,dest=/a,mtime=2023-11-14T23:13:20.9+01:00', { src: 'a', dest: '/a', mtime: 1_700_000_000 }],
    [
      'several patterns',
      'src=a,dest=/a,exclude=*.map,exclude=!x.map',
      { src: 'a', dest: '/a', exclude: ['*.map', '!x.map'] },
    ],
    ['a quoted field with a comma', '"src=a,b",dest=/a', { src: 'a,b', dest: '/a' }],
    ['a quoted value with a comma', 'src="a,b",dest=/a', { src: 'a,b', dest: '/a' }],
    ['a quote in quotes', '"src=a""b",dest=/a', { src: 'a"b', dest: '/a' }],
    ['links followed', 'src=a,dest=/a,follow-links=true', { src: 'a', dest: '/a', followLinks: true }],
    ['links followed, said in a word', 'src=a,dest=/,follow-links', { src: 'a', dest: '/', followLinks: true }],
  ])('reads %s', (_name, line, expected) => {
    expect(parseLine(line)).toEqual({ spec: { ...defaults, line: line.trim(), ...expected }, problems: [] })
  })

  test.each([
    ['from-tar=rootfs.tar.gz', 'rootfs.tar.gz'],
    ['from-tar=a.tar,dest=/', 'a.tar'],
  ])('reads a ready tar: %s', (line, file) => {
    expect(parseLine(line)).toEqual({ spec: { kind: 'tar', line, file }, problems: [] })
  })

  test.each([
    ['no destination', 'dist', ['"dist": needs an absolute destination: SRC:/DEST']],
    ['a relative destination', 'dist:app', ['"dist:app": needs an absolute destination: SRC:/DEST']],
    ['no source', ':/app', ['":/app": src is missing']],
    ['a way out of the image', 'a:/x/../../y', ['"a:/x/../../y": dest "/x/../../y" leads out of the image']],
    [
      'a name that means a deletion',
      'a:/x/.wh.y',
      ['"a:/x/.wh.y": dest "/x/.wh.y": names that begin with ".wh." stand for deletions in a layer'],
    ],
    [
      'an unknown key and whatever else is wrong',
      'sorce=a,dest=b,owner=:1',
      [
        '"sorce=a,dest=b,owner=:1": unknown key "sorce"; known are src, dest, owner, mode, exclude, mtime, follow-links, from-tar',
        '"sorce=a,dest=b,owner=:1": src is missing',
        '"sorce=a,dest=b,owner=:1": dest "b" is not an absolute path',
        '"sorce=a,dest=b,owner=:1": owner ":1" is not UID[:GID] or NAME[:GROUP]',
      ],
    ],
    ['no dest', 'src=a', ['"src=a": dest is missing']],
    ['a key twice', 'src=a,src=b,dest=/a', ['"src=a,src=b,dest=/a": src is given twice']],
    [
      'a number that is no id',
      'src=a,dest=/a,owner=4294967295',
      ['"src=a,dest=/a,owner=4294967295": owner "4294967295" is not UID[:GID] or NAME[:GROUP]'],
    ],
    [
      'a mode that is not octal',
      'src=a,dest=/a,mode=0888',
      ['"src=a,dest=/a,mode=0888": mode "0888" is not octal, such as 0755, at most 07777'],
    ],
    [
      'a mode with more than permissions',
      'src=a,dest=/a,mode=100644',
      ['"src=a,dest=/a,mode=100644": mode "100644" is not octal, such as 0755, at most 07777'],
    ],
    [
      'a time that is none',
      'src=a,dest=/a,mtime=yesterday',
      [
        '"src=a,dest=/a,mtime=yesterday": mtime "yesterday" is neither seconds since 1970 nor a time such as 2026-01-31T12:00:00Z',
      ],
    ],
    [
      'a pattern that is none',
      'src=a,dest=/a,exclude=[a',
      ['"src=a,dest=/a,exclude=[a": exclude "[a" is not a pattern'],
    ],
    [
      'an unknown placeholder',
      'dist/{cpu}:/app',
      ['"dist/{cpu}:/app": unknown placeholder {cpu}; known are {os} {arch} {variant} {platform}'],
    ],
    [
      'a quote that is not closed',
      'src=a,dest=/a,exclude="x',
      ['"src=a,dest=/a,exclude="x": a quote is not closed, or text follows it'],
    ],
    [
      'a ready tar elsewhere',
      'from-tar=a.tar,dest=/x,mode=0755',
      [
        '"from-tar=a.tar,dest=/x,mode=0755": a ready tar is a layer as it is: dest can only be "/", not "/x"',
        '"from-tar=a.tar,dest=/x,mode=0755": a ready tar is a layer as it is: mode cannot change it',
      ],
    ],
    [
      'a word that is no flag',
      'src=a,dest=/a,follow-links=yes',
      ['"src=a,dest=/a,follow-links=yes": follow-links "yes" is neither true nor false'],
    ],
  ])('tells of %s', (_name, line, problems) => {
    expect(parseLine(line)).toEqual({
      spec: undefined,
      problems: problems.map(problem => ({ input: 'layers', problem })),
    })
  })
})

describe('expandLine()', () => {
  function filesLine(line: string): FilesSpec {
    const { spec } = parseLine(line)
    if (spec?.kind !== 'files') throw new Error(`not a line of files: ${line}`)
    return spec
  }

  test('puts the platform into source, destination and patterns', () => {
    const spec = filesLine('src=dist/{os}-{arch}{variant}/,dest=/opt/{platform}/,exclude=*.{arch}')
    expect(expandLine(spec, parsePlatform('linux/arm/v7'))).toMatchObject({
      src: 'dist/linux-armv7/',
      dest: '/opt/linux-arm-v7/',
      exclude: ['*.arm'],
    })
  })

  test('puts the platform into the name of a ready tar', () => {
    const { spec } = parseLine('from-tar=rootfs-{platform}.tar')
    expect(spec && expandLine(spec, parsePlatform('linux/arm64'))).toMatchObject({ file: 'rootfs-linux-arm64.tar' })
  })

  test.each([
    ['dist/{arch}/:/app', true],
    ['dist/:/app/{os}', true],
    ['src=a,dest=/b,exclude={variant}', true],
    ['from-tar={platform}.tar', true],
    ['dist/:/app', false],
  ])('builds %s for each platform: %s', (line, differs) => {
    const { spec } = parseLine(line)
    expect(spec && usesPlaceholders(spec)).toBe(differs)
  })
})
