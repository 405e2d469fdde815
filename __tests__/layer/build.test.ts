import { createHash } from 'node:crypto'
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { decompress } from '../../src/archive/decompress.ts'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { noCache, type Cache } from '../../src/content/cache.ts'
import { BaseTree, emptyTree } from '../../src/layer/base-tree.ts'
import { buildLayer, type BuildLayerOptions, type BuiltLayer } from '../../src/layer/build.ts'
import type { LayerEvent } from '../../src/layer/event.ts'
import { parseLine } from '../../src/layer/line.ts'
import { loadReadyTrees } from '../../src/layer/ready-trees.ts'
import { ASSEMBLY_VERSION, planLayers, type LayerRecipe } from '../../src/layer/recipe.ts'
import { sortBytewise } from '../../src/layer/order.ts'
import { knowsNothing, type Reuse } from '../../src/layer/reuse.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { layerMediaType } from '../../src/oci/media-type.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { collect, readLayer, tarOf } from './layer-blob.ts'
import { MapCache } from './map-cache.ts'
import { tempDir, type TempDir, type Wanted } from './temp-dir.ts'

const platform = parsePlatform('linux/amd64')

/** As if the files had been there for a while. */
function recipeOf(dir: TempDir, line: string, tree = emptyTree): LayerRecipe {
  const { spec, problems } = parseLine(line)
  if (!spec) throw new Error(JSON.stringify(problems))
  const planned = planLayers([spec], [{ platform, tree }], { context: dir.path, sourceDateEpoch: undefined })
  const recipe = planned.recipes[0]?.[0]
  if (!recipe) throw new Error(JSON.stringify(planned.problems))
  return { ...recipe, settled: true }
}

interface Run extends Partial<BuildLayerOptions> {
  readonly reuse?: Reuse
  readonly cache?: Cache
}

/** What was built, and which passes over the files it took. */
async function build(recipe: LayerRecipe, out: TempDir, run: Run = {}): Promise<BuiltLayer & { passes: string }> {
  const passes = new Set<string>()
  const onEvent = (event: LayerEvent): void => {
    if (event.type === 'layer-bytes') passes.add(event.pass)
  }
  const usual = { compression: 'gzip', family: 'oci', reuse: knowsNothing, cache: noCache, tempDir: out.path } as const
  const built = await buildLayer(recipe, { ...usual, onEvent, ...run })
  return { ...built, passes: [...passes].join() }
}

/** Knows the layers that it is told of, and remembers what it was asked. */
function registry(...layers: readonly BuiltLayer[]): Reuse & { readonly asked: Digest[] } {
  const asked: Digest[] = []
  return {
    asked,
    mayKnow: true,
    find(diffID) {
      asked.push(diffID)
      return Promise.resolve(layers.find(layer => layer.diffID === diffID)?.blob)
    },
  }
}

