// Mutation testing: makes small wrong changes to the sources of a room, one at a time, and lists those that no unit test
// notices.
//   npm run mutate -- oci                           every mutant of src/oci
//   npm run mutate -- sign --sample 300 --seed 7    some of them, the same ones for the same seed
//   npm run mutate -- oci/digest.ts                 those of one file
//   npm run mutate -- sign --again                  those that survived the last run
// Writes the report to coverage/mutation/ and standard output. CONTRIBUTING.md explains it.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openCoverage } from './mutate/coverage.js'
import { asDiff, readEquivalents } from './mutate/equivalents.js'
import { mutantsOf } from './mutate/mutants.js'
import { openRunner } from './mutate/pool.js'
import { asMarkdown } from './mutate/report.js'
import { ROOMS } from './mutate/rooms.js'
import { openSandbox } from './mutate/sandbox.js'
import { again, sample } from './mutate/sample.js'
import { openTypes } from './mutate/types.js'

const ROOT = join(import.meta.dirname, '..')
/** After this many mutants, tests run on unchanged sources: a test that fails there would count as noticing. */
const CONTROL_EVERY = 50

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    'test-timeout': { type: 'string', default: '15000' },
    again: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const what = positionals[0]?.replace(/\/$/, '') ?? ''
const room = Object.keys(ROOMS).find(one => what === one || what.startsWith(`${one}/`))
const say = text => process.stderr.write(`${text}\n`)

if (room) await main()
else {
  say(`usage: npm run mutate -- ROOM|FILE [--sample N] [--seed S]; rooms: ${Object.keys(ROOMS).join(', ')}`)
  process.exitCode = 2
}

async function main() {
  // Everything is read from the copy: the project may change while this runs.
  await using sandbox = await openSandbox(ROOT)
  const files = globSync(what.endsWith('.ts') ? `src/${what}` : `src/${what}/**/*.ts`, { cwd: sandbox.root }).sort()
  const sources = new Map(files.map(file => [file, readFileSync(join(sandbox.root, file), 'utf8')]))
  const equivalents = readEquivalents()
  const all = [...sources].flatMap(([file, source]) =>
    mutantsOf(file, source).map(mutant => ({ ...mutant, ...asDiff(mutant, source) })),
  )
  for (const mutant of all) mutant.why = equivalents.whyEqual(mutant)
  const out = join(ROOT, 'coverage', 'mutation', what.replaceAll('/', '-'))
  const chosen = values.again ? again(all, `${out}.json`) : sample(all, values.sample, values.seed)
  if (values.list) {
    for (const { file, line, mutator, was, is } of chosen) {
      process.stdout.write(`${file}:${line} ${mutator}\n- ${was}\n+ ${is}\n`)
    }
    return
  }
  const facts = { room: what, all: all.length, seed: values.seed, sampled: values.sample !== undefined || values.again }
  const write = tested => {
    const report = { ...facts, ...tested, stale: equivalents.stale(files) }
    mkdirSync(join(ROOT, 'coverage', 'mutation'), { recursive: true })
    const name = values.again ? `${out}-again` : out
    writeFileSync(`${name}.json`, JSON.stringify(report, null, 2))
    writeFileSync(`${name}.md`, asMarkdown(report))
    return asMarkdown(report)
  }
  process.stdout.write(write(await test(chosen, sources, sandbox, write)))
}

async function test(chosen, sources, sandbox, write) {
  const begun = performance.now()
  const testTimeout = Number(values['test-timeout'])
  const coverage = await openCoverage({ root: sandbox.root, testTimeout, prefixes: ROOMS[room], say })
  say(`${coverage.files} test files run in ${Math.round(coverage.ms / 1000)} s; ${chosen.length} mutants`)
  const types = openTypes(sandbox.root)
  const tested = { results: [], controls: { run: 0, failed: [] }, broken: coverage.broken, seconds: 0 }
  const queue = [...chosen]
  /** The test file that noticed the previous mutant of a source runs first for the next one. */
  const lately = new Map()

  async function judge(mutant, place, runner) {
    if (mutant.why !== undefined) return { outcome: 'equivalent' }
    const { file, start, end, text } = mutant
    const source = sources.get(file)
    const changed = source.slice(0, start) + text + source.slice(end)
    if (!types.accepts(file, changed)) return { outcome: 'refused' }
    const tests = coverage.testsOf(mutant)
    if (tests.length === 0) return { outcome: 'not run' }
    const recent = tests.indexOf(lately.get(file))
    if (recent > 0) tests.unshift(...tests.splice(recent, 1))
    await place.write(file, changed)
    const result = await runner.run(tests, coverage.usualMs)
    await place.write(file, source)
    if (result.test && coverage.isQuick(result.test)) lately.set(file, result.test)
    if (tested.results.length % CONTROL_EVERY === CONTROL_EVERY - 1) await control(tests, runner)
    return result
  }

  async function control(tests, runner) {
    tested.controls.run++
    const { outcome, by } = await runner.run(tests, coverage.usualMs)
    if (outcome !== 'survived') tested.controls.failed.push(by)
  }

  async function work(place) {
    const runner = openRunner({ root: place.root, testTimeout })
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const from = performance.now()
      const { outcome, by } = await judge(mutant, place, runner)
      tested.results.push({ ...mutant, outcome, by, ms: Math.round(performance.now() - from) })
      tested.seconds = Math.round((performance.now() - begun) / 1000)
      if (tested.results.length % 25 !== 0) continue
      say(`${tested.results.length} of ${chosen.length}, ${tested.seconds} s`)
      write(tested)
    }
    runner.close()
  }

  const others = await Promise.all(Array.from({ length: Number(values.workers) - 1 }, () => openSandbox(sandbox.root)))
  await Promise.all([sandbox, ...others].map(work))
  for (const other of others) await other[Symbol.asyncDispose]()
  return tested
}
