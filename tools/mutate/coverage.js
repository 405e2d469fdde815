// Which test files execute which places of the sources, and how long each takes.
import { globSync } from 'node:fs'
import { openRunner } from './pool.js'

/** @param {{ root: string, testTimeout: number, prefixes: string[], say: (text: string) => void }} options */
export async function openCoverage({ root, testTimeout, prefixes, say }) {
  const runner = openRunner({ root, testTimeout })
  const durations = new Map()
  const ranges = new Map()
  const broken = []
  const tests = globSync('__tests__/**/*.test.ts', { cwd: root })
    .filter(test => !test.startsWith('__tests__/interop/'))
    .filter(test => prefixes.some(prefix => test.startsWith(`__tests__/${prefix}`)))
    .sort()
  for (const test of tests) {
    let said = await runner.cover(test)
    if (said?.noticed !== undefined) said = await runner.cover(test)
    if (said?.ranges && said.noticed === undefined) {
      durations.set(test, said.ms)
      ranges.set(test, said.ranges)
    } else {
      broken.push(test)
      say(`${test} is left out, because it fails on unchanged sources: ${said?.noticed ?? 'it hangs'}`)
      if (said?.why) say(said.why)
    }
  }
  runner.close()

  const usualMs = test => durations.get(test) ?? 0
  const middle = [...durations.values()].sort((a, b) => a - b)[durations.size >> 1] ?? 0
  return {
    broken,
    files: durations.size,
    ms: [...durations.values()].reduce((a, b) => a + b, 0),
    usualMs,
    /** Faster than half of the files. */
    isQuick: test => usualMs(test) <= middle,
    /** Test files that execute the mutated place, fastest first. */
    testsOf: ({ file, start }) =>
      [...ranges.keys()]
        .filter(test => ranges.get(test)[file]?.some(instance => executes(instance, start)))
        .sort((a, b) => usualMs(a) - usualMs(b)),
  }
}

/** The innermost of V8's ranges around a place has its count. */
function executes(instance, at) {
  let inner
  for (const range of instance) {
    const [from, to] = range
    if (from <= at && at < to && (!inner || to - from <= inner[1] - inner[0])) inner = range
  }
  return inner !== undefined && inner[2] > 0
}