function factsOf({ diffID, uncompressedSize, blob: { descriptor } }: BuiltLayer): object {
  return { diffID, uncompressedSize, blob: { descriptor } }
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

describe('a layer', () => {
  test.each(['gzip', 'zstd', 'none'] as const)('in %s is what its descriptor and its diffID say', async compression => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/run': { text: '#!', mode: 0o700 }, 'd/lib/x': 'text', 'd/lib/link': { link: 'x' } })
    const built = await build(recipeOf(dir, 'd/:/app/'), out, { compression })

    const stored = await collect(built.blob.open())
    const tar = await collect(decompress(built.blob.open()))
    expect(built).toMatchObject({
      origin: 'assembled',
      diffID: sha256(tar),
      uncompressedSize: tar.byteLength,
      passes: 'compress',
      blob: {
        descriptor: { mediaType: layerMediaType('oci', compression), digest: sha256(stored), size: stored.byteLength },
      },
    })
    const entries = (await readLayer(built.blob)).map(({ path, type, mode, text }) => [path, type, mode, text])
    expect(entries).toEqual([
      ['app', 'directory', 0o755, undefined],
      ['app/lib', 'directory', 0o755, undefined],
      ['app/lib/link', 'symlink', 0o777, undefined],
      ['app/lib/x', 'file', 0o644, 'text'],
      ['app/run', 'file', 0o755, '#!'],
    ])
  })

  test('is for its user only while it lies on disk', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ f: 'x' })
    await build(recipeOf(dir, 'f:/f'), out)
    const [name = ''] = readdirSync(out.path)
    expect(statSync(join(out.path, name)).mode & 0o777).toBe(0o600)
  })

  test('in the family of docker has its media type', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ f: 'x' })
    const { blob } = await build(recipeOf(dir, 'f:/f'), out, { family: 'docker' })
    expect(blob.descriptor.mediaType).toBe(layerMediaType('docker', 'gzip'))
  })

  test('of the same files is the same, whoever made them, where, when, in which order and under which umask', async () => {
    const layers: BuiltLayer[] = []
    using out = tempDir()
    for (const { umask, names, seconds, zone } of [
      { umask: 0o022, names: ['d/b', 'd/a/c', 'd/ä'], seconds: 1e9, zone: 'UTC' },
      { umask: 0o077, names: ['d/ä', 'd/a/c', 'd/b'], seconds: 1.5e9 + 0.25, zone: 'Asia/Tokyo' },
    ]) {
      const before = { umask: process.umask(umask), zone: process.env['TZ'] }
      try {
        process.env['TZ'] = zone
        using dir = tempDir()
        dir.put(Object.fromEntries(names.map(name => [name, `text of ${name}`])))
        for (const name of names) utimesSync(join(dir.path, name), seconds, seconds)
        layers.push(await build(recipeOf(dir, 'd:/x'), out))
      } finally {
        process.umask(before.umask)
        if (before.zone === undefined) delete process.env['TZ']
        else process.env['TZ'] = before.zone
      }
    }
    expect(layers[1]?.diffID).toBe(layers[0]?.diffID)
    expect(layers[1]?.blob.descriptor).toEqual(layers[0]?.blob.descriptor)
  })

  test('keeps its bytes as long as the assembly version is the same', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a', 'd/b': { link: 'a' }, 'd/c': { hard: 'd/a' }, 'd/é': { text: '', mode: 0o755 } })
    const { diffID } = await build(recipeOf(dir, 'src=d,dest=/x,owner=1:2,mtime=1'), out)
    expect([ASSEMBLY_VERSION, diffID]).toEqual([
      1,
      'sha256:ae8053dab5154dacb742882507c75f18ac7a663271f4a62fa9f4a3bf5bf7b0e5',
    ])
  })
})

