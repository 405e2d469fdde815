import * as fc from 'fast-check'
import { Budget } from '../../src/budget.ts'
import { BaseTree, emptyTree } from '../../src/layer/base-tree.ts'
import type { LayerTree } from '../../src/layer/layer-tree.ts'
import type { TreeEntry } from '../../src/layer/tree-entry.ts'

const usual = { mode: 0o755, uid: 0, gid: 0 }
const dir = (path: string, mode = 0o755): TreeEntry => ({ path, type: 'directory', ...usual, mode })
const file = (path: string, text?: string): TreeEntry => ({ path, type: 'file', ...usual, text })
const link = (path: string, linkTarget: string): TreeEntry => ({ path, type: 'symlink', ...usual, linkTarget })

function layer(entries: readonly TreeEntry[], more: Partial<LayerTree> = {}): LayerTree {
  return { entries, whiteouts: [], opaques: [], ...more }
}

function types(tree: BaseTree, paths: readonly string[]): readonly (string | undefined)[] {
  return paths.map(path => tree.lookup(path)?.type)
}

describe('layers over each other', () => {
  test('keep attributes of directories, which later layers may set anew', () => {
    const tree = new BaseTree([
      layer([dir('tmp', 0o1777), dir('root', 0o700)]),
      layer([dir('root', 0o711), file('tmp/x')]),
    ])
    expect([tree.lookup('tmp')?.mode, tree.lookup('root')?.mode]).toEqual([0o1777, 0o711])
  })

  test('a whiteout deletes what is below it, and a directory with all it has', () => {
    const below = layer([dir('a'), file('a/x'), file('a/y'), dir('b'), file('b/z')])
    const tree = new BaseTree([below, layer([dir('a')], { whiteouts: ['a/x', 'b', 'not/there'] })])
    expect(types(tree, ['a', 'a/x', 'a/y', 'b', 'b/z'])).toEqual(['directory', undefined, 'file', undefined, undefined])
  })

  test('an opaque directory hides what lower layers have in it, and not what its own layer has', () => {
    const below = layer([dir('a'), file('a/old'), dir('a/d'), file('a/d/old')])
    const above = layer([dir('a', 0o700), file('a/new'), dir('a/d'), file('a/d/new')], { opaques: ['a'] })
    const tree = new BaseTree([below, above])
    expect(types(tree, ['a/old', 'a/new', 'a/d/old', 'a/d/new'])).toEqual([undefined, 'file', undefined, 'file'])
    expect(tree.lookup('a')?.mode).toBe(0o700)
  })

  test('the root may be opaque', () => {
    const tree = new BaseTree([layer([file('a')]), layer([file('b')], { opaques: [''] })])
    expect(types(tree, ['a', 'b'])).toEqual([undefined, 'file'])
  })

  test('a file in place of a directory takes what was in it away; a directory over a directory does not', () => {
    const below = layer([dir('a'), file('a/x'), dir('b'), file('b/x')])
    const tree = new BaseTree([below, layer([file('a'), dir('b')])])
    expect(types(tree, ['a', 'a/x', 'b/x'])).toEqual(['file', undefined, 'file'])
  })

  test('an entry below a symlink of a lower layer makes a directory there, as runtimes do', () => {
    const tree = new BaseTree([layer([link('bin', 'usr/bin'), file('usr/bin/sh')]), layer([file('bin/tool')])])
    expect(types(tree, ['bin', 'bin/tool', 'usr/bin/sh'])).toEqual(['directory', 'file', 'file'])
  })
})

test('a tree with a layer on top leaves the tree below as it was', () => {
  const below = new BaseTree([layer([dir('a', 0o700), file('a/x'), file('b/y'), link('c', 'a')])])
  const one = below.under(layer([file('a/new'), file('c/z')], { whiteouts: ['a/x'] }))
  const other = below.under(layer([file('a')], { opaques: ['b'] }))
  const paths = ['a', 'a/x', 'a/new', 'b/y', 'c']
  expect(types(below, paths)).toEqual(['directory', 'file', undefined, 'file', 'symlink'])
  expect(types(one, paths)).toEqual(['directory', undefined, 'file', 'file', 'directory'])
  expect(types(other, paths)).toEqual(['file', undefined, undefined, undefined, 'symlink'])
  expect(one.lookup('a')?.mode).toBe(0o700)
})

