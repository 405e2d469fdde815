import type { AttachParts, Attachment } from '../artifact/attach.ts'
import type { AttachWords } from '../artifact/attach-request.ts'
import { parseFile } from '../artifact/parse-file.ts'
import type { Sbom } from '../artifact/sbom/generate-sbom.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Output } from '../content/places.ts'
import type { Untagged } from '../content/untagged.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import type { SourceOptions } from '../files/source-path.ts'
import { formatPlatform } from '../oci/platform.ts'
import type { Reference } from '../oci/reference.ts'
import type { PublishDeps } from './deps.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import type { AttachedReport } from './report.ts'

/** What is to hang on the platforms of an image when it is there. */
export interface Attachments {
  /** One artifact each: files of several kinds are looked for by several types. */
  readonly files: readonly AttachWords[]
  readonly sbom: boolean
  readonly problems: readonly InputProblem[]
}

/** Reads what the inputs say; of files, what is wrong is found out by `readyAttachments`. */
export function attachmentsOf(values: FieldValues): Attachments {
  const entries = readEntries(values)
  const context = entries.text('context') ?? '.'
  const problems: InputProblem[] = []
  const followLinks = entries.boolean('follow-links', [])
  const files = entries.of('attach').map(text => wordsOf(text, { context, followLinks }))
  return { files, sbom: entries.boolean('sbom', problems), problems }
}

function wordsOf(text: string, sources: SourceOptions): AttachWords {
  return {
    subject: 'localhost/not-yet-known',
    files: [text],
    // A text that is wrong is told with the files.
    artifactType: attemptsInto([])('attach', () => parseFile(text).mediaType),
    platforms: ['all'],
    annotations: [],
    ...sources,
  }
}

/** What is to be attached, with the files as they were when the run began. */
export interface ReadyAttachments {
  readonly parts: readonly AttachParts[]
  readonly sbom: boolean
}

/**
 * Reads the files, before anything is published.
 *
 * @throws {InputError} with all that is wrong with them
 */
export async function readyAttachments(
  { files, sbom, problems: known }: Attachments,
  deps: PublishDeps,
  io: Abortable,
): Promise<ReadyAttachments> {
  const problems: InputProblem[] = [...known]
  const parts: AttachParts[] = []
  for (const words of files) {
    const { attachParts, checkAttach } = await import('../artifact/attach.ts') // loaded when it is needed, as charts are
    try {
      parts.push(await attachParts(await checkAttach(words, deps, io), deps, io))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems.map(one => ({ ...one, input: 'attach' })))
    }
  }
  if (problems.length > 0) throw new InputError(problems)
  return { parts, sbom }
}

/** What hangs on the platforms, and the SBOMs that were made of them. */
export interface AttachedEverywhere {
  readonly attached: readonly AttachedReport[]
  readonly sboms: readonly Sbom[]
}

/**
 * Attaches to every platform of what is published, wherever it is published to. What is attached already is left.
 *
 * @throws {OciPublishError} as `attachTo` and `sbomsOf` do
 */
export async function attachEverywhere(
  { parts, sbom }: ReadyAttachments,
  { platforms, places }: Untagged,
  deps: PublishDeps,
  io: Abortable,
): Promise<AttachedEverywhere> {
  const [first] = places
  if ((parts.length === 0 && !sbom) || !first) return { attached: [], sboms: [] }
  const { attachTo } = await import('../artifact/attach.ts')
  const { attachSbomsTo, sbomsOf } = await import('../artifact/sbom/generate-sbom.ts')
  // Made once, and named after the first place, so that they are the same everywhere.
  const from = { reference: referenceOf(first.output), source: first.target }
  const sboms = sbom ? await sbomsOf(platforms, from, deps, { toolVersion: deps.version, ...io }) : []
  const attached: AttachedReport[] = []
  for (const { target } of places) {
    const tell = (attachments: readonly Attachment[]): void => {
      for (const { subject, platform, manifest } of attachments) {
        const of = platform && { platform: formatPlatform(platform) }
        const { artifactType = '', digest } = manifest
        attached.push({ ref: `${target.place}@${digest}`, artifactType, subject: subject.digest, ...of })
      }
    }
    for (const one of parts) tell(await attachTo(target, platforms, one, io))
    tell(await attachSbomsTo(target, sboms, deps, io))
  }
  return { attached, sboms }
}

function referenceOf(output: Output): Reference {
  return output.kind === 'registry' ? output.image : { kind: output.kind, path: output.path }
}