describe('what is known is not made again', () => {
  test('an unchanged layer is not even read', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a' })
    const cache = new MapCache()
    const first = await build(recipeOf(dir, 'd:/x'), out, { cache })
    const second = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse: registry(first) })
    expect(second).toMatchObject({ ...factsOf(first), origin: 'cached', passes: '' })
  })

  test('a fresh checkout of the same files is hashed and not compressed', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a' })
    const cache = new MapCache()
    const first = await build(recipeOf(dir, 'd:/x'), out, { cache })
    utimesSync(join(dir.path, 'd/a'), 1, 1)
    const second = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse: registry(first) })
    expect(second).toMatchObject({ ...factsOf(first), origin: 'cached', passes: 'hash' })
    const third = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse: registry(first) })
    expect(third.passes).toBe('')
  })

  test('on a new machine it is hashed, because a registry may know it', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a' })
    const first = await build(recipeOf(dir, 'd:/x'), out)
    expect(await build(recipeOf(dir, 'd:/x'), out, { reuse: registry(first) })).toMatchObject({
      origin: 'cached',
      passes: 'hash',
    })
    expect(readdirSync(out.path)).toHaveLength(1)
  })

  test('a new size is a new layer: it is compressed at once', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a' })
    const cache = new MapCache()
    const first = await build(recipeOf(dir, 'd:/x'), out, { cache })
    dir.put({ 'd/b': 'b' })
    const second = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse: registry(first) })
    expect(second).toMatchObject({ origin: 'assembled', passes: 'compress' })
    expect(second.diffID).not.toBe(first.diffID)
  })

  test('a layer that went back to what it was is the known one, and its own bytes are dropped', async () => {
    using dir = tempDir()
    using out = tempDir()
    using kept = tempDir()
    const cache = new MapCache()
    dir.put({ 'd/a': 'a' })
    const first = await build(recipeOf(dir, 'd:/x'), kept)
    dir.put({ 'd/b': 'b' })
    await build(recipeOf(dir, 'd:/x'), kept, { cache })
    rmSync(join(dir.path, 'd/b'))
    const third = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse: registry(first) })
    expect(third).toMatchObject({ ...factsOf(first), origin: 'cached', passes: 'compress' })
    expect(readdirSync(out.path)).toEqual([])
  })

  test('what the registry has lost is made, once hashed', async () => {
    using dir = tempDir()
    using out = tempDir()
    const cache = new MapCache()
    dir.put({ 'd/a': 'a' })
    const first = await build(recipeOf(dir, 'd:/x'), out, { cache })
    const reuse = registry()
    const again = await build(recipeOf(dir, 'd:/x'), out, { cache, reuse })
    expect(again).toMatchObject({ origin: 'assembled', passes: 'compress', diffID: first.diffID })
    expect(reuse.asked).toEqual([first.diffID])
  })

  test('files that changed a moment ago are not trusted next time', async () => {
    using dir = tempDir()
    using out = tempDir()
    const cache = new MapCache()
    dir.put({ 'd/a': 'a' })
    const recipe = planned(dir, 'd:/x')
    expect(recipe.settled).toBe(false)
    await build(recipe, out, { cache })
    expect(cache.kept.size).toBe(0)
  })

  function planned(dir: TempDir, line: string): LayerRecipe {
    const { spec } = parseLine(line)
    const lines = spec ? [spec] : []
    const options = { context: dir.path, sourceDateEpoch: undefined }
    const recipe = planLayers(lines, [{ platform, tree: emptyTree }], options).recipes[0]?.[0]
    if (!recipe) throw new Error('no recipe')
    return recipe
  }

  test.each([
    ['', 'hash'],
    ['nonsense', 'hash'],
    ['{"exact":1}', 'hash'],
  ])('a cache that says %j only costs time', async (garbage, passes) => {
    using dir = tempDir()
    using out = tempDir()
    const cache = new MapCache()
    dir.put({ 'd/a': 'a' })
    const recipe = recipeOf(dir, 'd:/x')
    const first = await build(recipe, out, { cache })
    cache.kept.set(recipe.key, Buffer.from(garbage))
    expect(await build(recipe, out, { cache, reuse: registry(first) })).toMatchObject({ diffID: first.diffID, passes })
  })

  test('a cache that lies about a diffID does not change the layer', async () => {
    using dir = tempDir()
    using out = tempDir()
    const cache = new MapCache()
    dir.put({ 'd/a': 'a' })
    const recipe = recipeOf(dir, 'd:/x')
    const first = await build(recipe, out, { cache })
    const lie = { ...recipe.fingerprint, diffID: digestOf(Buffer.from('lie')), size: 1 }
    cache.kept.set(recipe.key, Buffer.from(JSON.stringify(lie)))
    const again = await build(recipe, out, { cache, reuse: registry(first) })
    expect(again).toMatchObject({ origin: 'assembled', diffID: first.diffID })
    expect((await build(recipe, out, { cache, reuse: registry(first) })).origin).toBe('cached')
  })

  test('a known layer is described in the family of the image, without what others said of it', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a' })
    const first = await build(recipeOf(dir, 'd:/x'), out)
    const blob: Blob = { ...first.blob, descriptor: { ...first.blob.descriptor, annotations: { a: 'b' } } }
    const again = await build(recipeOf(dir, 'd:/x'), out, { family: 'docker', reuse: registry({ ...first, blob }) })
    const { digest, size } = first.blob.descriptor
    expect(again.blob.descriptor).toEqual({ mediaType: layerMediaType('docker', 'gzip'), digest, size })
  })
})

describe('when it goes wrong nothing is left behind', () => {
  test('a file that shrinks or grows while it is read', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'aaaa' })
    const recipe = recipeOf(dir, 'd:/x')
    truncateSync(join(dir.path, 'd/a'), 2)
    await expect(build(recipe, out)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
    writeFileSync(join(dir.path, 'd/a'), 'aaaaaaaa')
    await expect(build(recipe, out)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
    expect(readdirSync(out.path)).toEqual([])
  })

  test('an abort, whose reason is thrown as it is', async () => {
    using dir = tempDir()
    using out = tempDir()
    dir.put({ 'd/a': 'a'.repeat(3 << 20) })
    const controller = new AbortController()
    const reason = new Error('enough')
    const onEvent = ({ type }: LayerEvent): void => {
      if (type === 'layer-bytes') controller.abort(reason)
    }
    await expect(build(recipeOf(dir, 'd:/x'), out, { onEvent, signal: controller.signal })).rejects.toBe(reason)
    expect(readdirSync(out.path)).toEqual([])
  })
})

