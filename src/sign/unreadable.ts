import { OciPublishError } from '../errors.ts'

/** INTEGRITY: bytes are not what they are said to be. NOT_FOUND: lists kept by clients name what was deleted since. */
const CODES: ReadonlySet<string> = new Set(['INVALID_DOCUMENT', 'TOO_LARGE', 'INTEGRITY', 'NOT_FOUND'])

/** Whether a failure lies in one signature itself, so that the others may be read, and not in the way to it. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof OciPublishError && CODES.has(error.code)
}
