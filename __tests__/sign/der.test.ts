import * as fc from 'fast-check'
import { messageOf } from '../../src/errors.ts'
import { oidOf, readDer, type Der } from '../../src/sign/der.ts'
import { der, oid } from './some-certificates.ts'

interface Tree {
  readonly tag: number
  readonly parts: readonly Tree[]
  readonly bytes: Uint8Array
}

const leaf = fc.record({
  tag: fc.constantFrom(0x02, 0x04, 0x0c, 0x86),
  parts: fc.constant([]),
  bytes: fc.uint8Array({ maxLength: 400 }),
})
const { tree } = fc.letrec<{ tree: Tree }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.record({
      tag: fc.constantFrom(0x30, 0x31, 0xa3),
      parts: fc.array(tie('tree'), { maxLength: 4 }),
      bytes: fc.constant(new Uint8Array()),
    }),
  ),
}))

function written({ tag, parts, bytes }: Tree): Buffer {
  return der(tag, ...(parts.length > 0 ? parts.map(written) : [bytes]))
}

function shapeOf({ tag, content, children }: Der): unknown {
  return { tag, parts: children.map(shapeOf), bytes: children.length > 0 ? '' : Buffer.from(content).toString('hex') }
}

function shapeOfTree({ tag, parts, bytes }: Tree): unknown {
  return { tag, parts: parts.map(shapeOfTree), bytes: Buffer.from(bytes).toString('hex') }
}

test('what is written in DER is read as it is', () => {
  fc.assert(
    fc.property(tree, one => {
      expect(shapeOf(readDer(written(one), 'a value'))).toEqual(shapeOfTree(one))
    }),
  )
})

test('bytes from anywhere are read or refused, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      expect(outcomeOf(() => readDer(bytes, 'some bytes'))).toMatch(/^read$|^some bytes: is not DER: /)
    }),
  )
})

function outcomeOf(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    return messageOf(error)
  }
}

test('whatever is cut off is refused', () => {
  fc.assert(
    fc.property(tree, fc.nat(), (one, n) => {
      const bytes = written(one)
      expect(() => readDer(bytes.subarray(0, n % bytes.byteLength), 'a value')).toThrow(/is (cut off|empty)$/)
    }),
  )
})

test.each([
  ['nothing', '', 'it is empty'],
  ['something after the end', '0500 00', 'it is cut off'],
  ['a second value', '0500 0500', 'something follows its end'],
  ['an indefinite length', '3080 0000', 'it has an indefinite length'],
  ['a length in one octet too many', '048105 0102030405', 'a length is not in its shortest form'],
  ['a length with a zero before it', '04820080', 'a length is not in its shortest form'],
  ['a length of five octets', '04850100000000', 'it is too long'],
  ['a length beyond the end', '0402 01', 'it is cut off'],
  ['a child beyond the end of its parent', '3003 0402 01 02', 'it is cut off'],
  ['a tag of several octets', '1f8101 00', 'it has a tag of several octets'],
])('%s is refused', (_, hex, because) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  expect(() => readDer(bytes, 'certificate 07')).toThrow(`certificate 07: is not DER: ${because}`)
})

test('a value that nests without end does not end the process', () => {
  let bytes = der(0x05)
  for (let i = 0; i < 40; i++) bytes = der(0x30, bytes)
  expect(() => readDer(bytes, 'a value')).toThrow('a value: is not DER: it nests too deep')
})

describe('oidOf()', () => {
  test.each(['2.5.29.17', '1.3.6.1.4.1.57264.1.8', '1.2.840.10045.4.3.2', '0.9.2342', '2.999.3'])('%s', dotted => {
    expect(oidOf(readDer(oid(dotted), 'it'), 'it')).toBe(dotted)
  })

  test('names of every length', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), fc.nat({ max: 39 }), (arcs, second) => {
        const dotted = [1, second, ...arcs].join('.')
        expect(oidOf(readDer(oid(dotted), 'it'), 'it')).toBe(dotted)
      }),
    )
  })

  test.each([
    ['another type', '0401 2a'],
    ['no arc', '0600'],
    ['an arc that does not end', '0602 2a86'],
    ['more than any name has', `068181${'01'.repeat(129)}`],
  ])('%s is refused', (_, hex) => {
    const value = readDer(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 'it')
    expect(() => oidOf(value, 'it')).toThrow('it: is not DER: it has no object identifier where one has to be')
  })

  test('an arc with zeros before it is refused: one name must not have two spellings', () => {
    const value = readDer(Buffer.from('06032a8001', 'hex'), 'it')
    expect(() => oidOf(value, 'it')).toThrow('an object identifier is not in its shortest form')
  })
})