test('events tell how much there is, how much went by, and how it ended', async () => {
  using dir = tempDir()
  using out = tempDir()
  dir.put({ 'd/a': 'a'.repeat(100) })
  const events: LayerEvent[] = []
  await build(recipeOf(dir, 'd:/x'), out, { onEvent: event => events.push(event) })
  expect(events).toEqual([
    { type: 'layer-start', line: 'd:/x', bytes: 100 },
    { type: 'layer-bytes', line: 'd:/x', delta: 2560, pass: 'compress' },
    { type: 'layer-done', line: 'd:/x', origin: 'assembled' },
  ])
})

describe('a ready tar', () => {
  test.each([
    ['plain', (tar: Buffer) => tar],
    ['in gzip', (tar: Buffer) => gzipSync(tar)],
  ])('%s is a layer byte for byte, deletions and all', async (_name, pack) => {
    using dir = tempDir()
    using out = tempDir()
    const tar = Buffer.concat([
      await tarOf([
        { path: 'etc', type: 'directory' },
        { path: 'etc/.wh.old' },
        { path: 'etc/.wh..wh..opq' },
        { path: 'etc/new', text: 'x' },
        { path: 'null', type: 'character' },
      ]),
      Buffer.alloc(9 * 1024), // as GNU tar pads
    ])
    writeFileSync(join(dir.path, 'l.tar'), pack(tar))
    const built = await build(recipeOf(dir, 'from-tar=l.tar'), out)
    expect(built).toMatchObject({ diffID: sha256(tar), uncompressedSize: tar.byteLength, origin: 'assembled' })
    expect(await collect(decompress(built.blob.open()))).toEqual(tar)
  })

  test('that did not change is not read again', async () => {
    using dir = tempDir()
    using out = tempDir()
    writeFileSync(join(dir.path, 'l.tar'), await tarOf([{ path: 'a' }]))
    const cache = new MapCache()
    const first = await build(recipeOf(dir, 'from-tar=l.tar'), out, { cache })
    const second = await build(recipeOf(dir, 'from-tar=l.tar'), out, { cache, reuse: registry(first) })
    expect(second).toMatchObject({ origin: 'cached', passes: '' })
  })

  test.each([
    ['a way out', [{ path: 'a/../../b' }], 'may lead out'],
    ['a link out', [{ path: 'a', type: 'hardlink', link: '../../etc/shadow' }], 'may lead out'],
    ['a deletion of nothing', [{ path: 'a/.wh.' }], 'is no deletion'],
    ['a deletion with content', [{ path: '.wh.a', text: 'x' }], 'is no deletion'],
    ['a deletion that is a directory', [{ path: '.wh.a', type: 'directory' }], 'is no deletion'],
  ] as const)('with %s is refused, naming file and entry', async (_name, sketches, says) => {
    using dir = tempDir()
    using out = tempDir()
    writeFileSync(join(dir.path, 'l.tar'), await tarOf(sketches))
    await expect(build(recipeOf(dir, 'from-tar=l.tar'), out)).rejects.toThrow(says)
    await expect(build(recipeOf(dir, 'from-tar=l.tar'), out)).rejects.toThrow(join(dir.path, 'l.tar'))
    expect(readdirSync(out.path)).toEqual([])
  })

  test('that is cut, or none, is refused', async () => {
    using dir = tempDir()
    using out = tempDir()
    const tar = await tarOf([{ path: 'a', text: 'x'.repeat(5000) }])
    for (const bytes of [tar.subarray(0, 2000), gzipSync(tar).subarray(0, 50), Buffer.from('not a tar'.repeat(99))]) {
      writeFileSync(join(dir.path, 'l.tar'), bytes)
      await expect(build(recipeOf(dir, 'from-tar=l.tar'), out)).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' })
    }
    expect(readdirSync(out.path)).toEqual([])
  })
})

