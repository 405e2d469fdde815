import { Refused } from './answer.ts'

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
/** distribution-spec, "Pulling manifests". */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** @throws {Refused} 400 DIGEST_INVALID */
export function checkDigest(text: string): string {
  if (FORM.test(text)) return text
  throw new Refused(400, { code: 'DIGEST_INVALID', message: 'not a sha256 or sha512 digest', detail: { digest: text } })
}

export function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'))
}
