import { messageOf } from '../errors.ts'

/** What the verifier says, and what that means for whoever reads a log. The first that fits counts. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^signature verification failed$/, 'the signature does not fit'],

  [
    /^(no (valid|trusted) certificate path found|Failed to verify certificate chain)$/,
    'the certificate was issued by no authority of the trusted root',
  ],
  [
    /^certificate is not valid or expired/,
    'the certificate, or that of its authority, was not valid at the time of the signature',
  ],
  [/^intermediate certificate is not a CA$/, 'the certificate was issued by one that may not issue any'],
  [
    /^(incorrect certificate name chaining|path length constraint exceeded|certificate chain must contain)/,
    'the chain of the certificate is broken',
  ],
  [
    /^(SCT verification failed|duplicate SCT)$/,
    'no log of certificates that is trusted has promised to show the certificate',
  ],
  [/^expected \d+ SCTs/, 'the certificate does not say that it is in a log of certificates'],

  [
    /^(timestamp could not be verified|invalid certificate chain)$/,
    'the timestamp does not fit the signature, or its authority is not trusted',
  ],
  [
    /^expected \d+ timestamps/,
    'nobody who is trusted says when it was signed: it has neither a timestamp nor the promise of a log',
  ],
  [/^duplicate timestamp$/, 'it has the same timestamp twice'],

  [/^expected \d+ tlog entries/, 'it is in no transparency log that is trusted'],
  [/^duplicate tlog entry$/, 'it has the same log entry twice'],
  [/^inclusion could not be verified$/, 'the log entry has neither a proof nor a promise that it is in the log'],
  [
    /^inclusion promise could not be verified$/,
    "the log entry's promise (SET) is not that of the log about this entry",
  ],
  [
    /^(invalid checkpoint signature|no signatures found in checkpoint)$/,
    "the log entry's checkpoint is not signed by the log",
  ],
  [
    /^(missing checkpoint separator|malformed checkpoint signature|too few lines in checkpoint|invalid checkpoint log size)/,
    "the log entry's checkpoint cannot be read",
  ],
  [
    /^(calculated root hash does not match|invalid hash count|invalid index|invalid inclusion proof log index)/,
    "the log entry's inclusion proof does not lead to the checkpoint",
  ],
  [
    /^(tlog entry signature mismatch|signature mismatch|signature count mismatch)$/,
    'the log entry is about another signature',
  ],
  [/^(DSSE payload hash|digest) mismatch$/, 'the log entry is about something else that was signed'],
  [
    /^(invalid canonicalized body|kind\/version mismatch|unsupported |missing dsse spec)/,
    'the log entry is of a kind that is not known',
  ],

  [/^(Public key is not valid for timestamp|key not found)/, 'the key is not trusted for the time of the signature'],
]

/** One sentence about an error of the verifier; the cause that it names counts before itself. */
export function mismatchOf(error: unknown): string {
  for (const one of [causeOf(error), error]) {
    const found = SENTENCES.find(([text]) => text.test(messageOf(one)))
    if (found) return found[1]
  }
  return `it cannot be read: ${messageOf(error)}`
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}
