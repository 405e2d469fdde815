import type { Attached } from '../artifact/attach.ts'
import type { AttachWords } from '../artifact/attach-request.ts'
import { parseFile } from '../artifact/parse-file.ts'
import type { Abortable } from '../async/abortable.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { formatPlatform } from '../oci/platform.ts'
import { parseReference } from '../oci/reference.ts'
import type { PublishDeps } from './deps.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import type { AttachedReport, PublishReport } from './report.ts'

/** What is to hang on the platforms of an image when it is there. */
export interface Attachments {
  /** One artifact each: files of several kinds are looked for by several types. */
  readonly files: readonly AttachWords[]
  readonly sbom: boolean
  readonly problems: readonly InputProblem[]
}

/** Reads what the inputs say; of files, what is wrong is found out by `attachmentProblems`. */
export function attachmentsOf(values: FieldValues): Attachments {
  const entries = readEntries(values)
  const context = entries.text('context') ?? '.'
  const problems: InputProblem[] = []
  const files = entries.of('attach').map(text => wordsOf(text, context))
  return { files, sbom: entries.boolean('sbom', problems), problems }
}

function wordsOf(text: string, context: string): AttachWords {
  return {
    subject: 'localhost/not-yet-known',
    files: [text],
    // A text that is wrong is told with the files.
    artifactType: attemptsInto([])('attach', () => parseFile(text).mediaType),
    platforms: ['all'],
    annotations: [],
    context,
  }
}

/** Told where something else than an image is published: only images have platforms. */
export function withoutImage({ files, sbom, problems }: Attachments): readonly InputProblem[] {
  const problem = 'is for images; attach to what was published with "oci-publish attach"'
  return [
    ...problems,
    ...(files.length > 0 ? [{ input: 'attach', problem }] : []),
    ...(sbom ? [{ input: 'sbom', problem }] : []),
  ]
}

/** What is wrong with the files, before anything is published. */
export async function attachmentProblems(
  { files, problems: known }: Attachments,
  deps: PublishDeps,
  io: Abortable,
): Promise<readonly InputProblem[]> {
  if (files.length === 0) return known
  const { checkAttach } = await import('../artifact/attach.ts') // loaded when it is needed, as charts are
  const problems: InputProblem[] = [...known]
  for (const words of files) {
    try {
      await checkAttach(words, deps, io)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems.map(one => ({ ...one, input: 'attach' })))
    }
  }
  return problems
}

/**
 * Attaches to every platform of what was published, wherever it was published to. What is attached already is left.
 *
 * @throws {InputError}, {OciPublishError} as `attachArtifact` and `attachSboms` do
 */
export async function attachEverywhere(
  { files, sbom }: Attachments,
  { digest, targets, dryRun }: PublishReport,
  deps: PublishDeps,
  io: Abortable,
): Promise<readonly AttachedReport[]> {
  if (dryRun) return []
  const attached: AttachedReport[] = []
  const tell = ({ place, artifactType, attachments }: Attached): void => {
    for (const { subject, platform, manifest } of attachments) {
      const of = platform && { platform: formatPlatform(platform) }
      attached.push({ ref: `${place}@${manifest.digest}`, artifactType, subject: subject.digest, ...of })
    }
  }
  for (const { place } of targets) {
    if (place.startsWith('oci-archive:')) {
      deps.onEvent({ type: 'notice', text: `nothing is attached in ${place}: nothing can be added to an archive` })
      continue
    }
    const subject = `${place}@${digest}`
    for (const words of files) {
      const { attachArtifact } = await import('../artifact/attach.ts')
      tell(await attachArtifact({ ...words, subject }, deps, io))
    }
    if (sbom) {
      const { attachSboms } = await import('../artifact/sbom/generate-sbom.ts')
      tell(await attachSboms(parseReference(subject), deps, { toolVersion: deps.version, ...io }))
    }
  }
  return attached
}
