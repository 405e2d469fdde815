import type { Abortable } from '../../async/abortable.ts'
import type { Source } from '../../content/ports.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from '../../oci/manifest.ts'
import { isIndexType } from '../../oci/media-type.ts'
import { CHART_PROVENANCE, type ChartArtifact } from './chart-manifest.ts'
import { CHART_CONTENT } from './package-chart.ts'
import { resolveIfThere } from '../../content/resolve-if-there.ts'

export interface SameChartOptions extends Abortable {
  /** Whether the chart was signed in this run: who signs again may get another signature, which says the same. */
  readonly signed: boolean
  /** Whether config and signature have to be the same as well. */
  readonly exactly: boolean
}

export interface ExistingChart {
  /** What the tag points at. */
  readonly root: Descriptor
  readonly isSame: boolean
}

/**
 * What a place holds under the tag of a chart, undefined where there is nothing. It is the same chart when its package is
 * the same to the byte, and it is signed if this one is: annotations such as `created` say when it was pushed.
 */
export async function holdsSameChart(
  source: Source,
  chart: ChartArtifact,
  { signed, exactly, ...io }: SameChartOptions,
): Promise<ExistingChart | undefined> {
  const root = await resolveIfThere(source, chart.tag, io)
  if (!root) return undefined
  if (root.digest === chart.manifest.descriptor.digest) return { root, isSame: true }
  const manifest = await readManifest(source, root, io)
  return { root, isSame: manifest !== undefined && isSame(manifest, chart, { signed, exactly }) }
}

function isSame(
  { config, layers }: Manifest,
  chart: ChartArtifact,
  { signed, exactly }: Omit<SameChartOptions, 'signal'>,
): boolean {
  if (exactly) {
    const theirs = new Set([config, ...layers].map(({ digest }) => digest))
    return theirs.size === chart.blobs.length && chart.blobs.every(({ descriptor }) => theirs.has(descriptor.digest))
  }
  const ours = chart.blobs.find(({ descriptor }) => descriptor.mediaType === CHART_CONTENT)?.descriptor
  const theirs = layers.filter(({ mediaType }) => mediaType === CHART_CONTENT)
  if (theirs.length !== 1 || theirs[0]?.digest !== ours?.digest) return false
  // A signature may be new each time; a given one is what it is.
  const signatures = layers.filter(({ mediaType }) => mediaType === CHART_PROVENANCE)
  const given = chart.blobs.find(({ descriptor }) => descriptor.mediaType === CHART_PROVENANCE)?.descriptor
  if (!given) return true
  return signed ? signatures.length > 0 : signatures.some(({ digest }) => digest === given.digest)
}

/** undefined for what is no manifest, and for one that cannot be read: it is certainly something else. */
async function readManifest(source: Source, root: Descriptor, io: Abortable): Promise<Manifest | undefined> {
  if (isIndexType(root.mediaType) || root.size > MAX_MANIFEST_BYTES) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of source.open(root, io)) chunks.push(chunk)
  try {
    return parseManifest(Buffer.concat(chunks), `${source.place}@${root.digest}`, root.mediaType)
  } catch {
    return undefined
  }
}
