import * as fc from 'fast-check'
import { LayeredFiles } from '../../../src/artifact/sbom/layered-files.ts'

const name = fc.constantFrom('a', 'b', 'c')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
const entry = fc.oneof(
  path.map(one => ({ kind: 'file' as const, path: one })),
  path.map(one => ({ kind: 'directory' as const, path: one })),
  path.map(one => ({ kind: 'whiteout' as const, path: one })),
  path.map(one => ({ kind: 'opaque' as const, path: one })),
)
interface Entry {
  readonly kind: 'file' | 'directory' | 'whiteout' | 'opaque'
  readonly path: string
}

/** The same in the plainest way: every path of a lower layer is looked at for every entry. */
function plainly(layers: readonly (readonly Entry[])[]): readonly string[] {
  const files = new Map<string, number>()
  for (const [layer, entries] of layers.entries()) {
    for (const { kind, path: one } of entries) {
      for (const [file, at] of files) {
        const isBelow = file.startsWith(`${one}/`)
        if (at < layer && (file === one || (isBelow && kind !== 'directory'))) files.delete(file)
      }
      if (kind === 'file') files.set(one, layer)
    }
  }
  return [...files].map(([file, layer]) => `${file}@${layer}`).sort()
}

function spelled({ kind, path: one }: Entry): string {
  if (kind === 'opaque') return `${one}/.wh..wh..opq`
  if (kind !== 'whiteout') return one
  const parts = one.split('/')
  return [...parts.slice(0, -1), `.wh.${parts.at(-1)}`].join('/')
}

test('whatever layers do to each other, what is left is what is left', () => {
  fc.assert(
    fc.property(fc.array(fc.array(entry, { maxLength: 12 }), { maxLength: 5 }), layers => {
      const files = new LayeredFiles<string>()
      for (const [layer, entries] of layers.entries()) {
        for (const one of entries) {
          files.meet(spelled(one), layer, { isDirectory: one.kind === 'directory' })
          if (one.kind === 'file') files.put(one.path, layer, one.path)
        }
      }
      expect(
        files
          .entries()
          .map(([at, file]) => `${at}@${file.layer}`)
          .sort(),
      ).toEqual(plainly(layers))
    }),
    { numRuns: 2000 },
  )
})

test('what a layer replaced can still be asked for while the layer is read', () => {
  const files = new LayeredFiles<string>()
  files.put('a/status', 0, 'first')
  files.meet('.wh.a', 1, { isDirectory: false })
  files.meet('a/status', 1, { isDirectory: false })
  expect(files.before('a/status', 1)?.value).toBe('first')
  files.put('a/status', 1, 'second')
  expect(files.before('a/status', 1)?.value).toBe('first')
  expect(files.before('a/status', 2)?.value).toBe('second')
})
