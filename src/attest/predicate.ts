import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { InputError, OciPublishError, messageOf, type InputProblem } from '../errors.ts'
import { parseJson } from '../parse.ts'
import { PREDICATE_NAMES, predicateTypeOf } from '../sign/predicate-type.ts'
import { SIGNATURE_PREDICATE } from '../sign/statement.ts'

/** What a statement says of its subjects. */
export interface Predicate {
  /** An absolute URI. */
  readonly type: string
  readonly predicate: Readonly<Record<string, unknown>>
}

/** Larger ones GitHub's attestations do not take, and few verifiers read. */
export const MAX_PREDICATE_BYTES: number = 16 << 20

export interface PredicateWords {
  /** `predicate-type`: URIs, or cosign's names for them. */
  readonly types: readonly string[]
  /** `predicate-path`: for each type the JSON file, in the same order. */
  readonly paths: readonly string[]
  /** Directory that paths are relative to. */
  readonly context?: string
}

/**
 * Reads what the user wants to have stated.
 *
 * @throws {InputError} with everything that is wrong with types and files
 */
export async function readPredicates(
  { types, paths, context = '.' }: PredicateWords,
  { signal }: Abortable = {},
): Promise<readonly Predicate[]> {
  const problems: InputProblem[] = []
  if (types.length !== paths.length) {
    const [few, hint] =
      types.length < paths.length
        ? ['predicate-type', 'name the type of each file, such as https://example.com/scan/v1, a line each']
        : ['predicate-path', 'name a JSON file for each type, a line each']
    const problem = `${counted(types.length, 'predicate-type')} and ${counted(paths.length, 'predicate-path')} do not match`
    problems.push({ input: few, problem, hint })
  }
  const checked = types.map(type => checkedType(type, problems))
  const read: (Predicate['predicate'] | undefined)[] = []
  for (const path of paths) {
    try {
      read.push(parsePredicate(await readUpTo(resolve(context, path), MAX_PREDICATE_BYTES), path))
    } catch (error) {
      signal?.throwIfAborted()
      read.push(undefined)
      problems.push({ input: 'predicate-path', problem: messageOf(error) })
    }
  }
  if (problems.length > 0) throw new InputError(problems)
  return checked.flatMap((type, i) => {
    const predicate = read[i]
    return predicate ? [{ type, predicate }] : []
  })
}

/**
 * A JSON object to be put into a statement, where it is written anew.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, also for numbers that would become others on the way
 */
export function parsePredicate(bytes: Uint8Array, where: string): Predicate['predicate'] {
  const document = parseJson(bytes, where)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: a predicate is a JSON object, this is ${kindOf(document)}`)
  }
  const lost = lostNumber(document)
  if (lost !== undefined) {
    const hint = 'write it as text, in quotes'
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: a number near ${lost} has more digits than JSON keeps`, {
      hint,
    })
  }
  return document as Predicate['predicate']
}

function checkedType(text: string, problems: InputProblem[]): string {
  const type = predicateTypeOf(text)
  const input = 'predicate-type'
  if (type === SIGNATURE_PREDICATE) {
    problems.push({ input, problem: `${type} is what signatures are made of`, hint: 'use "sign" for that' })
  } else if (type === undefined) {
    const names = PREDICATE_NAMES.filter(name => predicateTypeOf(name) !== SIGNATURE_PREDICATE).join(', ')
    const hint = `write one such as https://example.com/scan/v1, or one of ${names}`
    problems.push({ input, problem: `"${text}" is not an absolute URI`, hint })
  }
  return type ?? text
}

/** @throws {OciPublishError} TOO_LARGE, UNREADABLE */
async function readUpTo(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (size <= maxBytes) return await file.readFile()
      throw new OciPublishError('TOO_LARGE', `${path} has ${size} bytes; a predicate has at most ${maxBytes}`)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof OciPublishError) throw error
    throw new OciPublishError('UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** The first whole number that readers of JSON may have taken for another one: beyond 2^53 (RFC 8259, section 6). */
function lostNumber(document: unknown): number | undefined {
  const left: unknown[] = [document]
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one === 'number' && Number.isInteger(one) && !Number.isSafeInteger(one)) return one
    if (typeof one === 'object' && one !== null) for (const value of Object.values(one)) left.push(value)
  }
  return undefined
}

function kindOf(document: unknown): string {
  if (document === null) return 'null'
  return Array.isArray(document) ? 'a list' : `a ${typeof document}`
}

function counted(count: number, what: string): string {
  return `${count} of ${what}`
}