describe('what a tree may take', () => {
  const limit = (max: number): Budget => new Budget({ what: 'bytes of memory', max })

  test('counts the directories that nobody describes: 2,000 of them come with one name', () => {
    const deep = `${'d/'.repeat(2000)}file`
    expect(() => new BaseTree([layer([file(deep)])], { memory: limit(100_000), from: 'base' })).toThrow(
      'base: more than 100,000 bytes of memory',
    )
  })

  test('counts a layer each time that it is laid over', () => {
    const one = layer([file('a'), file('b')])
    const entries = new Budget({ what: 'entries', max: 5 })
    expect(() => new BaseTree([one, one, one], { entries })).toThrow('more than 5 entries')
  })

  test('is little for files that look the same', () => {
    const files = Array.from({ length: 1000 }, (_, i) => file(`usr/lib/${i}`))
    const tree = new BaseTree([layer(files)], { memory: limit(80_000) })
    expect(tree.lookup('usr/lib/999')?.type).toBe('file')
  })
})

test('files that share their attributes do not share what is laid over one of them', () => {
  const tree = new BaseTree([layer([file('a'), file('b')]), layer([file('a/x'), dir('c')])])
  expect(types(tree, ['a', 'a/x', 'b', 'b/x'])).toEqual(['directory', 'file', 'file', undefined])
})

describe('resolve()', () => {
  const tree = new BaseTree([
    layer([
      dir('usr/bin'),
      file('usr/bin/env'),
      link('bin', 'usr/bin'),
      link('sbin', '/bin'),
      link('var/run', '../run'),
      dir('run'),
      link('up', '../../../etc'),
      dir('etc'),
      link('loop', 'pool'),
      link('pool', 'loop'),
      link('root', '/'),
      link('dangling', '/not/there'),
      link('etc/self', '.'),
    ]),
  ])

  test.each([
    // path, with its parents resolved, resolved all the way
    ['bin/x', 'usr/bin/x', 'usr/bin/x'],
    ['sbin/x', 'usr/bin/x', 'usr/bin/x'],
    ['bin', 'bin', 'usr/bin'],
    ['bin/', 'bin', 'usr/bin'],
    ['var/run/x/y', 'run/x/y', 'run/x/y'],
    ['up/x', 'etc/x', 'etc/x'],
    ['root/root/bin/x', 'usr/bin/x', 'usr/bin/x'],
    ['root', 'root', ''],
    ['dangling/x', 'not/there/x', 'not/there/x'],
    ['etc/self/self/x', 'etc/x', 'etc/x'],
    ['new/dir', 'new/dir', 'new/dir'],
    ['usr/bin/env', 'usr/bin/env', 'usr/bin/env'],
    ['bin/../x', 'usr/x', 'usr/x'],
    ['', '', ''],
  ])('%s', (path, parents, whole) => {
    expect([tree.resolveParents(path), tree.resolve(path)]).toEqual([{ path: parents }, { path: whole }])
  })

  test.each([
    ['usr/bin/env/x', '/usr/bin/env/x: /usr/bin/env is not a directory in the layers below'],
    ['bin/env/x', '/bin/env/x: /usr/bin/env is not a directory in the layers below'],
    ['loop/x', '/loop/x: too many symlinks at /loop'],
  ])('%s leads nowhere', (path, problem) => {
    expect(tree.resolveParents(path)).toEqual({ problem })
  })

  test('never leaves the root, whatever the links say', () => {
    const segment = fc.constantFrom('a', 'b', 'c', '..', '.', '')
    const target = fc.tuple(fc.boolean(), fc.array(segment, { maxLength: 5 }))
    const links = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'a/b', 'b/c'), target)
    fc.assert(
      fc.property(links, fc.array(segment, { maxLength: 6 }), (targets, path) => {
        const entries = Object.entries(targets).map(([at, [absolute, to]]) =>
          link(at, (absolute ? '/' : '') + to.join('/')),
        )
        const resolved = new BaseTree([layer(entries)]).resolve(path.join('/'))
        const found = resolved.problem === undefined ? resolved.path : ''
        expect(found).toMatch(/^(?:(?:[abc])(?:\/[abc])*)?$/)
      }),
    )
  })
})

describe('accounts()', () => {
  test('reads passwd and group of the topmost layer that has them, through links', () => {
    const tree = new BaseTree([
      layer([file('etc/passwd', 'old'), file('etc/group', 'group')]),
      layer([link('etc/passwd', '../usr/lib/passwd'), file('usr/lib/passwd', 'new')]),
    ])
    expect(tree.accounts()).toEqual({ passwd: 'new', group: 'group' })
  })

  test('knows nobody in scratch', () => {
    expect(emptyTree.accounts()).toEqual({ passwd: undefined, group: undefined })
  })
})
