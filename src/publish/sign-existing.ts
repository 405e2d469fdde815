import type { Abortable } from '../async/abortable.ts'
import { resolveSubject } from '../artifact/attach.ts'
import { chosenOf, type Choice } from '../artifact/members.ts'
import { outputAt } from '../content/places.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'
import type { Untagged } from '../content/untagged.ts'
import { InputError, OciPublishError, attemptsInto, type InputProblem } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isIndexType } from '../oci/media-type.ts'
import { parsePlatform } from '../oci/platform.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import type { PublishDeps } from './deps.ts'
import type { FieldValues } from './fields.ts'
import { parseSigning, type SigningRequest } from './parse-signing.ts'
import type { SignedReport } from './report.ts'

/** What is there already and is to be signed, as it was typed. */
export interface SignWords {
  readonly reference: string
  /** `all`, `index`, or platforms; none: an index and all its platforms. */
  readonly platforms: readonly string[]
  /** Whether it is signed; else only attested. */
  readonly signature: boolean
}

/** What was signed, and what the reference stood for when it was. */
export interface SignedExisting extends SignedReport {
  readonly root: Descriptor
}

/**
 * Signs, attests, or both, what is published already. A tag is followed once: what it stood for then is signed.
 *
 * @throws {InputError} with all problems
 * @throws {OciPublishError} NOT_FOUND where there is nothing; as whoever certifies and logs says
 */
export async function signExisting(
  words: SignWords,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable = {},
): Promise<SignedExisting> {
  const { reference, choices, request } = parseWords(words, values, deps.facts.problems)
  const { readySigning } = await import('./signing.ts')
  const signing = await readySigning(request, { values, signature: words.signature }, deps, io)
  const { source, name } = deps.locate(reference)
  const root = await resolveSubject(source, name, reference, { soThat: 'it cannot be signed', ...io })
  const wanted: readonly Choice[] = choices.length > 0 ? choices : isIndexType(root.mediaType) ? ['index', 'all'] : []
  // Where an index is not meant, the first of what is takes its place.
  const [first, ...others] = await chosenOf(source, root, wanted, { input: 'platforms', ...io })
  const output = outputAt(reference)
  const target = deps.openTarget(output)
  if (!first) throw new OciPublishError('NOT_FOUND', `${formatReference(reference)} has nothing to sign`)
  const untagged: Untagged = { root: first.descriptor, platforms: others, places: [{ target, output }] }
  await signing.sign(untagged, [], io)
  await target.close?.(io)
  await tellIfMoved(reference, root, deps, io)
  return { ...signing.report(), root }
}

interface ParsedSign {
  readonly reference: Reference
  readonly choices: readonly Choice[]
  readonly request: SigningRequest
}

/** @throws {InputError} with every problem */
function parseWords(
  { reference: text, platforms, signature }: SignWords,
  values: FieldValues,
  before: readonly InputProblem[] = [],
): ParsedSign {
  const { request, problems: wrong } = parseSigning(values)
  const problems: InputProblem[] = [...before, ...wrong]
  const attempt = attemptsInto(problems)
  const reference = attempt('reference', () => parseReference(text))
  if (reference?.kind === 'oci-archive') {
    const hint = 'copy it to a layout in a directory (oci:DIR), sign there, and copy it back'
    problems.push({ input: 'reference', problem: `nothing can be added to the archive ${reference.path}`, hint })
  }
  const choices = platforms.map(one =>
    attempt('platforms', () => (one === 'all' || one === 'index' ? one : parsePlatform(one))),
  )
  if (!request && wrong.length === 0) {
    problems.push({ input: 'key', problem: 'is missing', hint: 'give --key, or say --keyless' })
  }
  if (request && !signature && request.predicates.types.length === 0) {
    problems.push({ input: 'predicate-type', problem: 'is missing: say what is attested, with predicate-path' })
  }
  if (!reference || !request || problems.length > 0) throw new InputError(problems)
  return { reference, choices: choices.filter(choice => choice !== undefined), request }
}

/** A tag may move while it is signed. The signature is right all the same, but not of what the tag means now. */
async function tellIfMoved(
  reference: Reference,
  root: Descriptor,
  { locate, onEvent }: PublishDeps,
  io: Abortable,
): Promise<void> {
  if (reference.kind !== 'registry' || reference.digest !== undefined) return
  const { source, name } = locate(reference)
  const now = await resolveIfThere(source, name, io)
  if (now?.digest === root.digest) return
  const means = now ? `now means ${now.digest}, which is not signed by this` : 'is gone'
  onEvent({
    type: 'notice',
    text: `${formatReference(reference)} has moved meanwhile: signed is ${root.digest}; the tag ${means}`,
  })
}
