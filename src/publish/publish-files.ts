import { TITLE } from '../artifact/artifact.ts'
import { publishArtifact, type PublishedArtifact } from '../artifact/publish-artifact.ts'
import { namesOf } from '../content/names.ts'
import { targetReport } from '../copy/target-report.ts'
import { InputError, type InputProblem } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { PublishDeps } from './deps.ts'
import { readEntries, type Entries } from './entries.ts'
import type { FieldName, FieldValues } from './fields.ts'
import { parseAnnotation } from './parse-annotations.ts'
import { parseOutputs } from './parse-outputs.ts'
import { parseEpoch } from './parse-request.ts'
import type { PublishOptions } from './publish.ts'
import type { FileReport, PublishReport } from './report.ts'

/**
 * Publishes `files` as an artifact to the same places, under the same tags as an image.
 *
 * @throws {InputError} with all problems of the request, before any work
 */
export async function publishFiles(
  values: FieldValues,
  deps: PublishDeps,
  { beforeTags, ...io }: PublishOptions,
): Promise<PublishReport> {
  const entries = readEntries(values)
  const problems: InputProblem[] = [...imageProblems(entries)]
  const { outputs, notices } = parseOutputs(entries, deps.facts.defaultLayout, problems)
  const dryRun = entries.boolean('dry-run', problems)
  const onExistingTag =
    entries.text('on-existing-tag') === undefined
      ? 'overwrite'
      : entries.choice('on-existing-tag', ['overwrite', 'fail', 'skip'], problems)
  const words = {
    outputs,
    files: entries.of('files'),
    preset: entries.text('artifact-preset'),
    artifactType: entries.text('artifact-type'),
    config: entries.text('artifact-config'),
    metadata: entries.of('artifact-model'),
    annotations: entries.of('annotations').flatMap(line => annotationOf(line, problems)),
    context: entries.text('context') ?? '.',
    onExistingTag,
    dryRun,
    sourceDateEpoch: parseEpoch(entries, deps.facts.sourceDateEpoch, problems),
  }
  for (const text of notices) deps.onEvent({ type: 'notice', text })
  deps.onEvent({ type: 'step', step: 'layers', text: 'Files' })
  try {
    return reportOf(await publishArtifact({ ...words, problems }, { ...deps, beforeTags }, io), dryRun)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.problems.map(one => ({ ...one, input: INPUTS.get(one.input) ?? one.input })))
  }
}

/** Inputs of the action that have longer names than the command line's. */
const INPUTS: ReadonlyMap<string, string> = new Map<string, FieldName>([
  ['type', 'artifact-preset'],
  ['config', 'artifact-config'],
  ['model', 'artifact-model'],
])

/** What makes an image, and would be passed over. */
function imageProblems(entries: Entries): readonly InputProblem[] {
  const problems: InputProblem[] = []
  const base = entries.text('base-image')
  if (base !== undefined && base !== 'scratch') problems.push(ofImages('base-image'))
  if (entries.text('types') === 'docker') {
    problems.push({ input: 'types', problem: "artifacts have OCI's types only" })
  }
  for (const name of ['layers', 'entrypoint', 'cmd', 'envs', 'labels', 'healthcheck', 'chart'] as const) {
    if (entries.of(name).length > 0) problems.push(ofImages(name))
  }
  return problems
}

function ofImages(input: FieldName): InputProblem {
  return { input, problem: 'files make an artifact, which has none; publish them in a step of their own' }
}

/** An artifact is one manifest: what is said of other levels or platforms has no place. */
function annotationOf(line: string, problems: InputProblem[]): readonly string[] {
  return parseAnnotation(line, problems).flatMap(({ levels, platform, key, value }) => {
    if (levels.includes('manifest') && platform === undefined) return [`${key}=${value}`]
    problems.push({ input: 'annotations', problem: `"${line}": an artifact is one manifest, without platforms` })
    return []
  })
}

function reportOf(published: PublishedArtifact, dryRun: boolean): PublishReport {
  const { manifest, artifactType, config, layers, targets } = published
  const { digest, mediaType, size } = manifest
  const names = targets.flatMap(({ output }) => namesOf(output))
  return {
    digest,
    mediaType,
    size,
    artifactType,
    refs: names.map(({ ref }) => `${ref}@${digest}`),
    tags: names.filter(({ tagged }) => tagged).map(({ ref }) => ref),
    imageid: config.digest,
    base: undefined,
    platforms: [],
    layers: layers.map(fileReport),
    targets: targets.map(({ target, output, outcome }) => targetReport(target.place, output.tags, outcome)),
    dryRun,
  }
}

function fileReport({ digest, mediaType, size, annotations }: Descriptor): FileReport {
  const title = annotations?.[TITLE]
  return { ...(title !== undefined && { title }), digest, mediaType, size }
}
