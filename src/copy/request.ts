import type { Output } from '../content/places.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parsePlatform, type Platform } from '../oci/platform.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { isTag, tagProblem } from '../oci/tag.ts'

/** What is to be copied, and where to. */
export interface CopyRequest {
  readonly from: Reference
  /** With no tag, or the one that moves there. */
  readonly to: Output
  /** What the user says that arrives there. */
  readonly expects: Digest | undefined
  /** Only these; none: everything. */
  readonly platforms: readonly Platform[]
  /** Whether what refers to it comes along. */
  readonly referrers: boolean
  readonly dryRun: boolean
}

/** As they were typed. */
export interface CopyWords {
  readonly from: string
  readonly to: string
  readonly platforms: readonly string[]
  readonly referrers?: boolean | undefined
  readonly dryRun: boolean
}

/**
 * Reads what is to be copied. A target without a tag takes that of the source; one with a digest alone gets none.
 *
 * @throws {InputError} with every problem
 */
export function parseCopy({
  from: fromText,
  to: toText,
  platforms: specifiers,
  referrers = false,
  dryRun,
}: CopyWords): CopyRequest {
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const from = attempt('FROM', () => parseReference(fromText))
  const to = attempt('TO', () => parseReference(toText))
  const platforms = specifiers.map(specifier => attempt('platforms', () => parsePlatform(specifier)))
  const tags = from && to ? tagsFor(from, to, problems) : []
  if (!from || !to || problems.length > 0) throw new InputError(problems)
  return {
    from,
    to: outputOf(from, to, tags),
    expects: digestIn(to),
    platforms: platforms.filter(platform => platform !== undefined),
    referrers,
    dryRun,
  }
}

function outputOf(from: Reference, to: Reference, tags: readonly string[]): Output {
  if (to.kind === 'registry') {
    const { kind, host, repository } = to
    return { kind, image: { kind, host, repository }, tags }
  }
  const images = from.kind === 'registry' ? [{ kind: from.kind, host: from.host, repository: from.repository }] : []
  return { kind: to.kind, path: to.path, tags, images }
}

function tagsFor(from: Reference, to: Reference, problems: InputProblem[]): readonly string[] {
  const given = tagIn(to)
  if (given !== undefined) return [given]
  if (digestIn(to) !== undefined) return []
  const taken = tagIn(from) ?? (from.kind === 'registry' && from.digest === undefined ? 'latest' : undefined)
  if (taken === undefined) return []
  if (to.kind === 'registry' && !isTag(taken)) {
    problems.push({ input: 'TO', problem: tagProblem(taken), hint: 'give TO a tag of its own' })
  }
  return [taken]
}

function tagIn(reference: Reference): string | undefined {
  if (reference.kind === 'registry') return reference.tag
  return reference.name === undefined || isDigest(reference.name) ? undefined : reference.name
}

function digestIn(reference: Reference): Digest | undefined {
  if (reference.kind === 'registry') return reference.digest
  return reference.name !== undefined && isDigest(reference.name) ? reference.name : undefined
}
