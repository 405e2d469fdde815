import { parseDigest } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { referrerOf } from '../../src/oci/referrer.ts'

const digest = parseDigest(`sha256:${'0'.repeat(64)}`)
const subject = parseDigest(`sha256:${'1'.repeat(64)}`)
const about = { mediaType: OCI_MANIFEST, digest, size: 7, annotations: { of: 'whoever lists it' } }
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const manifest = {
  subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 },
  config: { mediaType: 'application/vnd.example.config' },
}

describe('what a list of referrers says of a manifest', () => {
  test.each([
    ['its artifact type', { artifactType: 'application/x' }, 'application/x'],
    ['the type of its config where it has none', {}, 'application/vnd.example.config'],
    ['the same where it is empty', { artifactType: '' }, 'application/vnd.example.config'],
    ['the same where it is null', { artifactType: null }, 'application/vnd.example.config'],
    ['nothing where there is neither', { config: null }, undefined],
    ['nothing where both are empty', { artifactType: '', config: null }, undefined],
  ])('has %s', (_, more, artifactType) => {
    expect(referrerOf(about, bytes({ ...manifest, ...more }))).toEqual({
      subject,
      descriptor: { mediaType: OCI_MANIFEST, digest, size: 7, ...(artifactType && { artifactType }) },
    })
  })

  test('has the annotations of the manifest, by which tools choose', () => {
    const found = referrerOf(about, bytes({ ...manifest, annotations: { a: '1' } }))
    expect(found?.descriptor.annotations).toEqual({ a: '1' })
    expect(referrerOf(about, bytes({ ...manifest, annotations: null }))?.descriptor).not.toHaveProperty('annotations')
  })
})

test.each([
  ['refers to nothing', bytes({ ...manifest, subject: undefined })],
  ['has a subject that is none', bytes({ ...manifest, subject: { digest: 'x' } })],
  ['is not JSON', Buffer.from('{')],
  ['is not an object', bytes([])],
  ['has a type that is not text', bytes({ ...manifest, artifactType: 1 })],
  ['has a config without a type', bytes({ ...manifest, config: {} })],
  ['has annotations that are not text', bytes({ ...manifest, annotations: { a: 1 } })],
])('a manifest that %s is no referrer', (_, document) => {
  expect(referrerOf(about, document)).toBeUndefined()
})
