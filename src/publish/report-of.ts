import { namesOf } from '../content/names.ts'
import type { TargetReport } from '../copy/target-report.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference } from '../oci/reference.ts'
import type { Image } from '../image/image.ts'
import type { Built } from './build.ts'
import type { Prepared } from './prepare.ts'
import type { PlatformReport, PublishReport } from './report.ts'

/** Puts together what is told of a publication. */
export function reportOf(prepared: Prepared, built: Built, targets: readonly TargetReport[]): PublishReport {
  const { request, base } = prepared
  const { digest, mediaType, size } = built.root.descriptor
  const [first] = built.images
  if (!first) throw new TypeError('a publication without an image') // a request without a platform is refused
  const names = prepared.targets.flatMap(({ output }) => namesOf(output))
  return {
    digest,
    mediaType,
    size,
    refs: names.map(({ ref }) => `${ref}@${digest}`),
    tags: names.filter(({ tagged }) => tagged).map(({ ref }) => ref),
    imageid: first.config.descriptor.digest,
    base: base && { name: formatReference(base.reference), digest: base.image.root.digest },
    platforms: built.images.map(platformReport),
    targets,
    dryRun: request.dryRun,
  }
}

function platformReport({ platform, manifest, config, layers }: Image): PlatformReport {
  const { digest, size } = manifest.descriptor
  return {
    platform: formatPlatform(platform),
    digest,
    size,
    config: config.descriptor,
    layers: layers.map(({ blob, diffID, origin }) => {
      const { digest, mediaType, size } = blob.descriptor
      return { digest, diffID, mediaType, size, origin }
    }),
  }
}
