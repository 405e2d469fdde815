import { allOrErrors } from '../async/all-or-errors.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Output } from '../content/places.ts'
import type { Target } from '../content/ports.ts'
import type { BeforeTags } from '../content/untagged.ts'
import type { CopyResult } from '../copy/copy.ts'
import type { OnImageCopyEvent } from '../copy/event.ts'
import { tagsLeft } from '../copy/existing-tags.ts'
import { planCopy, type CopyStep } from '../copy/plan.ts'
import { planTags, tagsToMove, type TagStep } from '../copy/plan-tags.ts'
import { InputError, OciPublishError, type InputProblem } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { composeArtifact, type Artifact, type ArtifactParts } from './artifact.ts'
import { blobOfFile } from './file-blob.ts'
import { fileLayers } from './file-layers.ts'
import { lookForFiles, type FoundFile } from './find-files.ts'
import { limitProblems } from './limits.ts'
import { parseArtifact, type ArtifactWords, type ParsedArtifact } from './parse-artifact.ts'
import type { PresetRequest } from './presets/preset.ts'
import { contentOf, pushArtifact } from './push-artifact.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'

/** Everything the use case needs from outside. */
export interface ArtifactDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly openTarget: (output: Output) => Target
  /** Where archives wait to be pushed; removed by whoever made it. */
  readonly tempDir: string
  readonly onEvent: OnImageCopyEvent
  readonly beforeTags?: BeforeTags | undefined
}

/** What was published, and how it came to be at one target. */
interface PublishedTarget {
  readonly target: Pick<Target, 'place'>
  /** With the tags that point at the artifact now. */
  readonly output: Output
  /** Of a dry run, the steps that would be done. */
  readonly outcome:
    | { readonly result: CopyResult; readonly steps?: undefined }
    | { readonly steps: readonly CopyStep[]; readonly tagSteps: readonly TagStep[] }
}

export interface PublishedArtifact {
  readonly manifest: Descriptor
  /** What readers know it by: its artifact type, or the media type of its config. */
  readonly artifactType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly targets: readonly PublishedTarget[]
}

const UNKNOWN_CONFIG = 'application/vnd.unknown.config.v1+json'

/**
 * Publishes files as an artifact: to every target its blobs and its manifest, and only when all of it is everywhere the
 * tags. What a target has is not sent.
 *
 * @throws {InputError} with all problems of the request, before any work
 * @throws {OciPublishError} TAG_EXISTS, MANIFEST_TOO_LARGE, FILE_UNREADABLE, FILE_CHANGED
 * @throws {AggregateError} when several things failed; single failures as they are
 */
export async function publishArtifact(
  words: ArtifactWords,
  deps: ArtifactDeps,
  io: Abortable = {},
): Promise<PublishedArtifact> {
  const prepared = await prepare(words, deps, io)
  const opened = await allOrErrors(words.outputs.map(output => open(output, deps, io)))
  const { parts, artifact } = await make(prepared, io)
  const { descriptor } = artifact.manifest
  const places = opened.map(({ target, tags }) => ({ place: target.place, tags }))
  const left = tagsLeft(places, descriptor.digest, words.onExistingTag, text => {
    deps.onEvent({ type: 'notice', text })
  })
  const ready = opened.map((one, i) => without(one, left[i] ?? new Set()))
  const targets = words.dryRun
    ? await allOrErrors(ready.map((one, i) => planned(one, opened[i] ?? one, artifact, words, io)))
    : await send(ready, artifact, words, deps, io)
  const config = parts.config?.descriptor ?? artifact.blobs[0]?.descriptor
  if (!config) throw new TypeError('an artifact without a config') // it is always there
  return {
    manifest: descriptor,
    artifactType: descriptor.artifactType ?? config.mediaType,
    config,
    layers: parts.layers.map(layer => layer.descriptor),
    targets,
  }
}

/**
 * Does of `publishArtifact` what comes before any registry is asked.
 *
 * @throws {InputError} with all problems of the request
 */
export async function checkArtifact(
  words: ArtifactWords,
  deps: Pick<ArtifactDeps, 'tempDir'>,
  io: Abortable = {},
): Promise<void> {
  await prepare(words, deps, io)
}

interface Prepared extends ParsedArtifact {
  readonly words: ArtifactWords
  readonly config: FoundFile | undefined
  readonly request: PresetRequest
}

/** @throws {InputError} with all problems of the request */
async function prepare(
  words: ArtifactWords,
  { tempDir }: Pick<ArtifactDeps, 'tempDir'>,
  { signal }: Abortable,
): Promise<Prepared> {
  const parsed = parseArtifact(words)
  const { preset, annotations, metadata, created } = parsed
  const { context, followLinks, outputs } = words
  const found = await lookForFiles(words.files, { context, followLinks, words: preset?.words, signal })
  const problems: InputProblem[] = [...parsed.problems, ...found.problems.map(inFiles)]
  const config = words.config === undefined ? undefined : await configFile(words.config, words, problems)
  const request = { files: found.files, annotations, metadata, created, tempDir, signal }
  const plan = found.files.length > 0 ? await preset?.plan(request) : undefined
  const files = plan?.files ?? found.files
  problems.push(...(plan?.problems ?? []), ...limitProblems(files, outputs))
  if (problems.length > 0) throw new InputError(problems)
  return { ...parsed, words, config, request: { ...request, files } }
}

