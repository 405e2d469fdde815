// Which mutants of a room are tested.
import { readFileSync } from 'node:fs'

/** Some of the mutants, in an order that only depends on the seed, so that the beginning of a sample is a sample too. */
export function sample(mutants, size, seed) {
  if (size === undefined) return mutants
  const random = seeded(Number(seed))
  const shuffled = mutants.map(mutant => [random(), mutant]).sort(([a], [b]) => a - b)
  return shuffled.slice(0, Number(size)).map(([, mutant]) => mutant)
}

/** The survivors of an earlier run, as far as the sources still have them. */
export function again(mutants, report) {
  const key = ({ file, within, was, is }) => [file, within, was, is].join('\n')
  const { results } = JSON.parse(readFileSync(report, 'utf8'))
  const left = new Set(results.filter(({ outcome }) => ['survived', 'not run'].includes(outcome)).map(key))
  return mutants.filter(one => left.has(key(one)))
}

/** mulberry32: the same numbers between 0 and 1 for the same seed. */
function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
