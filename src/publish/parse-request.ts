import { messageOf, type InputProblem } from '../errors.ts'
import { parseLine, type LayerSpec } from '../layer/line.ts'
import type { Compression } from '../oci/media-type.ts'
import { formatPlatform, parsePlatform, type Platform } from '../oci/platform.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { parsePolicies, type VerifyPolicy } from '../sign/policy.ts'
import { readEntries, type Entries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import { parseAnnotation } from './parse-annotations.ts'
import { parseConfig } from './parse-config.ts'
import { parseOutputs } from './parse-outputs.ts'
import { parseMountSource } from './parse-mount-source.ts'
import type { PublishRequest } from './request.ts'

export interface RequestFacts {
  /** SOURCE_DATE_EPOCH of the environment. */
  readonly sourceDateEpoch: string | undefined
  /** Directory that is written when nothing is pushed and no output is named. */
  readonly defaultLayout: string
  /** What is wrong with the rest of the request, to be told with what is wrong with this. */
  readonly problems?: readonly InputProblem[]
}

export interface ParsedRequest {
  /** What was understood; parts with problems are left out. */
  readonly request: PublishRequest
  readonly problems: readonly InputProblem[]
  readonly notices: readonly string[]
}

/** Reads a request, and finds every problem that can be seen without looking at files or registries. Touches nothing. */
export function parseRequest(values: FieldValues, facts: RequestFacts): ParsedRequest {
  const entries = readEntries(values)
  const problems: InputProblem[] = [...(facts.problems ?? [])]
  const { outputs, notices } = parseOutputs(entries, facts.defaultLayout, problems)
  const family = entries.choice('types', ['oci', 'docker'], problems)
  const compression = entries.choice('compression', ['gzip', 'zstd', 'none'], problems)
  const annotations = entries.of('annotations').flatMap(line => parseAnnotation(line, problems))
  if (family === 'docker') problems.push(...dockerProblems(compression, annotations.length > 0))
  const platforms = parsePlatforms(entries, problems)
  const index = entries.choice('index', ['auto', 'always', 'never'], problems)
  if (index === 'never' && platforms.length > 1) {
    problems.push({ input: 'index', problem: `"never", but ${platforms.length} platforms need an index` })
  }
  const request: PublishRequest = {
    outputs,
    platforms,
    base: parseBase(entries, problems),
    verifyBase: parseVerifyBase(entries, problems),
    layers: entries.of('layers').flatMap(line => parseLayer(line, problems)),
    context: entries.text('context') ?? '.',
    followLinks: entries.boolean('follow-links', problems),
    config: parseConfig(entries, problems),
    annotations,
    index,
    family,
    compression,
    compressionLevel: parseLevel(entries, compression, problems),
    mountFrom: entries.of('mount-from').flatMap(text => parseMountSource(text, problems)),
    onExistingTag:
      entries.text('on-existing-tag') === undefined
        ? 'overwrite'
        : entries.choice('on-existing-tag', ['overwrite', 'fail', 'skip'], problems),
    dryRun: entries.boolean('dry-run', problems),
    sourceDateEpoch: parseEpoch(entries, facts.sourceDateEpoch, problems),
  }
  if (request.layers.length === 0 && request.base === undefined && entries.of('layers').length === 0) {
    problems.push({ input: 'layers', problem: 'without layers and without a base-image there is nothing to publish' })
  }
  return { request, problems, notices }
}

function parsePlatforms(entries: Entries, problems: InputProblem[]): readonly Platform[] {
  const platforms = new Map<string, Platform>()
  for (const specifier of entries.of('platforms')) {
    try {
      const platform = parsePlatform(specifier)
      if (platform.os === 'windows') {
        const problem = `${specifier}: layers for Windows have another form, which this version does not write`
        problems.push({ input: 'platforms', problem })
      } else platforms.set(formatPlatform(platform), platform)
    } catch (error) {
      problems.push({ input: 'platforms', problem: messageOf(error) })
    }
  }
  return [...platforms.values()]
}

function parseBase(entries: Entries, problems: InputProblem[]): Reference | undefined {
  const text = entries.text('base-image')
  if (text === undefined || text === 'scratch') return undefined
  try {
    return parseReference(text)
  } catch (error) {
    problems.push({ input: 'base-image', problem: messageOf(error) })
    return undefined
  }
}

/** Whoever says whom to trust and builds on nothing has forgotten something. */
function parseVerifyBase(entries: Entries, problems: InputProblem[]): readonly VerifyPolicy[] {
  const lines = entries.of('verify-base')
  if (lines.length > 0 && [undefined, 'scratch'].includes(entries.text('base-image'))) {
    problems.push({ input: 'verify-base', problem: 'there is no base-image that could be signed' })
  }
  const { policies, problems: wrong } = parsePolicies(lines, 'verify-base')
  problems.push(...wrong)
  return policies
}

function parseLayer(line: string, problems: InputProblem[]): readonly LayerSpec[] {
  const parsed = parseLine(line)
  problems.push(...parsed.problems)
  return parsed.spec ? [parsed.spec] : []
}

function dockerProblems(compression: Compression, annotated: boolean): readonly InputProblem[] {
  const found: InputProblem[] = []
  if (compression !== 'gzip') {
    found.push({ input: 'compression', problem: `Docker's media types have no ${compression} layer; use "types: oci"` })
  }
  if (annotated) found.push({ input: 'annotations', problem: `Docker's manifests have none; use "types: oci"` })
  return found
}

const LEVELS: Readonly<Record<Compression, readonly [min: number, max: number]>> = {
  gzip: [1, 9],
  zstd: [1, 19],
  none: [0, 0],
}

function parseLevel(entries: Entries, compression: Compression, problems: InputProblem[]): number | undefined {
  const level = entries.number('compression-level', problems)
  if (level === undefined) return undefined
  const [min, max] = LEVELS[compression]
  if (level >= min && level <= max) return level
  const problem =
    compression === 'none' ? '"compression: none" has no level' : `${compression} has levels ${min} to ${max}`
  problems.push({ input: 'compression-level', problem })
  return undefined
}

/** Seconds since 1970 by the input, else by the environment (reproducible-builds.org, SOURCE_DATE_EPOCH). */
export function parseEpoch(
  entries: Entries,
  environment: string | undefined,
  problems: InputProblem[],
): number | undefined {
  const epoch = entries.number('source-date-epoch', problems)
  if (epoch !== undefined || environment === undefined || environment === '') return epoch
  if (/^\d{1,12}$/.test(environment)) return Number(environment)
  problems.push({ input: 'SOURCE_DATE_EPOCH', problem: `"${environment}" is not a number of seconds` })
  return undefined
}
