import {
  START,
  next,
  waitMs,
  type Tries,
  type UploadEvent,
  type UploadState,
} from '../../../src/registry/upload/state.ts'

const MIB = 1 << 20
const none: Tries = { failures: 0, mismatches: 0, furthest: 0 }
const location = new URL('http://127.0.0.1:5000/v2/a/blobs/uploads/1?_state=x')
const sending: UploadState = { at: 'send', location, tries: none }
const lost = (bytes = 0): UploadEvent => ({ on: 'failed', because: 'retriable', bytes })

describe('next()', () => {
  test.each<[string, UploadState, UploadEvent, UploadState]>([
    [
      'sends nothing that is there',
      START,
      { on: 'head', found: true, candidates: ['b'] },
      { at: 'done', how: 'exists' },
    ],
    [
      'opens a session for what is not',
      START,
      { on: 'head', found: false, candidates: ['b'] },
      { at: 'open', candidates: ['b'], tries: none },
    ],
    [
      'is done when the mount worked',
      { at: 'open', candidates: ['b'], tries: none },
      { on: 'opened', location: undefined },
      { at: 'done', how: 'mounted' },
    ],
    [
      'uploads into the very session that a mount gave instead',
      { at: 'open', candidates: ['b', 'c'], tries: none },
      { on: 'opened', location },
      sending,
    ],
    [
      'asks the next repository when a mount is refused',
      { at: 'open', candidates: ['b', 'c'], tries: none },
      { on: 'refused' },
      { at: 'open', candidates: ['c'], tries: none },
    ],
    [
      'never fails a push for a mount',
      { at: 'open', candidates: ['b'], tries: none },
      { on: 'refused' },
      { at: 'open', candidates: [], tries: none },
    ],
    ['is done when the bytes were taken', sending, { on: 'sent' }, { at: 'done', how: 'uploaded' }],
    ['waits after a cut', sending, lost(10), { at: 'wait', tries: { failures: 1, mismatches: 0, furthest: 10 } }],
    [
      'knows a lost answer by what is there',
      { at: 'check', tries: { ...none, failures: 1, furthest: 9 } },
      { on: 'head', found: true, candidates: [] },
      { at: 'done', how: 'uploaded' },
    ],
    ['asks first whether only the answer was lost', { at: 'wait', tries: none }, { on: 'waited' }, START],
    [
      'gives up after four failures in a row',
      { ...sending, tries: { ...none, failures: 3 } },
      lost(),
      { at: 'failed' },
    ],
    [
      'does not give up on a slow line that gets further every time',
      { ...sending, tries: { failures: 3, mismatches: 0, furthest: 5 * MIB } },
      lost(6 * MIB),
      { at: 'wait', tries: { failures: 1, mismatches: 0, furthest: 6 * MIB } },
    ],
    [
      'gives up on a line that is always cut at the same place',
      { ...sending, tries: { failures: 3, mismatches: 0, furthest: 5 * MIB } },
      lost(5 * MIB),
      { at: 'failed' },
    ],
    [
      'sends damaged bytes once more',
      sending,
      { on: 'failed', because: 'mismatch', bytes: 9 },
      { at: 'wait', tries: { failures: 1, mismatches: 1, furthest: 9 } },
    ],
    [
      'and not a third time',
      { ...sending, tries: { ...none, mismatches: 1 } },
      { on: 'failed', because: 'mismatch', bytes: 9 * MIB },
      { at: 'failed' },
    ],
    ['takes a refusal for a refusal', sending, { on: 'failed', because: 'final', bytes: 0 }, { at: 'failed' }],
  ])('%s', (_name, state, event, expected) => {
    expect(next(state, event)).toEqual(expected)
  })

  test('a pair that cannot be is a bug, and says which', () => {
    expect(() => next(START, { on: 'sent' })).toThrow('upload: "sent" while at "check"')
    expect(() => next({ at: 'open', candidates: [], tries: none }, { on: 'refused' })).toThrow('"refused"')
  })
})

test('clients in step do not come back in step', () => {
  expect([
    waitMs({ ...none, failures: 1 }, 0),
    waitMs({ ...none, failures: 1 }, 1),
    waitMs({ ...none, failures: 9 }, 1),
  ]).toEqual([0, 1_000, 30_000])
})
