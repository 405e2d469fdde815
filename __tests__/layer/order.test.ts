import * as fc from 'fast-check'
import { sortBytewise } from '../../src/layer/order.ts'

test('the order is that of UTF-8 bytes, for every name there is', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), names => {
      const bytes = names.map(name => Buffer.from(name)).sort((a, b) => Buffer.compare(a, b))
      expect(sortBytewise(names, name => name).map(name => Buffer.from(name))).toEqual(bytes)
    }),
  )
})

test('an emoji sorts after the last character of two bytes in UTF-16', () => {
  expect(sortBytewise(['😀', '\uffee', 'a'], name => name)).toEqual(['a', '\uffee', '😀'])
})
