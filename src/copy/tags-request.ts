import type { Output } from '../content/places.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { parsePlatform, type Platform } from '../oci/platform.ts'
import { formatReference, parseReference, type Reference, type RegistryReference } from '../oci/reference.ts'
import { patternProblem } from './tag-pattern.ts'

/** Which tags of a repository are to be copied, and where to. */
export interface TagsRequest {
  /** A repository or a layout, without a name in it. */
  readonly from: Reference
  /** Without tags: each image keeps its own. */
  readonly to: Output
  /** Patterns; none: every tag. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Only these; none: everything. */
  readonly platforms: readonly Platform[]
  /** Whether what refers to them comes along. */
  readonly referrers: boolean
  readonly dryRun: boolean
}

/** As they were typed. */
export interface TagsWords {
  readonly from: string
  readonly to: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly platforms: readonly string[]
  readonly referrers: boolean
  readonly dryRun: boolean
}

/** @throws {InputError} with every problem */
export function parseCopyTags({ from: fromText, to: toText, platforms: specifiers, ...words }: TagsWords): TagsRequest {
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const from = attempt('FROM', () => parseReference(fromText))
  const to = attempt('TO', () => parseReference(toText))
  for (const [input, place] of [
    ['FROM', from],
    ['TO', to],
  ] as const) {
    if (place && namesOne(place)) problems.push({ input, problem: alone(place) })
  }
  for (const input of ['include', 'exclude'] as const) {
    for (const pattern of words[input]) {
      const problem = patternProblem(pattern)
      if (problem !== undefined) problems.push({ input, problem })
    }
  }
  const platforms = specifiers.map(specifier => attempt('platforms', () => parsePlatform(specifier)))
  if (!from || !to || problems.length > 0) throw new InputError(problems)
  return {
    ...words,
    from,
    to: outputOf(from, to),
    platforms: platforms.filter(platform => platform !== undefined),
  }
}

function outputOf(from: Reference, to: Reference): Output {
  if (to.kind === 'registry') return { kind: to.kind, image: to, tags: [] }
  return { kind: to.kind, path: to.path, tags: [], images: from.kind === 'registry' ? [from] : [] }
}

function namesOne(reference: Reference): boolean {
  if (reference.kind !== 'registry') return reference.name !== undefined
  return reference.tag !== undefined || reference.digest !== undefined
}

function alone(reference: Reference): string {
  const { kind } = reference
  const place = kind === 'registry' ? formatReference({ ...pick(reference) }) : `${kind}:${reference.path}`
  return `"${formatReference(reference)}" is one of them already: for all tags name ${place} alone`
}

function pick({ kind, host, repository }: RegistryReference): RegistryReference {
  return { kind, host, repository }
}