describe('planLayers()', () => {
  const targets = ['linux/amd64', 'linux/arm64'].map(text => ({ platform: parsePlatform(text), tree: emptyTree }))
  const options = (dir: TempDir): { context: string; sourceDateEpoch: undefined } => ({
    context: dir.path,
    sourceDateEpoch: undefined,
  })
  const specs = (...lines: readonly string[]) =>
    lines.map(line => parseLine(line).spec).filter(spec => spec !== undefined)

  test('shares the layer of a line without placeholders, and of one whose files are the same', () => {
    using dir = tempDir()
    dir.put({ 'd/a': 'a', 'linux-amd64': '1', 'linux-arm64': '2' })
    const [amd64, arm64] = planLayers(specs('d:/x', '{platform}:/bin/app'), targets, options(dir)).recipes
    expect(arm64?.[0]).toBe(amd64?.[0])
    expect(arm64?.[1]).not.toBe(amd64?.[1])
  })

  test('does not share where the bases differ', () => {
    using dir = tempDir()
    dir.put({ f: '1' })
    const entries = [{ path: 'bin', type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkTarget: 'usr/bin' }] as const
    const merged = { ...targets[0], platform, tree: new BaseTree([{ entries, whiteouts: [], opaques: [] }]) }
    const { recipes } = planLayers(specs('f:/bin/f'), [merged, { platform, tree: emptyTree }], options(dir))
    expect(recipes[0]?.[0]?.key).not.toBe(recipes[1]?.[0]?.key)
  })

  test('lays a line over the lines before it: their owners, links and names count', () => {
    using dir = tempDir()
    dir.put({ f: '1', 'd/current': { link: 'v1' }, 'd/v1/x': '', 'etc/passwd': 'app:x:7:8::/:\n', 'home/x': '' })
    const { recipes, problems } = planLayers(
      specs(
        'src=home/,dest=/home/app/,owner=9,mode=0700',
        'f:/home/app/f',
        'd:/srv',
        'f:/srv/current/f',
        'etc:/etc',
        'src=f,dest=/f,owner=app',
      ),
      targets,
      options(dir),
    )
    expect(problems).toEqual([])
    expect(recipes[1]).toEqual(recipes[0])
    const shown = recipes[0]?.map(({ content }) =>
      content.kind === 'tar'
        ? []
        : content.entries.map(({ entry: { path, mode, uid } }) => `${mode.toString(8)} ${uid} ${path}`),
    )
    expect([shown?.[1], shown?.[3], shown?.[5]]).toEqual([
      ['755 0 home', '700 9 home/app', '644 0 home/app/f'],
      ['755 0 srv', '755 0 srv/v1', '644 0 srv/v1/f'],
      ['644 7 f'],
    ])
  })

  test('refuses a file over a directory that a line before it made', () => {
    using dir = tempDir()
    dir.put({ f: '1', 'd/x': '' })
    const over = planLayers(specs('d:/f', 'f:/'), targets, options(dir)).problems
    expect(over.map(({ problem }) => problem)).toEqual([
      `"f:/": cannot replace the directory /f of the layers below with ${dir.path}/f`,
    ])
  })

  test('lays a line over a ready tar, whose tree is read once, ever', async () => {
    using dir = tempDir()
    dir.put({ f: '1' })
    const tar = await tarOf([
      { path: 'usr/bin', type: 'directory', mode: 0o711 },
      { path: 'bin', type: 'symlink', link: 'usr/bin' },
    ])
    writeFileSync(join(dir.path, 'l.tar.gz'), gzipSync(tar))
    const lines = specs('from-tar=l.tar.gz', 'f:/bin/f')
    const cache = new MapCache()
    const platforms = targets.map(({ platform: one }) => one)
    const readyTrees = await loadReadyTrees(lines, platforms, { context: dir.path, cache })
    const { recipes } = planLayers(lines, targets, { ...options(dir), readyTrees })
    const content = recipes[0]?.[1]?.content
    const shown =
      content?.kind === 'entries' ? content.entries.map(({ entry }) => `${entry.mode.toString(8)} ${entry.path}`) : []
    expect(shown).toEqual(['755 usr', '711 usr/bin', '644 usr/bin/f'])
    expect(() => planLayers(lines, targets, options(dir))).toThrow('was not loaded')
  })

  test('does not read a ready tar that nothing stands on, and passes over one that is not there', async () => {
    using dir = tempDir()
    dir.put({ f: '1', 'broken.tar': 'x' })
    const lines = specs('from-tar=gone.tar', 'f:/bin/f', 'from-tar=broken.tar')
    const trees = await loadReadyTrees(lines, [platform], { context: dir.path, cache: noCache })
    expect(trees.size).toBe(0)
    const { problems } = planLayers(lines, targets, { ...options(dir), readyTrees: trees })
    expect(problems.map(({ problem }) => problem)).toEqual([
      `"from-tar=gone.tar": there is no file ${dir.path}/gone.tar`,
    ])
    const stoodOn = specs('from-tar=broken.tar', 'f:/f')
    const load = loadReadyTrees(stoodOn, [platform], { context: dir.path, cache: noCache })
    await expect(load).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' })
  })

  test('tells everything that is wrong on all lines and platforms, each once', () => {
    using dir = tempDir()
    dir.put({ 'linux-amd64': '1' })
    const { problems } = planLayers(
      specs('gone:/x', '{platform}:/bin/app', 'src=linux-amd64,dest=/y,owner=app', 'from-tar=l-{arch}.tar'),
      targets,
      options(dir),
    )
    expect(problems.map(({ problem }) => problem.replaceAll(dir.path, 'CONTEXT'))).toEqual([
      '"gone:/x": there is no "gone" in CONTEXT',
      '"src=linux-amd64,dest=/y,owner=app": owner: unknown user "app" (the layers below have no etc/passwd); use a number',
      '"from-tar=l-{arch}.tar" (linux/amd64): there is no file CONTEXT/l-amd64.tar',
      '"{platform}:/bin/app" (linux/arm64): there is no "linux-arm64" in CONTEXT',
      '"from-tar=l-{arch}.tar" (linux/arm64): there is no file CONTEXT/l-arm64.tar',
    ])
  })
})

