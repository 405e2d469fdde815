import type { Inspected, InspectedImage } from '../image/inspect.ts'
import { formatPlatform, normalisePlatform } from '../oci/platform.ts'

/** What was inspected, for programs: one object, without what is absent. */
export function inspectedJson(found: Inspected): object {
  const { mediaType, digest, size, platform, annotations } = found.descriptor
  const common = { kind: found.kind, mediaType, digest, size }
  // What the parent says of a child; of its own it has `annotations`.
  const described = annotations && Object.keys(annotations).length > 0 ? { descriptorAnnotations: annotations } : {}
  switch (found.kind) {
    case 'index': {
      const { artifactType, subject, manifests } = found
      const own = { artifactType, subject, annotations: found.annotations }
      return { ...common, ...described, ...own, manifests: manifests.map(inspectedJson) }
    }
    case 'image': {
      const { subject, config, layers } = found
      const runsOn = formatPlatform(normalisePlatform(platform ?? found.platform))
      const own = { platform: runsOn, subject, annotations: found.annotations }
      return { ...common, ...described, ...own, config: { ...config, ...settingsJson(found) }, layers }
    }
    case 'artifact': {
      const { artifactType, subject, config, layers } = found
      return { ...common, ...described, artifactType, subject, annotations: found.annotations, config, layers }
    }
    case 'attestation':
      return { ...common, ...described, of: found.of, predicateTypes: found.predicateTypes }
    case 'missing':
    case 'other':
      return { ...common, ...described, ...(platform && { platform: formatPlatform(normalisePlatform(platform)) }) }
  }
}

function settingsJson({ settings }: InspectedImage): object {
  const { created, author, config = {} } = settings
  const { User, WorkingDir, Entrypoint, Cmd, Env, ExposedPorts, Volumes, StopSignal, Labels } = config
  return {
    created,
    author,
    user: User,
    workdir: WorkingDir,
    entrypoint: Entrypoint,
    cmd: Cmd,
    env: Env,
    ports: ExposedPorts && Object.keys(ExposedPorts),
    volumes: Volumes && Object.keys(Volumes),
    stopSignal: StopSignal,
    labels: Labels,
  }
}
