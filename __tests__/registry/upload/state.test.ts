import { parseRepository } from '../../../src/oci/repository.ts'
import { next, start, type UploadEvent, type UploadState } from '../../../src/registry/upload/state.ts'
import type { Because, Pieces, Tries } from '../../../src/registry/upload/tries.ts'

const MIB = 1 << 20
const SIZE = 100 * MIB

const tries = (more: Partial<Tries> = {}): Tries => ({
  ...{ pieces: 'when-cut', resume: 'may', step: MIB, refusals: 0, failures: 0, stuck: 0, cuts: 0, mismatches: 0 },
  ...{ shorts: 0, furthest: 0, ...more },
})
const location = new URL('http://127.0.0.1:5000/v2/a/blobs/uploads/1?_state=x')
const newer = new URL('http://127.0.0.1:5000/v2/a/blobs/uploads/1?_state=y')

const check = (more: Partial<Tries> = {}): UploadState => ({ at: 'check', tries: tries(more) })
const open = (candidates: readonly string[], more: Partial<Tries> = {}): UploadState => ({
  ...{ at: 'open', candidates: candidates.map(parseRepository), tries: tries(more) },
})
const send = (more: Partial<Tries> = {}, offset = 0): UploadState => ({
  ...{ at: 'send', location, offset, tries: tries(more) },
})
const piece = (offset: number, more: Partial<Tries> = {}): UploadState => ({
  ...{ at: 'piece', location, offset, tries: tries({ pieces: 'now', ...more }) },
})
const close = (more: Partial<Tries> = {}): UploadState => ({
  ...{ at: 'close', location, tries: tries({ pieces: 'now', ...more }) },
})
const wait = (more: Partial<Tries>, session?: URL): UploadState => ({ at: 'wait', session, tries: tries(more) })
const failed = (because: Because, bytes = 0): UploadEvent => ({ on: 'failed', because, bytes })
const taken = (offset: number, complete = false): UploadEvent => ({ on: 'taken', location: newer, offset, complete })

const DONE = { at: 'done', how: 'uploaded' } as const
const FAILED = { at: 'failed' } as const

type Case = readonly [name: string, state: UploadState, event: UploadEvent, expected: UploadState]

const whole: readonly Case[] = [
  [
    'sends nothing that is there',
    check(),
    { on: 'head', found: true, candidates: [parseRepository('b')] },
    { at: 'done', how: 'exists' },
  ],
  [
    'opens a session for what is not',
    check(),
    { on: 'head', found: false, candidates: [parseRepository('b')] },
    open(['b']),
  ],
  ['is done when the mount worked', open(['b']), { on: 'opened', location: undefined }, { at: 'done', how: 'mounted' }],
  ['uploads into the very session that a mount gave instead', open(['b', 'c']), { on: 'opened', location }, send()],
  ['asks the next repository when a mount is refused', open(['b', 'c']), { on: 'refused' }, open(['c'])],
  ['never fails a push for a mount', open(['b']), { on: 'refused' }, open([])],
  ['is done when the bytes were taken', send(), { on: 'sent' }, DONE],
  ['waits after a connection that broke at once', send(), failed('cut'), wait({ failures: 1, stuck: 1 })],
  [
    'knows a lost answer by what is there',
    check({ failures: 1, furthest: 9 }),
    { on: 'head', found: true, candidates: [] },
    DONE,
  ],
  ['asks first whether only the answer was lost', wait({}), { on: 'waited' }, check()],
  ['gives up after four failures in a row', send({ failures: 3 }), failed('gone'), FAILED],
  ['gives up after four connections that broke at once', send({ failures: 3 }), failed('cut'), FAILED],
  [
    'asks a busy registry as often as any request is sent',
    send({ refusals: 4 }),
    failed('busy'),
    wait({ refusals: 5, stuck: 1 }),
  ],
  ['and no oftener', send({ refusals: 5 }), failed('busy'), FAILED],
  [
    'does not give up on a slow line that gets further every time',
    send({ failures: 3, stuck: 9, furthest: 5 * MIB }),
    failed('cut', 6 * MIB),
    wait({ resume: 'did', failures: 1, stuck: 1, cuts: 1, furthest: 6 * MIB }, location),
  ],
  [
    'does not give up at once on a line that moves bytes, if not always as many',
    send({ failures: 3, refusals: 5, furthest: 5 * MIB }),
    failed('cut', 2 * MIB),
    wait({ resume: 'did', failures: 1, stuck: 1, cuts: 1, furthest: 5 * MIB }, location),
  ],
  [
    'gives up on a line that is always cut at the same place',
    send({ stuck: 9, furthest: 5 * MIB }),
    failed('cut', 5 * MIB),
    FAILED,
  ],
  [
    'sends damaged bytes once more',
    send(),
    failed('mismatch', 9),
    wait({ failures: 1, stuck: 1, mismatches: 1, furthest: 9 }),
  ],
  ['and not a third time', send({ mismatches: 1 }), failed('mismatch', 9 * MIB), FAILED],
  ['takes a refusal for a refusal', send(), failed('final'), FAILED],
]

