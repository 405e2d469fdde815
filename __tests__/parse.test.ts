import { messageOf } from '../src/errors.ts'
import { referrerOf } from '../src/oci/referrer.ts'
import { digestOf } from '../src/oci/digest.ts'
import { OCI_MANIFEST } from '../src/oci/media-type.ts'
import { parseManifest } from '../src/oci/manifest.ts'
import { parseJson } from '../src/parse.ts'
import { readRefusalBody } from '../src/registry/refusal-body.ts'
import { failuresOf } from '../src/tell/failure.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const nestedMaps = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)

test('a document nested as deep as any honest one is read', () => {
  expect(JSON.stringify(parseJson(nested(256), 'it'))).toBe(nested(256))
  expect(JSON.stringify(parseJson(nestedMaps(256), 'it'))).toBe(nestedMaps(256))
})

test.each([257, 10_000, 1_000_000])('one nested %i deep is told as that, and not as a bug', depth => {
  for (const text of [nested(depth), nestedMaps(depth)]) {
    expect(() => parseJson(text, 'config of v1')).toThrow('config of v1: it is nested more than 256 deep')
  }
})

test('a manifest, a refusal and a referrer nested too deep are refused, or read as far as they can be', () => {
  const deep = nestedMaps(100_000)
  const bytes = new TextEncoder().encode(`{"schemaVersion":2,"x":${deep}}`)
  expect(() => parseManifest(bytes, 'v1')).toThrow('v1: it is nested more than 256 deep')
  const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.byteLength }
  expect(referrerOf(descriptor, bytes)).toBeUndefined()
  const { codes, detail } = readRefusalBody(`{"errors":[{"code":"DENIED","detail":${nestedMaps(10_000)}}]}`)
  expect(codes).toEqual([])
  expect(detail).toMatch(/^\{"errors":/)
})

test('what a library follows until the stack ends is told as nested too deep', () => {
  const follow = (): number => 1 + follow()
  let error: unknown
  try {
    follow()
  } catch (caught) {
    error = caught
  }
  expect(messageOf(error)).toBe('it is nested too deep to be read')
  expect(failuresOf(error)).toMatchObject([{ message: 'it is nested too deep to be read', unexpected: false }])
})
