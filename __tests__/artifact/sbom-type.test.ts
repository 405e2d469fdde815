import { sbomTypeOf } from '../../src/artifact/sbom-type.ts'

test.each([
  ['sbom.spdx.json', 'application/spdx+json'],
  ['out/App.SPDX.json', 'application/spdx+json'],
  ['app.cdx.json', 'application/vnd.cyclonedx+json'],
  ['app.cyclonedx.json', 'application/vnd.cyclonedx+json'],
  ['out\\bom.json', 'application/vnd.cyclonedx+json'],
  ['my-bom.json', undefined],
  ['spdx.json', undefined],
  ['app.spdx', undefined],
  ['app.spdx.json/readme', undefined],
])('%s is found by scanners as %s', (path, type) => {
  expect(sbomTypeOf(path)).toBe(type)
})