const pieces: readonly Case[] = [
  [
    'goes on in pieces when the whole is too large for a proxy',
    send({ pieces: 'when-too-large' }),
    failed('too-large', 3),
    wait({ pieces: 'only' }),
  ],
  ['but not where the registry loses them', send({ pieces: 'never' }), failed('too-large'), FAILED],
  [
    'goes on in smaller pieces, in the same session, when a piece is too large itself',
    piece(5 * MIB, { pieces: 'only' }),
    { on: 'failed', because: 'too-large', bytes: 3, smaller: true },
    wait({ pieces: 'only' }, location),
  ],
  ['unless there are none', piece(0, { pieces: 'only' }), failed('too-large'), FAILED],
  [
    'goes on in pieces after the second cut',
    send({ cuts: 1, furthest: 7 * MIB }),
    failed('cut', 9 * MIB),
    wait({ pieces: 'now', resume: 'did', failures: 1, stuck: 1, cuts: 2, furthest: 9 * MIB }, location),
  ],
  [
    'but not for a blob that is soon sent again',
    send({ pieces: 'when-too-large', cuts: 1 }),
    failed('cut', 9 * MIB),
    wait({ pieces: 'when-too-large', resume: 'did', failures: 1, stuck: 1, cuts: 2, furthest: 9 * MIB }, location),
  ],
  [
    'goes on where a registry kept less than it was sent',
    piece(0),
    { ...{ on: 'taken', location: newer, offset: 2 * MIB, complete: false }, short: true },
    {
      ...{ at: 'piece', location: newer, offset: 2 * MIB },
      tries: tries({ pieces: 'now', shorts: 1, furthest: 2 * MIB }),
    },
  ],
  [
    'but not with one that keeps a byte of every piece',
    piece(9, { shorts: 9 }),
    { ...{ on: 'taken', location: newer, offset: 10, complete: false }, short: true },
    FAILED,
  ],
  [
    'begins with the first piece',
    open([], { pieces: 'only' }),
    { on: 'opened', location },
    piece(0, { pieces: 'only' }),
  ],
  [
    'sends the next piece to the newest Location',
    piece(0, { failures: 3, stuck: 3 }),
    taken(5 * MIB),
    { at: 'piece', location: newer, offset: 5 * MIB, tries: tries({ pieces: 'now', furthest: 5 * MIB }) },
  ],
  [
    'goes on where the registry says, not where we think',
    piece(5 * MIB, { furthest: 10 * MIB, failures: 1 }),
    taken(7 * MIB),
    {
      at: 'piece',
      location: newer,
      offset: 7 * MIB,
      tries: tries({ pieces: 'now', furthest: 10 * MIB, failures: 1 }),
    },
  ],
  [
    'closes the session after the last piece',
    piece(0),
    taken(SIZE, true),
    { at: 'close', location: newer, tries: tries({ pieces: 'now', furthest: SIZE }) },
  ],
  [
    'sends the whole to a registry that drops what it thanks for',
    piece(5 * MIB),
    taken(5 * MIB),
    wait({ pieces: 'never', resume: 'never' }),
  ],
  ['or fails, if the whole is too large', piece(5 * MIB, { pieces: 'only' }), taken(5 * MIB), FAILED],
  [
    'sends the whole to a registry that knows no pieces',
    piece(0),
    failed('unfit'),
    wait({ pieces: 'never', resume: 'never' }),
  ],
  ['or fails, if the user insists', piece(0, { pieces: 'only' }), failed('unfit'), FAILED],
  [
    'waits after a cut, and keeps the session',
    piece(5 * MIB),
    failed('cut', 2 * MIB),
    wait({ pieces: 'now', failures: 1, stuck: 1, cuts: 1, furthest: 7 * MIB }, location),
  ],
  [
    'asks the session after the wait',
    wait({ pieces: 'now' }, location),
    { on: 'waited' },
    { at: 'ask', location, tries: tries({ pieces: 'now' }) },
  ],
  [
    'asks the session at once after pieces out of order',
    piece(5 * MIB),
    failed('order'),
    { at: 'ask', location, tries: tries({ pieces: 'now', failures: 1, stuck: 1, furthest: 5 * MIB }) },
  ],
  ['gives up on a session that never agrees', piece(0, { failures: 3 }), failed('order'), FAILED],
  [
    'begins anew when the session is gone',
    piece(5 * MIB),
    failed('gone'),
    wait({ pieces: 'now', failures: 1, stuck: 1, furthest: 5 * MIB }),
  ],
  [
    'goes on where the session stopped',
    { at: 'ask', location, tries: tries({ pieces: 'now' }) },
    { on: 'status', location: newer, offset: 7 * MIB, complete: false },
    { at: 'piece', location: newer, offset: 7 * MIB, tries: tries({ pieces: 'now' }) },
  ],
  [
    'only closes a session that has all',
    { at: 'ask', location, tries: tries({ pieces: 'now' }) },
    { on: 'status', location: newer, offset: SIZE, complete: true },
    { at: 'close', location: newer, tries: tries({ pieces: 'now' }) },
  ],
  [
    'begins anew, with HEAD, when the session does not tell',
    { at: 'ask', location, tries: tries({ pieces: 'now' }) },
    { on: 'no-status' },
    check({ pieces: 'now' }),
  ],
  ['is done when the session is closed', close(), { on: 'sent' }, DONE],
  [
    'asks the session when closing it fails',
    close({ furthest: SIZE }),
    failed('busy'),
    wait({ pieces: 'now', refusals: 1, stuck: 1, furthest: SIZE }, location),
  ],
  [
    'sends damaged pieces once more',
    close({ furthest: SIZE }),
    failed('mismatch'),
    wait({ pieces: 'now', failures: 1, stuck: 1, mismatches: 1, furthest: SIZE }),
  ],
  ['takes a refusal of a piece for a refusal', piece(0), failed('final'), FAILED],
]

