import * as fc from 'fast-check'
import { goJson, goJsonMap } from '../../src/sign/go-json.ts'

test.each([
  ['what HTML could stumble over', '<a href="x">&', '"\\u003ca href=\\"x\\"\\u003e\\u0026"'],
  ['what JavaScript could stumble over', '\u2028 \u2029', '"\\u2028 \\u2029"'],
  ['control characters', '\b\f\n\r\t\u0001\u001f', '"\\b\\f\\n\\r\\t\\u0001\\u001f"'],
  ['all the rest as it is', 'é€😀\u007f/', '"é€😀\u007f/"'],
])('escapes %s', (_, text, json) => {
  expect(goJson(text)).toBe(json)
})

test('is the same JSON to whoever reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(JSON.parse(goJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('is safe within HTML whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '\u2028', '\u2029', '"', '\\', 'a') }), text => {
      expect(goJson(text)).not.toMatch(/[<>&\u2028\u2029]/)
    }),
  )
})

describe('goJsonMap()', () => {
  test('sorts keys by their bytes: numbers as texts, and what UTF-16 would put elsewhere', () => {
    expect(goJsonMap({ b: '2', 10: 'x', 2: 'y', a: '<', '\uffee': 'BMP', '😀': 'beyond' })).toBe(
      '{"10":"x","2":"y","a":"\\u003c","b":"2","\uffee":"BMP","😀":"beyond"}',
    )
  })

  test('is the same map to whoever reads it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), map => {
        expect(JSON.parse(goJsonMap(map))).toEqual({ ...map })
      }),
    )
  })
})
