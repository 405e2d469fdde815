import type { Output } from '../content/places.ts'
import type { OnExistingTag } from '../copy/plan-tags.ts'
import type { InputProblem } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { isMediaType } from './parse-file.ts'
import { PRESETS } from './presets/by-name.ts'
import type { Preset } from './presets/preset.ts'

/** What an artifact is asked for with, as far as possible as it was typed. */
export interface ArtifactWords {
  readonly outputs: readonly Output[]
  /** `PATH[:MEDIA-TYPE]`, relative to `context`. */
  readonly files: readonly string[]
  /** Name of a known kind of artifact. */
  readonly preset?: string | undefined
  readonly artifactType?: string | undefined
  /** `PATH[:MEDIA-TYPE]` of a config of its own. */
  readonly config?: string | undefined
  /** `KEY=VALUE`. */
  readonly annotations?: readonly string[] | undefined
  /** `KEY=VALUE`, for the config of a preset that takes it. */
  readonly metadata?: readonly string[] | undefined
  readonly context: string
  /** Take files behind symlinks that lead out of the context. */
  readonly followLinks?: boolean | undefined
  readonly onExistingTag: OnExistingTag
  readonly dryRun: boolean
  /** Seconds since 1970, where the user says when it was made. */
  readonly sourceDateEpoch?: number | undefined
  /** What is wrong with the request as far as it has been read elsewhere. */
  readonly problems?: readonly InputProblem[] | undefined
}

export interface ParsedArtifact {
  readonly preset: Preset | undefined
  readonly annotations: Annotations
  readonly metadata: ReadonlyMap<string, string>
  /** RFC 3339. */
  readonly created: string | undefined
  readonly problems: readonly InputProblem[]
}

const CREATED = 'org.opencontainers.image.created'

/** Reads the words, and finds every problem that can be seen without looking at files. Touches nothing. */
export function parseArtifact(words: ArtifactWords): ParsedArtifact {
  const { preset: name, artifactType, config, files, sourceDateEpoch } = words
  const problems: InputProblem[] = [...(words.problems ?? [])]
  const preset = name === undefined ? undefined : PRESETS.get(name)
  if (name !== undefined && !preset) {
    problems.push({ input: 'type', problem: `"${name}" is not one of ${[...PRESETS.keys()].join(', ')}` })
  }
  if (artifactType !== undefined && !isMediaType(artifactType)) {
    const problem = `"${artifactType}" is not a media type such as application/vnd.example.thing.v1+json`
    problems.push({ input: 'artifact-type', problem })
  }
  if (preset) {
    const own = [...(artifactType === undefined ? [] : ['artifact-type']), ...(config === undefined ? [] : ['config'])]
    for (const input of own) problems.push({ input, problem: `type ${name} has one of its own` })
  }
  if (files.length === 0) problems.push({ input: 'files', problem: 'there is none; name a file or a directory' })
  const metadata = new Map(pairs('model', words.metadata ?? [], problems))
  if (metadata.size > 0 && preset?.takesMetadata !== true) {
    problems.push({ input: 'model', problem: 'there is no model; it goes with type modelpack' })
  }
  const created = sourceDateEpoch === undefined ? undefined : rfc3339(sourceDateEpoch)
  const annotations = {
    ...(created !== undefined && { [CREATED]: created }),
    ...Object.fromEntries(pairs('annotations', words.annotations ?? [], problems)),
  }
  return { preset, annotations, metadata, created, problems }
}

function pairs(
  input: string,
  texts: readonly string[],
  problems: InputProblem[],
): readonly (readonly [key: string, value: string])[] {
  return texts.flatMap(text => {
    const equals = text.indexOf('=')
    if (equals > 0) return [[text.slice(0, equals), text.slice(equals + 1)] as const]
    problems.push({ input, problem: `"${text}" is not KEY=VALUE` })
    return []
  })
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
