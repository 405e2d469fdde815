import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { InflationBudget } from '../../src/archive/inflation.ts'
import { Budget } from '../../src/budget.ts'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { noCache } from '../../src/content/cache.ts'
import { readLayerTree, type LayerTree } from '../../src/layer/layer-tree.ts'
import type { TreeEntry } from '../../src/layer/tree-entry.ts'
import { loadBaseTrees, type BaseLayer } from '../../src/layer/load-tree.ts'
import { recallTree, rememberTree } from '../../src/layer/tree-cache.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import type { TreeBudget } from '../../src/layer/tree-budget.ts'
import { collect, layerBlob, type Sketch } from './layer-blob.ts'
import { MapCache } from './map-cache.ts'

/** Counts how often it is opened. */
function counted(blob: Blob): Blob & { opened: number } {
  return {
    descriptor: blob.descriptor,
    opened: 0,
    open(options) {
      this.opened++
      return blob.open(options)
    },
  }
}

/** The tree with its entries in a list. */
function listed(tree: LayerTree): LayerTree & { readonly entries: readonly TreeEntry[] } {
  return { ...tree, entries: [...tree.entries] }
}

test('the tree of a layer is what its headers say, with the accounts and the deletions', async () => {
  const passwd = 'app:x:1000:1000::/:/bin/sh\n'
  const blob = await layerBlob([
    { path: '.', type: 'directory' },
    { path: './etc', type: 'directory', mode: 0o700, uid: 1, gid: 2 },
    { path: 'etc/passwd', text: passwd },
    { path: 'etc/group', type: 'hardlink', link: './etc/passwd' },
    { path: 'etc/hosts', text: 'not kept' },
    { path: 'bin', type: 'symlink', link: 'usr/bin' },
    { path: 'dev/null', type: 'character' },
    { path: 'a/.wh.b' },
    { path: 'c/.wh..wh..opq' },
    { path: '.wh.top' },
    { path: '.wh..wh.plnk', type: 'directory' },
  ])
  expect(listed(await readLayerTree(blob))).toEqual({
    entries: [
      { path: '', type: 'directory', mode: 0o755, uid: 0, gid: 0 },
      { path: 'etc', type: 'directory', mode: 0o700, uid: 1, gid: 2 },
      { path: 'etc/passwd', type: 'file', mode: 0o644, uid: 0, gid: 0, text: passwd },
      { path: 'etc/group', type: 'file', mode: 0o644, uid: 0, gid: 0, text: passwd },
      { path: 'etc/hosts', type: 'file', mode: 0o644, uid: 0, gid: 0 },
      { path: 'bin', type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkTarget: 'usr/bin' },
      { path: 'dev/null', type: 'other', mode: 0o644, uid: 0, gid: 0 },
    ],
    whiteouts: ['a/b', 'top'],
    opaques: ['c'],
  })
})

test('a passwd of more than a mebibyte is not an account file', async () => {
  const tree = await readLayerTree(await layerBlob([{ path: 'etc/passwd', text: 'x'.repeat((1 << 20) + 1) }]))
  expect(listed(tree).entries[0]?.text).toBeUndefined()
})

test('a layer that is no tar is told by its digest', async () => {
  const bytes = Buffer.from('x'.repeat(600))
  const digest = digestOf(bytes)
  const blob = bytesBlob({ bytes, descriptor: { mediaType: 'text/plain', digest, size: 600 } })
  await expect(readLayerTree(blob)).rejects.toThrow(`base layer ${digest}`)
})

test('an abort is thrown as it is', async () => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  await expect(readLayerTree(await layerBlob([{ path: 'a' }]), { signal })).rejects.toBe(reason)
})

const diffIDOf = async (blob: Blob): Promise<Digest> => digestOf(gunzipSync(await collect(blob.open())))

test('a layer that is another than the config says is refused, with both diffIDs', async () => {
  const blob = await layerBlob([{ path: 'a' }])
  const diffID = await diffIDOf(blob)
  expect(listed(await readLayerTree(blob, { diffID })).entries).toHaveLength(1)
  const said = digestOf(Buffer.from('a layer of somebody else'))
  await expect(readLayerTree(blob, { diffID: said })).rejects.toMatchObject({
    code: 'INVALID_DOCUMENT',
    message: `base layer ${blob.descriptor.digest} is ${diffID} uncompressed, and the config of the base says ${said}`,
  })
})

