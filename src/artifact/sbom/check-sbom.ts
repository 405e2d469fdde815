import { messageOf } from '../../errors.ts'
import { parseJson } from '../../parse.ts'
import { cycloneDxProblems } from './check-cyclonedx.ts'
import { CYCLONEDX_TYPE } from './cyclonedx.ts'
import { spdxProblems } from './check-spdx.ts'

const SPDX_TYPE = 'application/spdx+json'

export interface SbomCheck {
  /** What it is, by its content; undefined for what is no SBOM that is known here. */
  readonly artifactType: typeof CYCLONEDX_TYPE | typeof SPDX_TYPE | undefined
  /** `CycloneDX 1.6`, `SPDX-2.3`. */
  readonly form: string | undefined
  /** What is wrong with it, with places; none for a document as it should be. */
  readonly problems: readonly string[]
}

/** Tells SPDX and CycloneDX apart by what is in a document, and checks it against what its specification says. */
export async function checkSbom(bytes: Uint8Array): Promise<SbomCheck> {
  const unknown = (problem: string): SbomCheck => ({ artifactType: undefined, form: undefined, problems: [problem] })
  let document: unknown
  try {
    document = parseJson(bytes, 'the SBOM')
  } catch (error) {
    const begin = Buffer.from(bytes.subarray(0, 1024)).toString().trimStart()
    if (begin.startsWith('<') || begin.startsWith('SPDXVersion:')) {
      return unknown('it is not JSON; of SPDX and CycloneDX the JSON forms are known')
    }
    return unknown(messageOf(error))
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return unknown('it is no JSON object')
  const { bomFormat, specVersion, spdxVersion, '@context': context } = document as Readonly<Record<string, unknown>>
  if (bomFormat === 'CycloneDX') {
    const version = typeof specVersion === 'string' ? specVersion : ''
    const problems = await cycloneDxProblems(document, version)
    return { artifactType: CYCLONEDX_TYPE, form: `CycloneDX ${version}`.trimEnd(), problems }
  }
  if (typeof spdxVersion === 'string') {
    return { artifactType: SPDX_TYPE, form: spdxVersion, problems: spdxProblems(document, spdxVersion) }
  }
  if (typeof context === 'string' && context.includes('spdx.org/rdf/3')) {
    return {
      artifactType: SPDX_TYPE,
      form: 'SPDX-3',
      problems: ['SPDX 3 is not checked here; SPDX 2.3 and CycloneDX are'],
    }
  }
  return unknown('it is neither SPDX (no "spdxVersion") nor CycloneDX (no "bomFormat")')
}
