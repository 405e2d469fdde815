import { resolve } from 'node:path'
import { isRepositoryPart } from '../artifact/helm/check-metadata.ts'
import type { ChartRequest } from '../artifact/helm/publish-chart.ts'
import type { ValueChange } from '../artifact/helm/values.ts'
import type { Output } from '../content/places.ts'
import { InputError, type InputProblem } from '../errors.ts'
import { readEntries, type Entries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import { parseOutputs } from './parse-outputs.ts'
import { parseEpoch, type RequestFacts } from './parse-request.ts'
import { withoutTrailing } from '../trim.ts'

/** The image of the same run, for a chart that installs it. */
export interface ImageNames {
  /** undefined where it has none. */
  readonly tag: string | undefined
  readonly digest: string
  readonly repository: string
}

export interface ParsedChart {
  /**
   * @param image undefined where none is published
   * @throws {InputError} where the image has not what the chart wants of it
   */
  readonly requestFor: (image: ImageNames | undefined) => ChartRequest
  /** Whether what the chart holds is only known when the image is. */
  readonly needsImage: boolean
  readonly problems: readonly InputProblem[]
  readonly notices: readonly string[]
}

const CHOICES = ['off', 'build', 'update'] as const
const FROM_IMAGE: ReadonlyMap<string, string> = new Map([
  ['image-tag', '{tag}'],
  ['image-digest', '{digest}'],
])

/**
 * Reads what is asked for a chart, and finds every problem that can be seen without looking at it. Touches nothing.
 *
 * @param withImage whether an image is published in the same run: its tags and its repositories are not the chart's
 */
export function parseChart(values: FieldValues, facts: RequestFacts, withImage: boolean): ParsedChart {
  const entries = readEntries(values)
  const problems: InputProblem[] = []
  const outputsFor = (name: string, found: InputProblem[]): Parsed => chartOutputs(values, facts, name, found)
  const { notices } = outputsFor('chart', problems)
  if (withImage) refuseArchives(entries, problems)
  else refuseTags(entries, problems)
  const typed = entries.text('chart-app-version')
  const appVersion = typed === undefined ? undefined : (FROM_IMAGE.get(typed) ?? typed)
  const changes = entries.pairs('chart-values', problems)
  const context = entries.text('context') ?? '.'
  const key = entries.document('chart-sign-key').trim()
  const passphrase = entries.document('chart-sign-passphrase')
  if (passphrase !== '' && key === '') {
    problems.push({ input: 'chart-sign-passphrase', problem: 'there is no chart-sign-key that it could be of' })
  }
  const request = {
    path: resolve(context, entries.text('chart') ?? '.'),
    context,
    followLinks: entries.boolean('follow-links', withImage ? [] : problems),
    onExistingTag:
      entries.text('on-existing-tag') === undefined
        ? 'fail'
        : entries.choice('on-existing-tag', ['overwrite', 'fail', 'skip'], problems),
    dependencies: entries.choice('chart-dependencies', CHOICES, problems),
    signingKey: key === '' ? undefined : { text: key, passphrase: passphrase === '' ? undefined : passphrase },
    sourceDateEpoch: parseEpoch(entries, facts.sourceDateEpoch, problems),
    dryRun: entries.boolean('dry-run', problems),
  } as const
  const read = {
    version: entries.text('chart-version'),
    strict: entries.boolean('chart-strict', problems),
    allowLargeFiles: entries.boolean('chart-large-files', problems),
  }
  const filled = (image: ImageNames | undefined, found: InputProblem[]): Pick<ChartRequest, 'read' | 'values'> => ({
    read: {
      ...read,
      appVersion: appVersion === undefined ? undefined : fill(appVersion, 'chart-app-version', image, found),
    },
    values: changes.map(([path, value]): ValueChange => ({ path, value: fill(value, 'chart-values', image, found) })),
  })
  const ofImage: InputProblem[] = []
  filled(undefined, ofImage)
  if (!withImage) problems.push(...ofImage)
  return {
    requestFor(image) {
      const found: InputProblem[] = []
      const parts = filled(image, found)
      refuse(found)
      return {
        ...{ ...request, ...parts },
        outputsFor(name) {
          const wrong: InputProblem[] = []
          const { outputs } = outputsFor(name, wrong)
          refuse(wrong)
          return outputs
        },
      }
    },
    needsImage: ofImage.length > 0,
    problems,
    notices,
  }
}

function refuse(problems: readonly InputProblem[]): void {
  if (problems.length > 0) throw new InputError(problems)
}

const UNKNOWN_IMAGE = 'no image is published in this run: give layers or a base-image, or a text without {}'

/** A text with what the image is called in place of `{tag}`, `{digest}` and `{repository}`. */
function fill(text: string, input: string, image: ImageNames | undefined, problems: InputProblem[]): string {
  const names: Readonly<Record<string, string | undefined>> = { ...image }
  return text.replace(/\{(tag|digest|repository)\}/g, (word, name: string) => {
    const value = names[name]
    if (value !== undefined) return value
    problems.push({ input, problem: image ? `${word}: the image has no tag` : `${word}: ${UNKNOWN_IMAGE}` })
    return word
  })
}

interface Parsed {
  readonly outputs: readonly Output[]
  readonly notices: readonly string[]
}

/** Where a chart of a name goes, read like the outputs of an image in repositories of its own. */
function chartOutputs(values: FieldValues, facts: RequestFacts, name: string, problems: InputProblem[]): Parsed {
  const entries = readEntries(values)
  const exact = entries.of('chart-repository').map(withoutScheme)
  const below = entries.of('images').map(image => `${withoutTag(withoutScheme(image))}/${name}`)
  const images = exact.length > 0 ? exact : below
  if (exact.length === 0 && below.length > 0 && !isRepositoryPart(name)) {
    // "c:d" would be the tag "d", "C" the repository "c": somebody else's, perhaps.
    problems.push({
      input: 'chart',
      problem: `its name ${JSON.stringify(name)} cannot be part of a repository: only a-z, 0-9 and single . _ or - between them can`,
      hint: 'rename the chart (helm does not push it either), or name the whole repository with chart-repository',
    })
    return { outputs: [], notices: [] }
  }
  const found: InputProblem[] = []
  const parsed = parseOutputs(readEntries({ ...values, images, tags: [] }), facts.defaultLayout, found)
  const input = exact.length > 0 ? 'chart-repository' : 'images'
  problems.push(...found.map(one => (one.input === 'images' ? { ...one, input } : one)))
  for (const { image } of parsed.outputs.filter(output => output.kind === 'registry')) {
    if (image.host === 'docker.io' && image.repository.split('/').length > 2) {
      const problem = `docker.io/${image.repository}: repositories of Docker Hub have two parts, no more`
      problems.push({ input, problem, hint: 'name the whole repository with chart-repository' })
    }
  }
  return {
    outputs: parsed.outputs.map(output => ({ ...output, tags: [] })),
    notices: exact.length > 0 ? parsed.notices : [], // of images they are told with the image, or name the chart
  }
}

/** As helm writes it. */
function withoutScheme(text: string): string {
  return withoutTrailing(text.replace(/^oci:\/\//, ''), '/')
}

function withoutTag(text: string): string {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1)
  return text.includes('/') && colon >= 0 ? text.slice(0, colon) : text
}

function refuseTags(entries: Entries, problems: InputProblem[]): void {
  const tagged = entries.of('images').filter(image => withoutTag(image) !== image)
  const hint = 'take it away, or set chart-version'
  for (const image of tagged) {
    problems.push({ input: 'images', problem: `"${image}" has a tag; that of a chart is its version`, hint })
  }
  if (entries.of('tags').length > 0) {
    problems.push({
      input: 'tags',
      problem: 'the tag of a chart is its version',
      hint: 'take them away, or set chart-version',
    })
  }
}

/** An archive is written whole, so the chart would take the place of the image. */
function refuseArchives(entries: Entries, problems: InputProblem[]): void {
  const { outputs } = parseOutputs(entries, '', [])
  for (const output of outputs) {
    if (output.kind !== 'oci-archive') continue
    const problem = `${output.path}: an archive does not hold both the image and the chart`
    problems.push({ input: 'outputs', problem, hint: 'write a folder: type=oci,dest=DIR' })
  }
}