const did: Partial<Tries> = { resume: 'did', failures: 1, stuck: 1, cuts: 1, furthest: 9 * MIB }
const ask = (more: Partial<Tries>): UploadState => ({ at: 'ask', location, tries: tries(more) })
const status = (offset: number, complete = false): UploadEvent => ({ on: 'status', location: newer, offset, complete })

const resumed: readonly Case[] = [
  ['keeps the session', send(), failed('cut', 9 * MIB), wait(did, location)],
  ['asks it after the wait', wait(did, location), { on: 'waited' }, ask(did)],
  [
    'sends the rest to the newest Location',
    ask(did),
    status(7 * MIB),
    { at: 'send', location: newer, offset: 7 * MIB, tries: tries(did) },
  ],
  [
    'only closes a session that has all',
    ask(did),
    status(SIZE, true),
    { at: 'close', location: newer, tries: tries(did) },
  ],
  ['begins anew, with HEAD, where nothing was kept', ask(did), status(0), check(did)],
  ['begins anew, with HEAD, where the session is not known any more', ask(did), { on: 'no-status' }, check(did)],
  ['may go on with the next session, too', open([], did), { on: 'opened', location }, send({ ...did, resume: 'may' })],
  [
    'goes on after as many cuts as it takes, as long as every time more is there',
    send({ ...did, failures: 3, stuck: 9 }, 7 * MIB),
    failed('cut', 4 * MIB),
    wait({ ...did, cuts: 2, pieces: 'now', furthest: 11 * MIB }, location),
  ],
  [
    'does not give up a layer of which little is missing, though little is all that can be under way',
    send({ ...did, pieces: 'when-too-large', failures: 5, stuck: 6, furthest: SIZE }, SIZE - 9),
    failed('cut', 5),
    wait({ ...did, pieces: 'when-too-large', failures: 6, stuck: 7, cuts: 2, furthest: SIZE }, location),
  ],
  ['and does at last', send({ ...did, failures: 9, stuck: 2, furthest: SIZE }, SIZE - 9), failed('cut', 5), FAILED],
  [
    'goes on in pieces in the same session after the second cut',
    ask({ ...did, pieces: 'now' }),
    status(7 * MIB),
    { at: 'piece', location: newer, offset: 7 * MIB, tries: tries({ ...did, pieces: 'now' }) },
  ],
  [
    'does not lose what is there to a registry that is busy',
    send(did, 7 * MIB),
    failed('busy'),
    wait({ ...did, refusals: 1, stuck: 2 }, location),
  ],
  [
    'goes on with nothing where the user forbids it',
    send({ resume: 'never' }),
    failed('cut', 9 * MIB),
    wait({ ...did, resume: 'never' }),
  ],
  ...(['mismatch', 'order', 'unfit', 'gone'] as const).map((because): Case => [
    `blames the seam and not the source for "${because}", and makes no other`,
    send(did, 7 * MIB),
    failed(because, 90 * MIB),
    wait({ ...did, resume: 'never' }),
  ]),
  [
    'blames the seam also where only the session had to be closed',
    { at: 'close', location, tries: tries(did) },
    failed('mismatch'),
    wait({ ...did, resume: 'never' }),
  ],
  [
    'blames the seam also for pieces that followed it',
    close({ ...did, pieces: 'now' }),
    failed('mismatch'),
    wait({ ...did, pieces: 'now', resume: 'never' }),
  ],
  ['takes a refusal for a refusal', send(did, 7 * MIB), failed('final'), FAILED],
]

