import { OciPublishError, type ErrorContext } from '../errors.ts'

/** A key that cannot be used. What is wrong never repeats the key, not even a part of it. */
export function invalidKey(where: string, problem: string, context: ErrorContext = {}): OciPublishError {
  return new OciPublishError('INVALID_KEY', `${where}: ${problem}`, context)
}

/** Where to get a key that can be used. */
export const GENERATE = '"oci-publish generate-key-pair" makes one'