describe('a hostile layer', () => {
  const small = (limits: {
    readonly entries?: number
    readonly memory?: number
    readonly accounts?: number
  }): TreeBudget => ({
    entries: new Budget({ what: 'entries', max: limits.entries ?? 1000 }),
    laid: new Budget({ what: 'entries', max: 1000 }),
    memory: new Budget({ what: 'bytes of memory', max: limits.memory ?? 1 << 20 }),
    accounts: new Budget({ what: 'bytes of accounts', max: limits.accounts ?? 1000 }),
    inflation: new InflationBudget(),
  })
  const many = (count: number, one: (i: number) => string): readonly Sketch[] =>
    Array.from({ length: count }, (_, i) => ({ path: one(i) }))

  test('of endless entries is left at the limit, which the error names', async () => {
    const blob = await layerBlob(many(30, i => `f${i}`))
    await expect(readLayerTree(blob, { budget: small({ entries: 29 }) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `base layer ${blob.descriptor.digest}: more than 29 entries`,
    })
  })

  test('of deletions counts as one of entries', async () => {
    const blob = await layerBlob(many(30, i => `.wh.f${i}`))
    await expect(readLayerTree(blob, { budget: small({ entries: 29 }) })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(readLayerTree(blob, { budget: small({ memory: 900 }) })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('does not fill the memory with passwd files anywhere, nor with links to one', async () => {
    const files = await layerBlob(many(3, i => `${i}/etc/passwd`).map(one => ({ ...one, text: 'x'.repeat(400) })))
    await expect(readLayerTree(files, { budget: small({}) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 1,000 bytes of accounts') as string,
    })
    const links = await layerBlob([
      { path: 'etc/passwd', text: 'x'.repeat(400) },
      ...many(2, i => `${i}/etc/passwd`).map(one => ({ ...one, type: 'hardlink' as const, link: 'etc/passwd' })),
    ])
    await expect(readLayerTree(links, { budget: small({}) })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('shares its limits with the other layers of the image', async () => {
    const budget = small({ entries: 50 })
    await readLayerTree(await layerBlob(many(30, i => `f${i}`)), { budget })
    await expect(readLayerTree(await layerBlob(many(30, i => `g${i}`)), { budget })).rejects.toThrow('more than 50')
  })

  test('of the longest names is measured by them, not by their number', async () => {
    const names = many(20, i => createHash('sha512').update(`${i}`).digest('hex').repeat(2).slice(0, 250))
    await expect(readLayerTree(await layerBlob(names), { budget: small({ memory: 1000 }) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('bytes of memory') as string,
    })
  })

  test('gives the same tree when it has more entries than are packed together', async () => {
    const blob = await layerBlob(many(3000, i => `d${i % 7}/é${i}`))
    expect(listed(await readLayerTree(blob)).entries.map(({ path }) => path)).toEqual(
      many(3000, i => `d${i % 7}/é${i}`).map(({ path }) => path),
    )
  })
})

describe('loadBaseTrees()', () => {
  test('refuses an image of more layers than any runtime mounts', async () => {
    const layer = await layerBlob([{ path: 'a' }])
    const one = { blob: layer, diffID: await diffIDOf(layer) }
    await expect(loadBaseTrees([Array<BaseLayer>(1001).fill(one)], noCache)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 1,000 layers') as string,
    })
  })

  test('downloads a layer once that an image has several times', async () => {
    const layer = counted(await layerBlob([{ path: 'a' }]))
    const one = { blob: layer, diffID: await diffIDOf(layer) }
    await loadBaseTrees([[one, one, one]], noCache)
    expect(layer.opened).toBe(2) // and once for its diffID
  })

  test('puts layers over each other in their order, and reads each only once, ever', async () => {
    const cache = new MapCache()
    const layers = [
      counted(await layerBlob([{ path: 'a', text: '1' }, { path: 'b' }])),
      counted(await layerBlob([{ path: 'a', type: 'symlink', link: 'b' }, { path: '.wh.b' }])),
    ]
    const base = await Promise.all(layers.map(async blob => ({ blob, diffID: await diffIDOf(blob) })))
    const mark = layers.map(({ opened }) => opened)
    for (const run of [1, 2]) {
      for (const tree of await loadBaseTrees([base, base], cache)) {
        expect([run, tree.lookup('a')?.linkTarget, tree.lookup('b')]).toEqual([run, 'b', undefined])
      }
    }
    expect(layers.map(({ opened }, i) => opened - (mark[i] ?? 0))).toEqual([1, 1])
    const keys = base.map(({ blob, diffID }) => `layer-tree/v1/${blob.descriptor.digest}=${diffID}`)
    expect([...cache.kept.keys()]).toEqual(keys)
  })

  test('reads again what the cache has lost or garbled', async () => {
    const cache = new MapCache()
    const blob = counted(await layerBlob([{ path: 'a' }]))
    const diffID = await diffIDOf(blob)
    for (const garbage of ['', '{}', '{"entries":[[1]],"whiteouts":[],"opaques":[]}']) {
      cache.kept.set(`layer-tree/v1/${blob.descriptor.digest}=${diffID}`, Buffer.from(garbage))
      const [tree] = await loadBaseTrees([[{ blob, diffID }]], cache)
      expect(tree?.lookup('a')?.type).toBe('file')
    }
    expect(blob.opened).toBe(1 + 3)
  })

  test('of scratch reads nothing', async () => {
    const [tree] = await loadBaseTrees([[]], noCache)
    expect(tree?.lookup('a')).toBeUndefined()
  })
})

test('what is remembered of a tree is the tree', async () => {
  const entry: fc.Arbitrary<TreeEntry> = fc.record({
    path: fc.string({ unit: 'grapheme' }),
    type: fc.constantFrom('file', 'directory', 'other'),
    mode: fc.nat(0o7777),
    uid: fc.nat(),
    gid: fc.nat(),
  })
  const special = fc
    .tuple(entry, fc.string())
    .chain(([one, text]): fc.Arbitrary<TreeEntry> =>
      fc.constantFrom({ ...one, type: 'symlink', linkTarget: text }, { ...one, type: 'file', text }),
    )
  const tree: fc.Arbitrary<LayerTree> = fc.record({
    entries: fc.array(fc.oneof(entry, special)),
    whiteouts: fc.array(fc.string()),
    opaques: fc.array(fc.string()),
  })
  await fc.assert(
    fc.asyncProperty(tree, async wanted => {
      const cache = new MapCache()
      const digest = digestOf(Buffer.from('x'))
      await rememberTree(cache, digest, wanted, {})
      const recalled = await recallTree(cache, digest, {})
      expect(recalled && listed(recalled)).toEqual(listed(wanted))
    }),
  )
})
