import type { Tally, TagReport, TargetReport } from '../copy/target-report.ts'
import { shortDigest } from '../oci/digest.ts'
import type { PlatformReport, PublishReport } from '../publish/report.ts'
import { isIndexType } from '../oci/media-type.ts'
import { bytesText, countText } from './amount.ts'

/** Bytes that a platform takes as stored: its manifest, its config and its layers. */
export function imageBytes({ size, config, layers }: PlatformReport): number {
  return layers.reduce((sum, layer) => sum + layer.size, size + config.size)
}

/**
 * `index of 2 platforms`, `manifest for linux/amd64`, `chart web 1.2.3`; of an image and its chart both. Of files,
 * `application/vnd.example.thing of 3 files`.
 */
export function kindText({ mediaType, platforms, chart, artifactType, layers = [] }: PublishReport): string {
  if (artifactType !== undefined) return `${artifactType} of ${countText(layers.length, 'file')}`
  const charts = chart ? [`chart ${chart.name} ${chart.version}`] : []
  return [...(platforms.length > 0 ? [imageText(mediaType, platforms)] : []), ...charts].join(' and ')
}

function imageText(mediaType: string, platforms: readonly PlatformReport[]): string {
  if (isIndexType(mediaType)) return `index of ${countText(platforms.length, 'platform')}`
  return `manifest for ${platforms.map(({ platform }) => platform).join(', ')}`
}

/** `3 layers: 1 of the base, 2 assembled`. */
export function layersText({ layers }: PlatformReport): string {
  const parts = (['base', 'assembled', 'cached'] as const).flatMap(origin => {
    const { length } = layers.filter(layer => layer.origin === origin)
    return length === 0 ? [] : [`${length} ${origin === 'base' ? 'of the base' : origin}`]
  })
  return `${countText(layers.length, 'layer')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}

/** `2 (35 MB)`, `none`. */
export function tallyText({ count, bytes }: Tally): string {
  return count === 0 ? 'none' : `${count} (${bytesText(bytes)})`
}

/** `sent 2 (35 MB), mounted none, already there 3 (80 MB)`. */
export function trafficText({ sent, mounted, existing }: TargetReport, dryRun: boolean): string {
  const [send, mount] = dryRun ? ['to send', 'to mount'] : ['sent', 'mounted']
  return `${send} ${tallyText(sent)}, ${mount} ${tallyText(mounted)}, already there ${tallyText(existing)}`
}

/** Repositories and layouts, with what kept them from having a name. */
export function untaggedText({ targets }: PublishReport): string | undefined {
  const places = targets.filter(({ tags }) => tags.length === 0).map(({ place }) => place)
  return places.length === 0 ? undefined : `without a tag, by digest only: ${places.join(', ')}`
}

/** Of a dry run: `v1 would move from sha256:0123…`, `latest would be new`. */
export function tagText({ tag, do: what, from }: TagReport): string {
  switch (what) {
    case 'create':
      return `${tag} would be new`
    case 'move':
      return `${tag} would move${from === undefined ? '' : ` from ${shortDigest(from)}`}`
    case 'keep':
      return `${tag} is there already`
    case 'leave':
      return `${tag} would stay${from === undefined ? '' : ` at ${shortDigest(from)}`}`
  }
}
