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
 * Reads JSON text; what is in it stays unknown until a schema has seen it.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseJson(bytes: Uint8Array | string, where: string): unknown {
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: not JSON (${messageOf(error)})`, { cause: error })
  }
}
