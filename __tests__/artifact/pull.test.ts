import { lstat, mkdir, readFile, readdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pullArtifact, type Pulled, type PullRequest } from '../../src/artifact/pull.ts'
import type { Source } from '../../src/content/ports.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_CONFIG } from '../../src/oci/media-type.ts'
import { parseReference } from '../../src/oci/reference.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { folderOf, layerOf, shelfOf, tarOf, type Entry } from './shelf.ts'

async function pull(
  source: Source,
  output: string,
  request: Partial<PullRequest> = {},
  notes: string[] = [],
): Promise<Pulled> {
  const reference = parseReference('r.example/app:v1')
  const asked = { reference, platform: undefined, output, config: undefined, overwrite: false, ...request }
  return pullArtifact(asked, {
    locate: () => ({ source, name: 'v1' }),
    onEvent: event => {
      if (event.type === 'notice') notes.push(event.text)
    },
  })
}

async function read(root: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`
    else if (entry.isFile()) found[name] = await readFile(path, 'utf8')
    else if (entry.isDirectory() && (await readdir(path)).length === 0) found[`${name}/`] = ''
  }
  return found
}

const names = (pulled: Pulled, root: string): readonly string[] =>
  pulled.files.map(({ path }) => path.slice(root.length + 1))

describe('the files of an artifact', () => {
  test('are written under their titles, folders made, and nothing else is left', async () => {
    await using dir = await temporaryDirectory()
    const out = join(dir.path, 'new/out')
    const source = await shelfOf([layerOf('a', 'a.txt'), layerOf('b', 'x/y/z.txt'), layerOf('', 'empty')])
    const pulled = await pull(source, out)
    expect(await read(out)).toEqual({ 'a.txt': 'a', 'x/y/z.txt': 'b', empty: '' })
    expect(names(pulled, out)).toEqual(['a.txt', 'x/y/z.txt', 'empty'])
    expect(pulled).toMatchObject({ place: 'r.example/app', skipped: [] })
  })

  test('may be one blob under two titles', async () => {
    await using dir = await temporaryDirectory()
    await pull(await shelfOf([layerOf('a', 'one'), layerOf('a', 'sub/two')]), dir.path)
    expect(await read(dir.path)).toEqual({ one: 'a', 'sub/two': 'a' })
  })

  test('without a title are passed over, and that is said', async () => {
    await using dir = await temporaryDirectory()
    const notes: string[] = []
    const wasm = layerOf('module', undefined, { mediaType: 'application/wasm' })
    const { files, skipped } = await pull(await shelfOf([wasm, layerOf('x', '')]), dir.path, {}, notes)
    expect({ files, skipped: skipped.length, written: await read(dir.path) }).toEqual({
      files: [],
      skipped: 2,
      written: {},
    })
    expect(notes[0]).toBe(`${wasm.descriptor.digest.slice(0, 19)} (application/wasm) was skipped: it has no title`)
  })

  test('of a chart are called by its name and version, with its provenance beside it', async () => {
    await using dir = await temporaryDirectory()
    const config = layerOf('{"name":"demo","version":"1.2.3+build.7"}', undefined, {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
    })
    const chart = layerOf('tgz', undefined, { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' })
    const prov = layerOf('prov', undefined, { mediaType: 'application/vnd.cncf.helm.chart.provenance.v1.prov' })
    await pull(await shelfOf([chart, prov], { config }), dir.path)
    expect(await read(dir.path)).toEqual({ 'demo-1.2.3+build.7.tgz': 'tgz', 'demo-1.2.3+build.7.tgz.prov': 'prov' })
  })

  test('of a chart that is called ../evil stay where they are', async () => {
    await using dir = await temporaryDirectory()
    const config = layerOf('{"name":"../evil","version":"1"}', undefined, {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
    })
    const chart = layerOf('tgz', undefined, { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' })
    await expect(pull(await shelfOf([chart], { config }), join(dir.path, 'out'))).rejects.toMatchObject({
      code: 'UNSAFE_ARTIFACT',
    })
    expect(await read(dir.path)).toEqual({})
  })

  test('come with the config where that is asked for', async () => {
    await using dir = await temporaryDirectory()
    const source = await shelfOf([layerOf('a', 'a')], {
      config: layerOf('{"x":1}', undefined, { mediaType: 'a/json' }),
    })
    await pull(source, join(dir.path, 'out'), { config: join(dir.path, 'conf/config.json') })
    expect(await read(dir.path)).toEqual({ 'out/a': 'a', 'conf/config.json': '{"x":1}' })
  })

  test('are not the layers of an image: it says how to have those', async () => {
    await using dir = await temporaryDirectory()
    const source = await shelfOf([layerOf('layer')], { config: layerOf('{}', undefined, { mediaType: OCI_CONFIG }) })
    await expect(pull(source, dir.path)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'r.example/app:v1 is an image: it has layers, but no files to pull',
      hint: 'oci-publish copy r.example/app:v1 oci:DIR writes all of it to a layout',
    })
  })
})

describe('what is there already', () => {
  test('with the same content stays, and is not fetched', async () => {
    await using dir = await temporaryDirectory()
    const source = await shelfOf([
      layerOf('a', 'a'),
      layerOf('b', 'b'),
      await folderOf('d', [{ path: 'd/' }, { path: 'd/f', text: 'f' }]),
    ])
    await pull(source, dir.path)
    const before = await lstat(join(dir.path, 'a'))
    const { files } = await pull(source, dir.path)
    expect(files.map(({ existed }) => existed)).toEqual([true, true, true])
    expect((await lstat(join(dir.path, 'a'))).ino).toBe(before.ino)
  })

  test('with other content is an error before anything is written, all of it named', async () => {
    await using dir = await temporaryDirectory()
    await mkdir(join(dir.path, 'd'))
    for (const name of ['a', 'd/f']) await writeFile(join(dir.path, name), 'mine')
    const folder = await folderOf('d', [{ path: 'd/' }, { path: 'd/f', text: 'f' }, { path: 'd/g', text: 'g' }])
    const files = [layerOf('new', 'new'), layerOf('a', 'a')]
    await expect(pull(await shelfOf([...files, folder]), dir.path)).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      hint: '--overwrite replaces files',
    })
    await expect(pull(await shelfOf([layerOf('new', 'new'), folder]), dir.path)).rejects.toThrow(
      'd/f is there with other content; nothing was written',
    )
    expect(await read(dir.path)).toEqual({ a: 'mine', 'd/f': 'mine' })
  })

  test('is replaced where that is asked for, and what the artifact lacks stays', async () => {
    await using dir = await temporaryDirectory()
    await mkdir(join(dir.path, 'd'))
    for (const name of ['a', 'd/f', 'd/mine']) await writeFile(join(dir.path, name), 'mine')
    const folder = await folderOf('d', [{ path: 'd/' }, { path: 'd/f', text: 'f' }])
    await pull(await shelfOf([layerOf('a', 'a'), folder]), dir.path, { overwrite: true })
    expect(await read(dir.path)).toEqual({ a: 'a', 'd/f': 'f', 'd/mine': 'mine' })
  })

  test('is not followed where it is a link, neither on the way nor at the end', async () => {
    await using dir = await temporaryDirectory()
    const out = join(dir.path, 'out')
    await mkdir(join(dir.path, 'elsewhere'))
    await mkdir(out)
    await writeFile(join(dir.path, 'elsewhere/a'), 'precious')
    await symlink('../elsewhere', join(out, 'x'))
    await symlink('../elsewhere/a', join(out, 'a'))
    const folder = await folderOf('x', [{ path: 'x/' }, { path: 'x/a', text: 'evil' }])
    for (const layer of [layerOf('evil', 'x/a'), folder]) {
      await expect(pull(await shelfOf([layer]), out, { overwrite: true })).rejects.toThrow(/x is a link|x is there/)
    }
    await expect(pull(await shelfOf([layerOf('evil', 'a')]), out)).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    await pull(await shelfOf([layerOf('new', 'a')]), out, { overwrite: true })
    expect(await read(dir.path)).toEqual({ 'elsewhere/a': 'precious', 'out/a': 'new', 'out/x': '-> ../elsewhere' })
  })

  test('may be a link as a whole: the user said so', async () => {
    await using dir = await temporaryDirectory()
    await mkdir(join(dir.path, 'real'))
    await symlink('real', join(dir.path, 'out'))
    await pull(await shelfOf([layerOf('a', 'a')]), join(dir.path, 'out'))
    expect(await readFile(join(dir.path, 'real/a'), 'utf8')).toBe('a')
  })

  test('is no trap where files wait: a link there is refused', async () => {
    await using dir = await temporaryDirectory()
    await mkdir(join(dir.path, 'elsewhere'))
    await mkdir(join(dir.path, 'out'))
    await symlink('../elsewhere', join(dir.path, 'out/.oci-publish-pull'))
    await expect(pull(await shelfOf([layerOf('a', 'a')]), join(dir.path, 'out'))).rejects.toMatchObject({
      code: 'LINK_IN_THE_WAY',
    })
  })
})

describe('titles that nothing is written for', () => {
  test.each([
    [['../evil']],
    [['/tmp/evil']],
    [['a/../../evil']],
    [['..\\evil']],
    [['C:\\evil']],
    [['NUL']],
    [['good', 'Good']],
    [['twice', 'twice']],
    [['a', 'a/b']],
    [['.oci-publish-pull/x']],
  ])('%j', async titles => {
    await using dir = await temporaryDirectory()
    const layers = titles.map((title, i) => layerOf(`${i}`, title))
    await expect(pull(await shelfOf([layerOf('ok', 'ok'), ...layers]), join(dir.path, 'out'))).rejects.toMatchObject({
      code: 'UNSAFE_ARTIFACT',
    })
    expect(await read(dir.path)).toEqual({})
  })

  test('are all named at once', async () => {
    await using dir = await temporaryDirectory()
    await expect(pull(await shelfOf([layerOf('1', '../a'), layerOf('2', '/b')]), dir.path)).rejects.toThrow(
      /"..\/a": it has ".." in it.*"\/b": it is absolute/,
    )
  })
})

describe('a directory', () => {
  test('is unpacked with folders, links that stay inside, and modes but setuid', async () => {
    await using dir = await temporaryDirectory()
    const folder = await folderOf('x/d', [
      { path: 'x/' },
      { path: 'x/d/' },
      { path: 'x/d/run', text: '#!', mode: 0o6755 },
      { path: 'x/d/sub/' },
      { path: 'x/d/sub/up', type: 'symlink', linkPath: '../run' },
      { path: 'x/d/sub/hard', type: 'hardlink', linkPath: 'x/d/run' },
      { path: 'x/d/none/' },
    ])
    const { files } = await pull(await shelfOf([folder]), dir.path)
    expect(files).toMatchObject([{ path: join(dir.path, 'x/d'), isDirectory: true, existed: false }])
    const expected = { 'x/d/run': '#!', 'x/d/sub/up': '-> ../run', 'x/d/sub/hard': '#!', 'x/d/none/': '' }
    expect(await read(dir.path)).toEqual(expected)
    expect((await lstat(join(dir.path, 'x/d/run'))).mode & 0o7777).toBe(0o755)
  })

  test('whose content has another digest than the artifact says is refused', async () => {
    await using dir = await temporaryDirectory()
    const wrong = { 'io.deis.oras.content.digest': digestOf(Buffer.from('other')) }
    const folder = await folderOf('d', [{ path: 'd/' }, { path: 'd/a', text: 'a' }], wrong)
    await expect(pull(await shelfOf([folder]), dir.path)).rejects.toMatchObject({ code: 'INTEGRITY' })
    expect(await read(dir.path)).toEqual({})
  })

  test('that is not compressed is refused, as by others', async () => {
    await using dir = await temporaryDirectory()
    const tar = layerOf(await tarOf([{ path: 'd/' }]), 'd', { annotations: { 'io.deis.oras.content.unpack': 'true' } })
    await expect(pull(await shelfOf([tar]), dir.path)).rejects.toThrow(
      'is to be unpacked, but is not compressed with gzip',
    )
  })

  test('without the mark is the archive, as a file', async () => {
    await using dir = await temporaryDirectory()
    await pull(await shelfOf([layerOf('tgz', 'd')]), dir.path)
    expect(await read(dir.path)).toEqual({ d: 'tgz' })
  })

  const root: Entry = { path: 'd/' }
  test.each<[string, readonly Entry[], RegExp]>([
    ['a name that climbs out', [root, { path: 'd/../../evil' }], /could leave the folder/],
    ['a name that climbs to its sibling', [root, { path: 'd/../evil' }], /could leave the folder/],
    ['an absolute name', [root, { path: '/tmp/evil' }], /absolute/],
    ['a name outside of its folder', [root, { path: 'a' }], /outside of "d"/],
    ['a name that begins like its folder', [root, { path: 'dd' }], /outside of "d"/],
    ['a folder that nobody made', [root, { path: 'd/sub/b' }], /no entry of its folder/],
    ['a link that climbs out', [root, { path: 'd/l', type: 'symlink', linkPath: '../../etc' }], /outside of "d"/],
    ['a link to a sibling', [root, { path: 'd/l', type: 'symlink', linkPath: '../evil' }], /outside of "d"/],
    ['an absolute link', [root, { path: 'd/l', type: 'symlink', linkPath: '/etc/passwd' }], /outside of "d"/],
    ['a link of Windows', [root, { path: 'd/l', type: 'symlink', linkPath: '..\\..\\evil' }], /outside of "d"/],
    ['a folder that is a link', [{ path: 'd', type: 'symlink', linkPath: '/etc' }], /outside of "d"/],
    [
      'an entry through a link',
      [root, { path: 'd/l', type: 'symlink', linkPath: '.' }, { path: 'd/l/evil' }],
      /no entry of its folder/,
    ],
    [
      'a link through a link, which climbs where nobody sees it',
      [root, { path: 'd/l', type: 'symlink', linkPath: '.' }, { path: 'd/m', type: 'symlink', linkPath: 'l/..' }],
      /nobody can tell/,
    ],
    [
      'a link in place of a folder',
      [root, { path: 'd/s/' }, { path: 'd/s', type: 'symlink', linkPath: '.' }],
      /a file and a folder/,
    ],
    ['a hard link that climbs out', [root, { path: 'd/h', type: 'hardlink', linkPath: '../../etc/passwd' }], /leave/],
    ['an absolute hard link', [root, { path: 'd/h', type: 'hardlink', linkPath: '/etc/passwd' }], /absolute/],
    [
      'a hard link to what is not there',
      [root, { path: 'd/h', type: 'hardlink', linkPath: 'd/x' }],
      /no file before it/,
    ],
    [
      'a hard link to a link',
      [root, { path: 'd/l', type: 'symlink', linkPath: 'x' }, { path: 'd/h', type: 'hardlink', linkPath: 'd/l' }],
      /no file before it/,
    ],
    ['a pipe', [root, { path: 'd/p', type: 'fifo' }], /special file \(fifo\)/],
    ['a device', [root, { path: 'd/c', type: 'character', major: 1, minor: 3 }], /special file \(character\)/],
    ['names that differ in case only', [root, { path: 'd/a' }, { path: 'd/A' }], /case makes no difference/],
    ['one file twice', [root, { path: 'd/a' }, { path: 'd/a' }], /there twice/],
    ['a device of Windows', [root, { path: 'd/aux.h' }], /a device on Windows/],
  ])('with %s is refused, and nothing of it stays', async (_name, entries, problem) => {
    await using dir = await temporaryDirectory()
    const source = await shelfOf([layerOf('ok', 'ok'), await folderOf('d', entries)])
    const failed = pull(source, join(dir.path, 'out'))
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' })
    await expect(failed).rejects.toThrow(problem)
    expect(await read(dirname(join(dir.path, 'out')))).toEqual({ 'out/': '' })
  })

  test('and a file that is in it, too, do not overwrite each other', async () => {
    await using dir = await temporaryDirectory()
    const folder = await folderOf('d', [root, { path: 'd/a', text: 'a' }])
    const [first, second] = [join(dir.path, '1'), join(dir.path, '2')]
    await pull(await shelfOf([folder, layerOf('b', 'd/b')]), first)
    expect(await read(first)).toEqual({ 'd/a': 'a', 'd/b': 'b' })
    await expect(pull(await shelfOf([folder, layerOf('b', 'd/a')]), second)).rejects.toThrow('it is there twice')
    const linked = await folderOf('d', [root, { path: 'd/l', type: 'symlink', linkPath: '.' }])
    await expect(pull(await shelfOf([linked, layerOf('b', 'd/l/b')]), second)).rejects.toThrow('a file and a folder')
  })
})

describe('what is written has limits', () => {
  test('one blob under thousands of titles counts each time, before anything is written', async () => {
    await using dir = await temporaryDirectory()
    const layers = Array.from({ length: 30 }, (_, i) => layerOf('x'.repeat(100), `f${i}`))
    const limits = { maxBytes: 2_999, maxFiles: 1000 }
    await expect(pull(await shelfOf(layers), dir.path, { limits })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 2,999 bytes to write') as string,
      hint: expect.stringContaining('--max-size') as string,
    })
    expect(await readdir(dir.path)).toEqual([])
    await pull(await shelfOf(layers), dir.path, { limits: { maxBytes: 3_000, maxFiles: 30 } })
    expect(await readdir(dir.path)).toHaveLength(30)
  })

  test('titles count as files', async () => {
    await using dir = await temporaryDirectory()
    const layers = Array.from({ length: 3 }, (_, i) => layerOf('', `f${i}`))
    await expect(pull(await shelfOf(layers), dir.path, { limits: { maxBytes: 100, maxFiles: 2 } })).rejects.toThrow(
      'more than 2 files to write',
    )
  })

  test('an archive that holds more than it may is left, and nothing of it stays', async () => {
    await using dir = await temporaryDirectory()
    const entries: Entry[] = [
      { path: 'd', type: 'directory' },
      { path: 'd/a', text: 'x'.repeat(600) },
      { path: 'd/b', text: 'x'.repeat(600) },
    ]
    const source = await shelfOf([await folderOf('d', entries)])
    for (const limits of [
      { maxBytes: 1_000, maxFiles: 100 },
      { maxBytes: 10_000, maxFiles: 2 },
    ]) {
      await expect(pull(source, dir.path, { limits })).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(await readdir(dir.path)).toEqual([])
    }
  })

  test('nothing gets into a .git, neither by a title nor from an archive', async () => {
    await using dir = await temporaryDirectory()
    const titled = await shelfOf([layerOf('#!/bin/sh', '.git/hooks/post-checkout')])
    await expect(pull(titled, dir.path)).rejects.toMatchObject({ code: 'UNSAFE_ARTIFACT' })
    const entries: Entry[] = [
      { path: 'd', type: 'directory' },
      { path: 'd/.Git', type: 'directory' },
      { path: 'd/.Git/config', text: '[core]' },
    ]
    await expect(pull(await shelfOf([await folderOf('d', entries)]), dir.path)).rejects.toMatchObject({
      code: 'INVALID_ARCHIVE',
      message: expect.stringContaining('where git keeps hooks') as string,
    })
    expect(await readdir(dir.path)).toEqual([])
  })
})
