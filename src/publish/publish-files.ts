import { TITLE } from '../artifact/artifact.ts'
import { checkArtifact, publishArtifact, type PublishedArtifact } from '../artifact/publish-artifact.ts'
import type { Abortable } from '../async/abortable.ts'
import { namesOf } from '../content/names.ts'
import { targetReport } from '../copy/target-report.ts'
import { InputError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { PublishDeps } from './deps.ts'
import type { FieldName } from './fields.ts'
import type { ParsedFiles } from './parse-files.ts'
import type { PublishOptions } from './publish.ts'
import type { FileReport, PublishReport } from './report.ts'

/**
 * Publishes `files` as an artifact to the same places, under the same tags as an image.
 *
 * @throws {InputError} with all problems of the request, before any work
 */
export async function publishFiles(
  { words, problems, notices }: ParsedFiles,
  deps: PublishDeps,
  { beforeTags, ...io }: PublishOptions,
): Promise<PublishReport> {
  for (const text of notices) deps.onEvent({ type: 'notice', text })
  deps.onEvent({ type: 'step', step: 'layers', text: 'Files' })
  const published = publishArtifact({ ...words, problems }, { ...deps, beforeTags }, io)
  return reportOf(await published.catch(inInputs), words.dryRun)
}

/**
 * Looks at the files, and no further.
 *
 * @throws {InputError} with all problems, those that were known before among them
 */
export async function checkFiles({ words, problems }: ParsedFiles, deps: PublishDeps, io: Abortable): Promise<void> {
  await checkArtifact({ ...words, problems }, deps, io).catch(inInputs)
}

/** Inputs of the action that have longer names than the command line's. */
const INPUTS: ReadonlyMap<string, string> = new Map<string, FieldName>([
  ['type', 'artifact-preset'],
  ['config', 'artifact-config'],
  ['model', 'artifact-model'],
])

function inInputs(error: unknown): never {
  if (!(error instanceof InputError)) throw error
  throw new InputError(error.problems.map(one => ({ ...one, input: INPUTS.get(one.input) ?? one.input })))
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