test('what is on disk is what is in the layer, whatever the names', async () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9 ._-]{1,12}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  )
  const usable = name.filter(one => !/^[.]{1,2}$|^[.]wh[.]|[/\0]|[\ud800-\udfff](?![\udc00-\udfff])/u.test(one))
  const path = fc.array(usable, { minLength: 1, maxLength: 4 }).map(names => names.join('/'))
  const wanted: fc.Arbitrary<Wanted> = fc.oneof(
    fc.string({ maxLength: 2000 }),
    fc.record({ text: fc.string(), mode: fc.constantFrom(0o600, 0o755, 0o4711) }),
    fc.record({ link: fc.stringMatching(/^[a-z./]{1,150}$/) }),
    fc.record({ directory: fc.constant(true as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(path, wanted), { maxLength: 30 }), async files => {
      using dir = tempDir()
      using out = tempDir()
      dir.put({ d: { directory: true } })
      for (const [at, one] of files) {
        const above = at.split('/').map((_, i, names) => join(dir.path, 'd', ...names.slice(0, i)))
        const taken = lstatSync(join(dir.path, 'd', at), { throwIfNoEntry: false }) !== undefined
        const blocked = above.some(parent => lstatSync(parent, { throwIfNoEntry: false })?.isDirectory() === false)
        if (!taken && !blocked) dir.put({ [`d/${at}`]: one })
      }
      const { blob } = await build(recipeOf(dir, 'd/:/'), out)
      const layer = await readLayer(blob)
      const found = sortBytewise(onDisk(join(dir.path, 'd')), ([at]) => at)
      const told = layer.map(entry => [
        entry.path,
        entry.type,
        'linkPath' in entry ? entry.linkPath : entry.text,
        entry.mode,
      ])
      expect(told).toEqual(found)
    }),
    { numRuns: 20 },
  )
})

type OnDisk = readonly [path: string, type: string, content: string | undefined, mode: number]

function onDisk(root: string, prefix = ''): readonly OnDisk[] {
  return readdirSync(join(root, prefix)).flatMap((name): readonly OnDisk[] => {
    const path = prefix + name
    const file = join(root, path)
    const stats = lstatSync(file)
    if (stats.isSymbolicLink()) return [[path, 'symlink', readlinkSync(file), 0o777]]
    if (stats.isDirectory()) return [[path, 'directory', undefined, 0o755], ...onDisk(root, `${path}/`)]
    return [[path, 'file', readFileSync(file, 'utf8'), stats.mode & 0o100 ? 0o755 : 0o644]]
  })
}

test('a blob in memory serves as a known layer', async () => {
  using dir = tempDir()
  using out = tempDir()
  dir.put({ f: 'x' })
  const first = await build(recipeOf(dir, 'f:/f'), out)
  const bytes = await collect(first.blob.open())
  const blob = bytesBlob({ bytes, descriptor: first.blob.descriptor })
  const again = await build(recipeOf(dir, 'f:/f'), out, { reuse: registry({ ...first, blob }) })
  expect(await collect(again.blob.open())).toEqual(bytes)
})
