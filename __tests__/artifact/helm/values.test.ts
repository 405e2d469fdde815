import { withValues } from '../../../src/artifact/helm/values.ts'
import type { Chart } from '../../../src/artifact/helm/chart.ts'

function chartWith(values: string | undefined, archive?: Uint8Array): Chart {
  const files = values === undefined ? [] : [{ path: 'values.yaml', bytes: new TextEncoder().encode(values) }]
  const metadata = { name: 'web', version: '1.0.0', apiVersion: 'v2' }
  return { metadata, files, archive, provenance: undefined, warnings: [] }
}

function edited(values: string, path: string, value = 'v2'): string {
  const [file] = withValues(chartWith(values), [{ path, value }]).files
  return Buffer.from(file?.bytes ?? []).toString()
}

describe('withValues()', () => {
  test.each([
    ['a text in quotes', 'image:\n  tag: "v1" # by CI\n', 'image.tag', 'image:\n  tag: "v2" # by CI\n'],
    ['a text without', 'image:\n  tag: v1 # by CI\n', 'image.tag', 'image:\n  tag: "v2" # by CI\n'],
    ['an empty text', "# top\nimage: {tag: '', x: 1}\n", 'image.tag', '# top\nimage: {tag: "v2", x: 1}\n'],
    ['a number', 'tag: 1.10\n', 'tag', 'tag: "v2"\n'],
    ['nothing', 'image:\n  tag:\n  x: 1\n', 'image.tag', 'image:\n  tag: "v2"\n  x: 1\n'],
    [
      'nothing, with a comment',
      'image:\n  tag: # by CI\n  x: 1\n',
      'image.tag',
      'image:\n  tag: "v2" # by CI\n  x: 1\n',
    ],
    ['null', 'tag: ~\n', 'tag', 'tag: "v2"\n'],
    ['nothing at the end', 'image:\n  tag:', 'image.tag', 'image:\n  tag: "v2"'],
    ['an item of a list', 'images:\n- tag: a\n- tag: b\n', 'images.1.tag', 'images:\n- tag: a\n- tag: "v2"\n'],
    [
      'a key with a dot',
      'labels:\n  app.kubernetes.io/version: a\n',
      'labels.app\\.kubernetes\\.io/version',
      'labels:\n  app.kubernetes.io/version: "v2"\n',
    ],
    ['a block', 'tag: |\n  v1\nx: 1 # kept\n', 'tag', 'tag: v2\nx: 1 # kept\n'],
    ['an alias', 'a: &x v1\ntag: *x\n', 'tag', 'a: &x v1\ntag: v2\n'],
    ['CRLF', 'tag: v1\r\nx: 1\r\n', 'tag', 'tag: "v2"\r\nx: 1\r\n'],
  ])('writes over %s, and touches nothing else', (_name, before, path, after) => {
    expect(edited(before, path)).toBe(after)
  })

  test('writes what no reader takes for anything but text', () => {
    expect(edited('tag: v1\n', 'tag', '1.10')).toBe('tag: "1.10"\n')
    expect(edited('tag: v1\n', 'tag', 'a"b\\')).toBe('tag: "a\\"b\\\\"\n')
  })

  test.each([
    ['a key that is not there', 'image:\n  tag: v1\n', 'image.tga', 'has no image.tga in its values.yaml'],
    ['a key below a text', 'image: x\n', 'image.tag', 'has no image.tag'],
    ['a map', 'image:\n  tag: {a: 1}\n', 'image.tag', 'has no image.tag'],
    ['an empty file', '', 'tag', 'has no tag'],
  ])('refuses %s, because no template would notice', (_name, before, path, said) => {
    expect(() => edited(before, path)).toThrow(said)
  })

  test('refuses a package, and a chart without values', () => {
    const change = [{ path: 'tag', value: 'v2' }]
    expect(() => withValues(chartWith('tag: v1\n', new Uint8Array(1)), change)).toThrow('is packaged')
    expect(() => withValues(chartWith(undefined), change)).toThrow('has no values.yaml')
  })
})
