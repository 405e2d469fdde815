/** Artifact types by which SBOMs are looked for, and how their files are called. */
const TYPES: readonly (readonly [type: string, name: RegExp])[] = [
  ['application/spdx+json', /[.]spdx[.]json$/i],
  ['application/vnd.cyclonedx+json', /(?:[.](?:cdx|cyclonedx)|^bom)[.]json$/i],
]

/** The type of an SBOM that goes by its usual name: `app.spdx.json`, `app.cdx.json`, `bom.json`. */
export function sbomTypeOf(path: string): string | undefined {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return TYPES.find(([, pattern]) => pattern.test(name))?.[0]
}

/** Whether an artifact of this type is one document of the same media type. */
export function isSbomType(artifactType: string): boolean {
  return TYPES.some(([type]) => type === artifactType)
}
