import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { parsePlatform } from '../oci/platform.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { findFiles, type FoundFile } from './find-files.ts'
import type { Choice } from './members.ts'
import { isMediaType } from './parse-file.ts'
import { sbomTypeOf } from './sbom-type.ts'

/** As they were typed. */
export interface AttachWords {
  readonly subject: string
  /** `PATH[:MEDIA-TYPE]`, relative to `context`. */
  readonly files: readonly string[]
  readonly artifactType: string | undefined
  /** `all`, `index`, or platforms. */
  readonly platforms: readonly string[]
  /** `KEY=VALUE`. */
  readonly annotations: readonly string[]
  readonly context: string
  /** What is wrong with the request as far as it has been read elsewhere. */
  readonly problems?: readonly InputProblem[] | undefined
  /** Take files behind symlinks that lead out of the context. */
  readonly followLinks?: boolean | undefined
}

export interface AttachRequest {
  readonly subject: Reference
  readonly files: readonly FoundFile[]
  readonly artifactType: string
  readonly choices: readonly Choice[]
  readonly annotations: Annotations
}

/**
 * Reads what is to be attached, and looks for its files.
 *
 * @throws {InputError} with every problem
 */
export async function parseAttach(words: AttachWords): Promise<AttachRequest> {
  const problems: InputProblem[] = [...(words.problems ?? [])]
  const attempt = attemptsInto(problems)
  const subject = attempt('subject', () => parseReference(words.subject))
  if (subject?.kind === 'oci-archive') {
    const hint = 'copy it to a layout in a directory (oci:DIR), attach there, and copy it back'
    problems.push({ input: 'subject', problem: `nothing can be added to the archive ${subject.path}`, hint })
  }
  const choices = words.platforms.map(text => attempt('platforms', () => parseChoice(text)))
  const annotations = words.annotations.map(text => attempt('annotations', () => parseAnnotation(text)))
  if (words.files.length === 0 && words.annotations.length === 0) {
    problems.push({ input: 'files', problem: 'there is nothing to attach: name a file, or give an annotation' })
  }
  const artifactType = attempt('artifact-type', () => parseType(words))
  let files: readonly FoundFile[] = []
  try {
    files = await findFiles(words.files, words)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    problems.push(...error.problems)
  }
  if (!subject || artifactType === undefined || problems.length > 0) throw new InputError(problems)
  return {
    subject,
    files,
    artifactType,
    choices: choices.filter(choice => choice !== undefined),
    annotations: Object.fromEntries(annotations.filter(one => one !== undefined)),
  }
}

function parseChoice(text: string): Choice {
  return text === 'all' || text === 'index' ? text : parsePlatform(text)
}

function parseAnnotation(text: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new Error(`"${text}" is not KEY=VALUE`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

/** Others look for what is attached by its type: it is given, or it is that of the SBOMs that the files are. */
function parseType({ artifactType, files }: AttachWords): string {
  if (artifactType !== undefined) {
    if (isMediaType(artifactType)) return artifactType
    throw new Error(`"${artifactType}" is not a media type such as application/spdx+json`)
  }
  const [type, ...others] = new Set(files.map(sbomTypeOf))
  if (type !== undefined && others.length === 0) return type
  throw new Error('say what it is that is attached, such as application/spdx+json: readers look for it by that')
}