function inFiles(problem: string): InputProblem {
  return { input: 'files', problem }
}

async function configFile(
  text: string,
  { context, followLinks }: ArtifactWords,
  problems: InputProblem[],
): Promise<FoundFile | undefined> {
  const { files, problems: found } = await lookForFiles([text], { context, followLinks })
  problems.push(...found.map(problem => ({ input: 'config', problem })))
  const [file] = files
  if (file?.entries) problems.push({ input: 'config', problem: `${file.path} is a directory` })
  return file
}

interface OpenTarget {
  readonly output: Output
  readonly target: Target
  /** Where each tag points now. */
  readonly tags: ReadonlyMap<string, Digest | undefined>
}

/** The first contact: an unreachable registry or wrong credentials are found here, before gigabytes are read. */
async function open(output: Output, deps: ArtifactDeps, io: Abortable): Promise<OpenTarget> {
  const target = deps.openTarget(output)
  const tags = await Promise.all(
    output.tags.map(async tag => [tag, (await resolveIfThere(target, tag, io))?.digest] as const),
  )
  return { output, target, tags: new Map(tags) }
}

interface Made {
  readonly parts: ArtifactParts
  readonly artifact: Artifact
}

async function make({ words, preset, config, annotations, request }: Prepared, io: Abortable): Promise<Made> {
  const own = preset ? await preset.parts(request) : await plainParts(words, config, request, io)
  const parts: ArtifactParts = { ...own, annotations }
  const artifact = composeArtifact(parts)
  const { size } = artifact.manifest.descriptor
  if (size > MAX_MANIFEST_BYTES) {
    const message = `a manifest of ${parts.layers.length} layers has ${size} bytes; registries take ${MAX_MANIFEST_BYTES}`
    const hint = 'put files into directories, which are one layer each, or publish several artifacts'
    throw new OciPublishError('MANIFEST_TOO_LARGE', message, { hint })
  }
  return { parts, artifact }
}

async function plainParts(
  { artifactType }: ArtifactWords,
  config: FoundFile | undefined,
  { files, tempDir }: PresetRequest,
  io: Abortable,
): Promise<ArtifactParts> {
  const mediaType = config?.mediaType ?? UNKNOWN_CONFIG
  return {
    artifactType,
    config: config && (await blobOfFile(config, { mediaType, ...io })),
    layers: await fileLayers(files, { tempDir, ...io }),
  }
}

function without(one: OpenTarget, left: ReadonlySet<string>): OpenTarget {
  const { output, tags } = one
  return {
    ...one,
    output: { ...output, tags: output.tags.filter(tag => !left.has(tag)) },
    tags: new Map([...tags].filter(([tag]) => !left.has(tag))),
  }
}

/** What `send` would do: the same plans, carried out by nobody. @param asked with the tags that stay where they are too */
async function planned(
  { target, output }: OpenTarget,
  asked: OpenTarget,
  artifact: Artifact,
  { onExistingTag }: ArtifactWords,
  io: Abortable,
): Promise<PublishedTarget> {
  const { descriptor } = artifact.manifest
  const steps = await planCopy(contentOf(artifact), descriptor, target, io)
  return { target, output, outcome: { steps, tagSteps: planTags(descriptor.digest, asked.tags, onExistingTag) } }
}

async function send(
  targets: readonly OpenTarget[],
  artifact: Artifact,
  { onExistingTag }: ArtifactWords,
  { onEvent, beforeTags }: ArtifactDeps,
  io: Abortable,
): Promise<readonly PublishedTarget[]> {
  const { digest } = artifact.manifest.descriptor
  onEvent({ type: 'step', step: 'push', text: `Content of ${digest}` })
  const sent = await allOrErrors(
    targets.map(async ({ target, output, tags }) => {
      const result = await pushArtifact(target, artifact, {
        onEvent: event => {
          onEvent({ ...event, place: target.place })
        },
        ...io,
      })
      return { target, output, tags, result }
    }),
  )
  await beforeTags?.({ root: artifact.manifest.descriptor, platforms: [], places: sent }, io)
  onEvent({ type: 'step', step: 'tags', text: 'Tags' })
  return allOrErrors(
    sent.map(async ({ target, output, tags, result }) => {
      const moving = tagsToMove(planTags(digest, tags, onExistingTag))
      // Without a name too: a layout lists what it holds, a registry has nothing to do.
      if (moving.length > 0 || tags.size === 0) await target.tag(artifact.manifest, moving, io)
      await target.close?.(io)
      onEvent({ type: 'tagged', place: target.place, tags: output.tags })
      return { target, output, outcome: { result } }
    }),
  )
}
