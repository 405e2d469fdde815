import { RegistryError, type Refusal } from '../../errors.ts'
import type { Access } from '../access.ts'
import type { Because } from './tries.ts'

/** `resumed`: of a session that was interrupted while the whole was sent. */
type Row = readonly [verdict: Because, when: (refusal: Refusal, resumed: boolean) => boolean]

const says =
  (...codes: readonly string[]) =>
  (refusal: Refusal): boolean =>
    codes.some(code => refusal.codes.includes(code))

const answers =
  (...statuses: readonly number[]) =>
  (refusal: Refusal): boolean =>
    statuses.includes(refusal.status)

const UNFIT = [400, 405, 411, 415, 501]

/** First match wins: the code of a registry says more than the status, which a proxy may have set. */
const VERDICTS: readonly Row[] = [
  ['cut', ({ status, retriable }) => status === 0 && retriable],
  ['final', ({ status }) => status === 0],
  ['mismatch', says('DIGEST_INVALID')],
  ['gone', says('BLOB_UPLOAD_UNKNOWN')],
  ['order', answers(416)],
  ['gone', says('BLOB_UPLOAD_INVALID')],
  ['final', says('DENIED', 'UNAUTHORIZED', 'NAME_UNKNOWN', 'NAME_INVALID')],
  ['too-large', answers(413)],
  ['unfit', (refusal, resumed) => resumed && says('SIZE_INVALID')(refusal)],
  ['final', says('SIZE_INVALID')],
  ['busy', ({ retriable }) => retriable],
  ['gone', answers(404)],
  // A PUT with a Content-Range is one that servers are told to answer with 400 (RFC 9110, 14.5).
  ['unfit', (refusal, resumed) => (refusal.method === 'PATCH' || resumed) && answers(...UNFIT)(refusal)],
]

/**
 * What a failure of a request with bytes means for the upload.
 *
 * @param resumed whether its session was interrupted while the whole was sent, and gone on with
 */
export function judge({ side }: Access, error: unknown, resumed = false): Because {
  // What the source of the bytes threw has been retried where the source is.
  if (!(error instanceof RegistryError) || error.side !== side) return 'final'
  return VERDICTS.find(([, when]) => when(error, resumed))?.[0] ?? 'final'
}

/** Whether the registry has closed the session itself, so that there is nothing to cancel. */
export function closes({ side }: Access, error: unknown): boolean {
  // A 404 of the source says nothing about the session.
  if (!(error instanceof RegistryError) || error.side !== side) return false
  return error.status === 404 || error.codes.includes('DIGEST_INVALID')
}
