import type { Failure } from '../../src/http/failure.ts'
import type { Outcome, Verdict } from '../../src/http/retry.ts'
import { REQUEST, isRetriable, judge, retryAfterMs } from '../../src/http/retry.ts'

const cut: Failure = { code: 'ECONNRESET', words: 'the connection was cut', retriable: true }

describe('judge()', () => {
  test.each<[string, number, Outcome, minMs: number, luck: number, Verdict]>([
    ['waits at most twice the base after the first failure', 1, { status: 503 }, 0, 1, { waitMs: 1_000 }],
    ['may come back at once, so that clients do not march in step', 1, { status: 503 }, 0, 0, { waitMs: 0 }],
    ['doubles with every attempt', 5, { status: 503 }, 0, 1, { waitMs: 16_000 }],
    ['never comes back before Retry-After', 1, { status: 429 }, 7_000, 0, { waitMs: 7_000 }],
    ['comes back at most a tenth later than Retry-After', 1, { status: 429 }, 7_000, 1, { waitMs: 7_700 }],
    ['waits five minutes when asked to', 1, { status: 429 }, 300_000, 0, { waitMs: 300_000 }],
    [
      'does not keep a run waiting for an hour',
      1,
      { status: 429 },
      3_600_000,
      0,
      { final: 'it asks to wait 3600 s, longer than 300 s' },
    ],
    ['does not hammer a dead registry', 6, { status: 503 }, 0, 1, { final: 'failed 6 times' }],
    ['takes an answer for an answer', 1, { status: 404 }, 0, 1, { final: 'status 404 is an answer' }],
    ['retries a cut connection', 1, { failure: cut }, 0, 1, { waitMs: 1_000 }],
    ['gives up on a connection that is always cut', 6, { failure: cut }, 0, 1, { final: 'failed 6 times' }],
    [
      'asks DNS twice for a name, not six times',
      2,
      { failure: { ...cut, attempts: 2 } },
      0,
      1,
      { final: 'failed 2 times' },
    ],
    [
      'does not argue with a certificate',
      1,
      { failure: { ...cut, words: 'not trusted', retriable: false } },
      0,
      1,
      { final: 'not trusted' },
    ],
    [
      'replaces a connection that was closed while idle at once',
      1,
      { failure: { ...cut, stale: true } },
      0,
      1,
      { waitMs: 0 },
    ],
    ['but backs off if the next one breaks too', 2, { failure: { ...cut, stale: true } }, 0, 1, { waitMs: 2_000 }],
  ])('%s', (_name, attempt, outcome, minMs, luck, verdict) => {
    expect(judge(REQUEST, attempt, outcome, minMs, luck)).toEqual(verdict)
  })

  test('never waits longer than the cap, however often it has failed', () => {
    const { waitMs } = judge({ ...REQUEST, attempts: 100 }, 50, { status: 500 }, 0, 1) as { waitMs: number }
    expect(waitMs).toBe(30_000)
  })
})

describe('isRetriable()', () => {
  test.each([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524])('%d passes with time', status => {
    expect(isRetriable(status)).toBe(true)
  })

  test.each([200, 201, 307, 400, 401, 403, 404, 405, 413, 415, 416, 501, 505])('%d is an answer', status => {
    expect(isRetriable(status)).toBe(false)
  })
})

describe('retryAfterMs()', () => {
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT')

  test.each([
    ['whole seconds', '120', 120_000],
    ['a date, as GitHub and Docker Hub send it', 'Wed, 21 Oct 2026 07:29:30 GMT', 90_000],
    ['a date that has passed', 'Wed, 21 Oct 2026 07:00:00 GMT', 0],
    ['nothing', undefined, 0],
    ['blanks around', ' 3 ', 3_000],
    ['a negative number', '-5', 0],
    ['words', 'soon', 0],
    ['a broken date', 'Wed, 99 Oct 2026 GMT', 0],
  ])('understands %s', (_name, value, ms) => {
    expect(retryAfterMs(value, now)).toBe(ms)
  })
})
