/** The least that SPDX 2.3 lets a document be. */
export const SPDX_DOCUMENT: string = JSON.stringify({
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  documentNamespace: 'https://example.com/app',
  creationInfo: { created: '2026-01-01T00:00:00Z', creators: ['Tool: t'] },
  packages: [],
})

/** The least that CycloneDX lets a document be. */
export const CYCLONEDX_DOCUMENT: string = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 })
