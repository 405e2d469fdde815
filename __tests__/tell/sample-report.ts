import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_INDEX } from '../../src/oci/media-type.ts'
import type { PlatformReport, PublishReport } from '../../src/publish/report.ts'

export function sampleDigest(of: string): Digest {
  return digestOf(new TextEncoder().encode(of))
}

function platform(name: string): PlatformReport {
  const config = { mediaType: OCI_CONFIG, digest: sampleDigest(`config ${name}`), size: 500 }
  const layer = (origin: 'base' | 'assembled' | 'cached', size: number): PlatformReport['layers'][number] => ({
    digest: sampleDigest(`${origin} ${name}`),
    diffID: sampleDigest(`tar of ${origin} ${name}`),
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    size,
    origin,
  })
  return {
    platform: name,
    digest: sampleDigest(name),
    size: 700,
    config,
    layers: [layer('base', 30_000_000), layer('assembled', 5_000_000)],
  }
}

/** Two platforms in a registry and in a layout. */
export function sampleReport(changes: Partial<PublishReport> = {}): PublishReport {
  const digest = sampleDigest('index')
  const platforms = [platform('linux/amd64'), platform('linux/arm64')]
  return {
    digest,
    mediaType: OCI_INDEX,
    size: 900,
    refs: [`ghcr.io/team/app:v1@${digest}`, `ghcr.io/team/app:latest@${digest}`, `oci:out:v1@${digest}`],
    tags: ['ghcr.io/team/app:v1', 'ghcr.io/team/app:latest'],
    imageid: sampleDigest('config linux/amd64'),
    base: { name: 'docker.io/library/debian:12', digest: sampleDigest('base') },
    platforms,
    targets: [
      {
        place: 'ghcr.io/team/app',
        tags: ['v1', 'latest'],
        sent: { count: 2, bytes: 10_000_000 },
        mounted: { count: 1, bytes: 30_000_000 },
        existing: { count: 0, bytes: 0 },
      },
      {
        place: 'oci:out',
        tags: ['v1'],
        sent: { count: 4, bytes: 70_000_000 },
        mounted: { count: 0, bytes: 0 },
        existing: { count: 0, bytes: 0 },
      },
    ],
    dryRun: false,
    ...changes,
  }
}
