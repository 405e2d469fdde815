import { bytesBlob, type Blob } from '../../content/blob.ts'
import type { Annotations } from '../../oci/descriptor.ts'
import { digestOf } from '../../oci/digest.ts'
import { composeArtifact, TITLE, type Artifact } from '../artifact.ts'
import { chartConfig } from './chart-config.ts'
import { chartFileName, chartTag, type Chart, type ChartMetadata } from './chart.ts'

export const CHART_PROVENANCE = 'application/vnd.cncf.helm.chart.provenance.v1.prov'

export interface ChartArtifactOptions {
  /** Seconds since 1970 for the annotation `created`, which is left out without it. */
  readonly created?: number | undefined
  /** A .prov file of the package; by default the one that the chart came with. */
  readonly provenance?: Uint8Array | undefined
}

/** A chart as helm's own push puts it into a registry. */
export interface ChartArtifact extends Artifact {
  /** Last part of the repository, as helm has it. */
  readonly name: string
  /** The version, with `_` for `+`. */
  readonly tag: string
}

/** @param content the package, from `packageChart` */
export function chartArtifact(
  { metadata, provenance: own }: Chart,
  content: Blob,
  { created, provenance = own }: ChartArtifactOptions = {},
): ChartArtifact {
  const layers = provenance ? [content, provenanceBlob(provenance, metadata)] : [content]
  const config = bytesBlob(chartConfig(metadata))
  const artifact = composeArtifact({ config, layers, annotations: chartAnnotations(metadata, created) })
  return { ...artifact, name: metadata.name, tag: chartTag(metadata) }
}

function provenanceBlob(bytes: Uint8Array, metadata: ChartMetadata): Blob {
  const annotations = { [TITLE]: `${chartFileName(metadata)}.prov` }
  const descriptor = { mediaType: CHART_PROVENANCE, digest: digestOf(bytes), size: bytes.byteLength, annotations }
  return bytesBlob({ bytes, descriptor })
}

/** The annotations of the manifest: those that helm makes of Chart.yaml; the chart's own win over all but name and version. */
function chartAnnotations(metadata: ChartMetadata, created: number | undefined): Annotations {
  const { name, version, description, home, sources = [], maintainers = [], annotations = {} } = metadata
  const authors = maintainers.map(({ name = '', email }) => name + (email === undefined ? '' : ` (${email})`))
  const made = {
    authors: authors.join(', '),
    created: created === undefined ? '' : new Date(created * 1000).toISOString().replace('.000Z', 'Z'),
    description,
    source: sources[0],
    title: name,
    url: home,
    version,
  }
  const all = new Map<string, string>()
  for (const [key, value = ''] of Object.entries(made)) if (value.trim() !== '') all.set(annotation(key), value)
  for (const [key, value] of Object.entries(annotations)) {
    if (key !== TITLE && key !== annotation('version')) all.set(key, value)
  }
  return Object.fromEntries(all)
}

function annotation(name: string): string {
  return `org.opencontainers.image.${name}`
}
