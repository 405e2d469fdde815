import { createReadStream } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { Abortable } from '../async/abortable.ts'
import { InputError, OciPublishError, messageOf, type InputProblem } from '../errors.ts'
import { readRegularFile } from '../files/regular-file.ts'
import { resolveSource, type SourceOptions } from '../files/source-path.ts'
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
  /** Take files behind symlinks that lead out of it. */
  readonly followLinks?: boolean
}

/**
 * Reads what the user wants to have stated.
 *
 * @throws {InputError} with everything that is wrong with types and files
 */
export async function readPredicates(
  { types, paths, context = '.', followLinks }: PredicateWords,
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
      read.push(parsePredicate(await readUpTo(path, { context, followLinks }, MAX_PREDICATE_BYTES), path))
    } catch (error) {
      signal?.throwIfAborted()
      read.push(undefined)
      const hint = error instanceof OciPublishError ? error.hint : undefined
      problems.push({ input: 'predicate-path', problem: messageOf(error), ...(hint !== undefined && { hint }) })
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

/** What a shell puts in place of a file: `/dev/stdin`, `<(jq . scan.json)`. */
const PIPED = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/

/** @throws {OciPublishError} TOO_LARGE, UNREADABLE, OUTSIDE_CONTEXT */
async function readUpTo(typed: string, sources: SourceOptions, maxBytes: number): Promise<Uint8Array> {
  try {
    if (PIPED.test(typed)) return await readPipe(typed, maxBytes)
    const path = resolveSource(typed, sources)
    if (path === undefined) throw new Error('ENOENT: no such file')
    return await readRegularFile(path, maxBytes, await lstat(path))
  } catch (error) {
    if (error instanceof OciPublishError) throw error
    throw new OciPublishError('UNREADABLE', `cannot read ${typed}: ${messageOf(error)}`, { cause: error })
  }
}

async function readPipe(path: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of createReadStream(path)) {
    size += (chunk as Uint8Array).byteLength
    if (size > maxBytes) throw new OciPublishError('TOO_LARGE', `${path} has more than ${maxBytes} bytes`)
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks)
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
