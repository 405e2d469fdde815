import * as v from 'valibot'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import { parse, parseJson } from '../parse.ts'
import { EMPTY_CONFIG, TITLE } from './artifact.ts'
import { CONTENT_DIGEST, UNPACK } from './file-layers.ts'
import { cleanName, TakenNames } from './file-name.ts'
import { pullBudget, type PullBudget } from './pull-limits.ts'

/** A layer that becomes a file, or a folder. */
export interface PulledLayer {
  readonly descriptor: Descriptor
  /** Below the output, `/`-separated; checked. */
  readonly name: string
  readonly isDirectory: boolean
  /** Of a directory: of its tar, where the artifact says it. */
  readonly contentDigest: Digest | undefined
}

export interface PullPlan {
  readonly layers: readonly PulledLayer[]
  /** Layers without a name. */
  readonly skipped: readonly Descriptor[]
  /** What may not be written any more, for what is in the directories. */
  readonly names: TakenNames
}

/** More than anybody reads; an artifact may have twenty thousand titles. */
const MAX_PROBLEMS = 20

/** Helm gives its layers no names: they follow from the config. */
const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json'
const CHART_ENDINGS: readonly (readonly [type: string, ending: string])[] = [
  ['application/vnd.cncf.helm.chart.content.', '.tgz'],
  ['application/vnd.cncf.helm.chart.provenance.', '.tgz.prov'],
]

/** Whether files of the artifact are called by what its config says. */
export function isChart({ config }: Manifest): boolean {
  return config.mediaType === CHART_CONFIG
}

const chartSchema = v.object({ name: v.string('is not text'), version: v.string('is not text') })

/** `name-version`, as helm names a package. */
export function chartNameOf(config: Uint8Array, where: string): string {
  const { name, version } = parse(chartSchema, parseJson(config, where), where)
  if (/[/\\]/.test(`${name}${version}`)) {
    throw new OciPublishError('UNSAFE_ARTIFACT', `${where}: "${name}-${version}" cannot be the name of a file`)
  }
  return `${name}-${version}`
}

/**
 * Which files a manifest becomes. Layers without a title are passed over.
 *
 * @param options.chartName of a Helm chart, `name-version`
 * @param options.budget what may be written; folders are counted when they are unpacked
 * @throws {OciPublishError} UNSAFE_ARTIFACT with every name that may not be written; TOO_LARGE; INVALID_DOCUMENT
 */
export function planPull(
  manifest: Manifest,
  where: string,
  { chartName, budget = pullBudget() }: { readonly chartName?: string | undefined; readonly budget?: PullBudget } = {},
): PullPlan {
  const layers: PulledLayer[] = []
  const skipped: Descriptor[] = []
  const problems: string[] = []
  const titles = new Set<string>()
  const names = new TakenNames()
  for (const descriptor of manifest.layers) {
    const { annotations = {}, mediaType } = descriptor
    const title = annotations[TITLE] ?? ''
    const given = title === '' ? chartFile(mediaType, chartName) : title
    if (given === undefined) {
      if (mediaType !== EMPTY_CONFIG) skipped.push(descriptor)
      continue
    }
    const isDirectory = annotations[UNPACK] === 'true'
    if (!isDirectory) {
      budget.files.spend(1, where)
      budget.bytes.spend(descriptor.size, where)
    }
    try {
      const contentDigest = contentDigestOf(annotations)
      const name = cleanName(given)
      if (titles.has(name)) throw new Error('two layers have this name')
      titles.add(name)
      names.take(name, isDirectory ? 'folder' : 'file')
      layers.push({ descriptor, name, isDirectory, contentDigest })
    } catch (error) {
      if (error instanceof OciPublishError) throw error
      if (problems.length === MAX_PROBLEMS) continue
      problems.push(`${JSON.stringify(given)}: ${messageOf(error)}`)
    }
  }
  if (problems.length === 0) return { layers, skipped, names }
  throw new OciPublishError('UNSAFE_ARTIFACT', `${where} has files that cannot be written: ${problems.join('; ')}`, {
    hint: 'nothing was written; whoever made the artifact has to give its files other titles',
  })
}

/** @throws {Error} in words */
function contentDigestOf({ [CONTENT_DIGEST]: text }: Annotations): Digest | undefined {
  if (text === undefined || isDigest(text)) return text
  throw new Error(`its ${CONTENT_DIGEST}, "${text}", is not a digest`)
}

function chartFile(mediaType: string, chartName: string | undefined): string | undefined {
  const ending = CHART_ENDINGS.find(([type]) => mediaType.startsWith(type))?.[1]
  return chartName === undefined || ending === undefined ? undefined : `${chartName}${ending}`
}
