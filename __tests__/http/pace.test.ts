import { UNMEASURED, measure, type Measured } from '../../src/http/pace.ts'

const PACE = { paceMs: 60_000, paceBytes: 60 << 10 }

/** Chunks as they come: how long each is waited for, and its bytes. @returns seconds until it is too slow, or undefined */
function slowAfter(chunks: Iterable<readonly [waitedMs: number, bytes: number]>): number | undefined {
  let measured: Measured = UNMEASURED
  let totalMs = 0
  for (const [waitedMs, bytes] of chunks) {
    totalMs += waitedMs
    const next = measure(measured, waitedMs, bytes, PACE)
    if (next === 'too-slow') return totalMs / 1_000
    measured = next
  }
  return undefined
}

function* steady(everyMs: number, bytes: number, forMs = 3_600_000): Generator<readonly [number, number]> {
  for (let ms = 0; ms < forMs; ms += everyMs) yield [everyMs, bytes]
}

function* then(...parts: readonly Iterable<readonly [number, number]>[]): Generator<readonly [number, number]> {
  for (const part of parts) yield* part
}

test.each([
  ['a byte a second', steady(1_000, 1), 60],
  ['a byte a millisecond less than the rate', steady(1_000, 1_023), 60],
  ['a chunk just before every minute of silence', steady(59_000, 1_000), 118],
  ['a good start and then a byte a second', then(steady(100, 1 << 20, 10_000), steady(1_000, 1)), 120],
  ['an hour at the rate and then less', then(steady(1_000, 1_024), steady(1_000, 100)), 3_660],
])('%s ends', (_name, chunks, seconds) => {
  expect(slowAfter(chunks)).toBe(seconds)
})

test.each([
  ['a line of the least rate', steady(1_000, 1_024)],
  ['a bad line of 9.6 kbit/s', steady(1_000, 1_200)],
  [
    'a line that stops for 50 s of each minute',
    then(...Array.from({ length: 60 }, () => then(steady(50_000, 1, 50_000), steady(1_000, 10_000, 10_000)))),
  ],
  ['a small document that is whole before a minute', steady(1_000, 10, 59_000)],
  ['a reader that takes hours with what it has', Array.from({ length: 1_000 }, () => [0, 1] as const)],
])('%s goes on', (_name, chunks) => {
  expect(slowAfter(chunks)).toBeUndefined()
})
