import type { BuildPlace } from './build-place.ts'
import type { Predicate } from './predicate.ts'
import type { ResourceDescriptor } from './resource.ts'

/** SLSA's provenance of any 1.x. */
export const PROVENANCE = 'https://slsa.dev/provenance/v1'

/** How this program makes images, charts and artifacts of its inputs; docs/build-types.md has the schema. */
export const BUILD_TYPE = 'https://github.com/org/oci-publish/blob/main/docs/build-types.md#publish-v1'

/** What was asked for, by the names of the inputs, without secrets. */
export type ShownInputs = Readonly<Record<string, string | readonly string[]>>

export interface ProvenanceParts {
  readonly where: BuildPlace
  readonly inputs: ShownInputs
  /** What the build has read: the commit that was checked out, base images. */
  readonly materials: readonly ResourceDescriptor[]
  /** What it has left besides its subjects and cannot be made again from them. */
  readonly byproducts?: readonly ResourceDescriptor[]
  /** Of this program, which decides the bytes as much as the inputs do. */
  readonly version: string
  readonly startedOn?: Date | undefined
  readonly finishedOn?: Date | undefined
}

/**
 * Tells where, when and of what something was built.
 *
 * @see https://slsa.dev/spec/v1.1/provenance
 */
export function provenance(parts: ProvenanceParts): Predicate {
  const { where, inputs, materials, byproducts = [], version, startedOn, finishedOn } = parts
  const { builderId, invocationId, workflow, internalParameters, sources } = where
  const metadata = {
    ...(invocationId !== undefined && { invocationId }),
    ...(startedOn && { startedOn: timestamp(startedOn) }),
    ...(finishedOn && { finishedOn: timestamp(finishedOn) }),
  }
  const predicate = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { ...(workflow && { workflow }), inputs },
      ...(internalParameters && { internalParameters }),
      resolvedDependencies: eachOnce([...sources, ...materials]),
    },
    runDetails: {
      builder: { id: builderId, version: { 'oci-publish': version } },
      ...(Object.keys(metadata).length > 0 && { metadata }),
      ...(byproducts.length > 0 && { byproducts }),
    },
  }
  return { type: PROVENANCE, predicate }
}

/** One entry a commit, under the name that it has first; what is annotated of it anywhere is kept. */
function eachOnce(resources: readonly ResourceDescriptor[]): readonly ResourceDescriptor[] {
  const seen = new Map<string, ResourceDescriptor>()
  for (const resource of resources) {
    const commit = resource.digest?.['gitCommit']
    const key = commit === undefined ? JSON.stringify(resource) : `commit ${commit}`
    const first = seen.get(key)
    const annotations = { ...first?.annotations, ...resource.annotations }
    seen.set(key, { ...(first ?? resource), ...(Object.keys(annotations).length > 0 && { annotations }) })
  }
  return [...seen.values()]
}

/** in-toto attestation framework v1, field_types.md, "Timestamp": UTC, seconds. */
function timestamp(time: Date): string {
  return time.toISOString().replace(/[.]\d+Z$/, 'Z')
}
