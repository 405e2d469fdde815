import * as v from 'valibot'
import { OciPublishError, messageOf } from './errors.ts'

/**
 * Reads a value from outside by its schema.
 *
 * @param where names the document in the error
 * @throws {OciPublishError} INVALID_DOCUMENT, with every problem and its path, not only the first
 */
export function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown, where: string): T {
  const { success, output, issues } = v.safeParse(schema, value)
  if (success) return output
  const problems = issues.map(issue => `${v.getDotPath(issue) ?? 'it'} ${issue.message}`)
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: ${problems.join('; ')}`)
}

/**
 * A list from outside that has to be there. Go's encoder writes `null` for an empty one, and so do registries and tools that
 * are written in it: the same as `[]`.
 */
export function listOf<T>(item: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, readonly T[]> {
  return v.nullable(v.array(item, 'is not a list'), [])
}

/** Lists and objects within each other. No honest document comes near; much deeper ones are too deep for the stack. */
const MAX_DEPTH = 256

/**
 * Reads JSON text; what is in it stays unknown until a schema has seen it.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT for what is not JSON, or nested more than 256 deep
 */
export function parseJson(bytes: Uint8Array | string, where: string): unknown {
  let value: unknown
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text) as unknown
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: not JSON (${messageOf(error)})`, { cause: error })
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: it is nested more than ${MAX_DEPTH} deep`)
  }
  return value
}

/** Level by level, without recursion. */
function isDeeper(value: unknown, maxDepth: number): boolean {
  let level: readonly object[] = isObject(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return true
    const below: object[] = []
    for (const one of level) {
      for (const child of Object.values(one) as unknown[]) if (isObject(child)) below.push(child)
    }
    level = below
  }
  return false
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
