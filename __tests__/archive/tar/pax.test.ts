import * as fc from 'fast-check'
import { decodeRecords, encodeRecords } from '../../../src/archive/tar/pax.ts'

describe('PAX records', () => {
  test.each([
    ['6 a=b', 'a', 'b'],
    ['9 ab=cde', 'ab', 'cde'],
    ['11 ab=cdef', 'ab', 'cdef'], // 10 would be right for nine and a half bytes
    ['99 a=', 'a', 'x'.repeat(93)],
    ['101 a=', 'a', 'x'.repeat(94)],
  ])('the length in %j counts its own digits', (start, key, value) => {
    const body = encodeRecords(new Map([[key, Buffer.from(value)]]))
    expect(body.toString().startsWith(start)).toBe(true)
    expect(body.byteLength).toBe(Number.parseInt(start, 10))
  })

  test('any bytes of an extended attribute come back as they were', () => {
    const keys = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }).filter(key => !/[=\n]/.test(key))
    const record = fc.tuple(keys, fc.uint8Array({ maxLength: 1_100 }))
    fc.assert(
      fc.property(fc.array(record), pairs => {
        const records = new Map(pairs)
        expect(decodeRecords(encodeRecords(records), 'a.tar')).toEqual(records)
      }),
    )
  })

  test('what is in a record does not hold on to the archive', () => {
    const archive = Buffer.concat([Buffer.alloc(1 << 16), Buffer.from('6 a=b\n')])
    const value = decodeRecords(archive.subarray(1 << 16), 'a.tar').get('a')
    expect(value?.buffer.byteLength).toBe(1)
  })

  test('of two records with one key the last counts', () => {
    expect(decodeRecords(Buffer.from('6 a=b\n6 a=c\n'), 'a.tar')).toEqual(new Map([['a', Uint8Array.from([0x63])]]))
  })

  test.each([
    ['no length', 'a=b\n', 0],
    ['no key', '6 abc\n', 0],
    ['a length beyond the end', '99 a=b\n', 0],
    ['a length that is too short', '6 a=bc\n', 0],
    ['a length of zero', '0 a=b\n', 0],
    ['an endless length', '99999999999999999999 a=b\n', 0],
    ['rubbish after a good record', '6 a=b\nxyz', 6],
  ])('%s is said to be broken, with the place', (_name, body, at) => {
    expect(() => decodeRecords(Buffer.from(body), 'a.tar, byte 512')).toThrow(
      `a.tar, byte 512: the PAX header is broken at its byte ${at}`,
    )
  })

  test('a "=" in a key is refused, since it would end the key', () => {
    expect(() => encodeRecords(new Map([['a=b', Buffer.from('c')]]))).toThrow(
      'a=b: a "=" in a PAX key cannot be written',
    )
  })
})
