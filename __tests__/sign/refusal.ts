import type { OciPublishError } from '../../src/errors.ts'

/** For `toThrow`: an error of this code whose message has this text in it. */
export function refusal(code: string, text: string): OciPublishError {
  const message = expect.stringContaining(text) as unknown
  const error: unknown = expect.objectContaining({ code, message })
  return error as OciPublishError
}
