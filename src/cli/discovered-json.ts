import type { Discovered } from '../artifact/discover.ts'
import type { Hanging } from '../content/hanging.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { formatPlatform } from '../oci/platform.ts'
import { predicateTypeIn } from './hanging-text.ts'

/** What was discovered, for programs; what is absent is left out. */
export function discoveredJson({ descriptor, platform, referrers, manifests }: Discovered): object {
  return {
    ...described(descriptor),
    ...(platform && { platform: formatPlatform(platform) }),
    referrers: referrers.map(hangingJson),
    ...(manifests.length > 0 && { manifests: manifests.map(discoveredJson) }),
  }
}

function hangingJson({ descriptor, by, tag, referrers }: Hanging): object {
  const { artifactType, annotations = {} } = descriptor
  const predicateType = predicateTypeIn(descriptor)
  return {
    ...described(descriptor),
    ...(artifactType !== undefined && { artifactType }),
    ...(predicateType !== undefined && { predicateType }),
    annotations,
    by,
    ...(tag !== undefined && { tag }),
    referrers: referrers.map(hangingJson),
  }
}

function described({ mediaType, digest, size }: Descriptor): object {
  return { mediaType, digest, size }
}
