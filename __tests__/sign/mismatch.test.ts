import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { mismatchOf } from '../../src/sign/mismatch.ts'

const DIRECTORY = dirname(createRequire(import.meta.url).resolve('@sigstore/verify'))

/** Texts of all errors that the verifier throws, as they stand in its source. */
function textsOfVerifier(): readonly string[] {
  const files = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'))
  return files
    .filter(name => name !== 'policy.js') // identities are compared here
    .flatMap(name => [...readFileSync(join(DIRECTORY, name), 'utf8').matchAll(/message: (['`])(.*?)\1,/g)])
    .map(([, , text = '']) => text.replaceAll(/\$\{[^}]*\}/g, '1'))
}

test('the verifier says nothing that is not put into words for people', () => {
  const texts = textsOfVerifier()
  expect(texts.length).toBeGreaterThan(30)
  expect(texts.filter(text => mismatchOf(new Error(text)).startsWith('it cannot be read'))).toEqual([])
})

test.each([
  ['signature verification failed', 'the signature does not fit'],
  ['Failed to verify certificate chain', 'the certificate was issued by no authority of the trusted root'],
  ['SCT verification failed', 'no log of certificates that is trusted has promised to show the certificate'],
  ['expected 1 SCTs, got 0', 'the certificate does not say that it is in a log of certificates'],
  ['timestamp could not be verified', 'the timestamp does not fit the signature, or its authority is not trusted'],
  [
    'expected 1 timestamps, got 0',
    'nobody who is trusted says when it was signed: it has neither a timestamp nor the promise of a log',
  ],
  ['expected 1 tlog entries, got 0', 'it is in no transparency log that is trusted'],
  ['inclusion promise could not be verified', "the log entry's promise (SET) is not that of the log about this entry"],
  [
    'calculated root hash does not match inclusion proof',
    "the log entry's inclusion proof does not lead to the checkpoint",
  ],
  ['invalid checkpoint signature', "the log entry's checkpoint is not signed by the log"],
  ['tlog entry signature mismatch', 'the log entry is about another signature'],
  ['DSSE payload hash mismatch', 'the log entry is about something else that was signed'],
  ['unsupported kind: alpine', 'the log entry is of a kind that is not known'],
])('%s: %s', (text, sentence) => {
  expect(mismatchOf(new Error(text))).toBe(sentence)
})

test('the cause says more than the error that was made of it', () => {
  const cause = new Error('certificate is not valid or expired at the specified date')
  expect(mismatchOf(new Error('Failed to verify certificate chain', { cause }))).toBe(
    'the certificate, or that of its authority, was not valid at the time of the signature',
  )
})

test('what nobody foresaw is told as it came', () => {
  expect(mismatchOf(new TypeError('subs of undefined'))).toBe('it cannot be read: subs of undefined')
})