describe('next()', () => {
  test.each(whole)('%s', (_name, state, event, expected) => {
    expect(next(state, event)).toEqual(expected)
  })

  test.each(pieces)('in pieces: %s', (_name, state, event, expected) => {
    expect(next(state, event)).toEqual(expected)
  })

  test.each(resumed)('a whole that was cut: %s', (_name, state, event, expected) => {
    expect(next(state, event)).toEqual(expected)
  })

  test('a pair that cannot be is a bug, and says which', () => {
    expect(() => next(check(), { on: 'sent' })).toThrow('upload: "sent" while at "check"')
    expect(() => next(open([]), { on: 'refused' })).toThrow('"refused"')
    expect(() => next(close(), taken(1))).toThrow('upload: "taken" while at "close"')
  })

  test.each<[Pieces, kept: number]>([
    ['never', 0],
    ['when-too-large', 0],
    ['when-too-large', MIB],
    ['when-cut', 0],
    ['when-cut', MIB],
    ['now', 0],
    ['only', 0],
    ['only', MIB],
  ])('ends, whatever goes wrong again and again, with pieces "%s" and %i bytes kept', (initial, kept) => {
    for (const because of ['cut', 'busy', 'gone', 'order', 'mismatch', 'too-large', 'unfit'] as const) {
      let state = start(initial, SIZE)
      let steps = 0
      while (state.at !== 'failed' && state.at !== 'done' && steps++ < 1_000)
        state = next(state, worst(state, because, kept))
      expect(state.at).toBe('failed')
    }
  })
})

/** The registry takes everything but the bytes, of which there are always enough under way to look like progress. */
function worst({ at }: UploadState, because: Because, kept: number): UploadEvent {
  if (at === 'check') return { on: 'head', found: false, candidates: [] }
  if (at === 'open') return { on: 'opened', location }
  if (at === 'ask') return { on: 'status', location, offset: kept, complete: false }
  return at === 'wait' ? { on: 'waited' } : failed(because, 2 * MIB)
}
