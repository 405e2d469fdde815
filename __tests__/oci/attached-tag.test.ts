import { attachedTag, attachedTags, isAttachedTag } from '../../src/oci/attached-tag.ts'
import { parseDigest } from '../../src/oci/digest.ts'

const HEX = 'a1'.repeat(32)
const DIGEST = parseDigest(`sha256:${HEX}`)

test('signatures, attestations and SBOMs are looked for where cosign puts them', () => {
  expect(attachedTag(DIGEST, 'sig')).toBe(`sha256-${HEX}.sig`)
  expect(attachedTags(DIGEST)).toEqual([`sha256-${HEX}.sig`, `sha256-${HEX}.att`, `sha256-${HEX}.sbom`])
})

test('a tag for sha512 would be too long for a registry, so none is asked for', () => {
  expect(attachedTags(parseDigest(`sha512:${HEX}${HEX}`))).toEqual([])
})

test.each([`sha256-${HEX}.sig`, `sha256-${HEX}.att`, `sha256-${HEX}.sbom`, `sha512-${HEX}.sig`])(
  '%s belongs to a manifest',
  tag => {
    expect(isAttachedTag(tag)).toBe(true)
  },
)

test.each([
  `sha256-${HEX}`,
  `sha256-${HEX}.sig2`,
  `my-sha256-${HEX}.sig`,
  `sha256-${HEX.slice(1)}.sig`,
  `sha256-${HEX}xsig`,
  `sha256-${HEX}.zip`,
  `sha1-${HEX}.sig`,
  'sha256-.sig',
  `sha256-${HEX.replace('a', 'g')}.sig`,
])('%s is a tag of the user, which is shown and copied as one', tag => {
  expect(isAttachedTag(tag)).toBe(false)
})
