// Mutation testing: makes small wrong changes to the sources of a room, one at a time, and lists those that no unit test
// notices.
//   npm run mutate -- oci                           every mutant of src/oci
//   npm run mutate -- sign --sample 300 --seed 7    some of them, the same ones for the same seed
//   npm run mutate -- oci/digest.ts                 those of one file
//   npm run mutate -- sign --again                  those that survived the last run
// Writes the report to coverage/mutation/ and standard output. CONTRIBUTING.md explains it.
import { globSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { asDiff, readEquivalents } from './mutate/equivalents.js'
import { mutantsOf } from './mutate/mutants.js'
import { openRunner } from './mutate/pool.js'
import { asMarkdown } from './mutate/report.js'
import { ROOMS } from './mutate/rooms.js'
import { openSandbox } from './mutate/sandbox.js'
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
const what = positionals[0]?.replace(/\/$/, '')
const room = Object.keys(ROOMS).find(one => what === one || what?.startsWith(`${one}/`))
if (!room) {
  process.stderr.write(
    `usage: npm run mutate -- ROOM|FILE [--sample N] [--seed S]; rooms: ${Object.keys(ROOMS).join(', ')}\n`,
  )
  process.exit(2)
}

const begun = performance.now()
const sources = new Map()
for (const file of globSync(what.endsWith('.ts') ? `src/${what}` : `src/${what}/**/*.ts`, { cwd: ROOT }).sort()) {
  sources.set(file, readFileSync(join(ROOT, file), 'utf8'))
}
const equivalents = readEquivalents()
const all = [...sources].flatMap(([file, source]) =>
  mutantsOf(file, source).map(mutant => {
    const diff = asDiff(mutant, source)
    return { ...mutant, ...diff, why: equivalents.whyEqual({ ...mutant, ...diff }) }
  }),
)
const out = join(ROOT, 'coverage', 'mutation', what.replaceAll('/', '-'))
const chosen = choose(all)
if (values.list) {
  for (const { file, line, mutator, was, is } of chosen)
    process.stdout.write(`${file}:${line} ${mutator}\n- ${was}\n+ ${is}\n`)
  process.exit()
}

function choose(mutants) {
  if (values.again) {
    const left = JSON.parse(readFileSync(`${out}.json`, 'utf8')).results.filter(
      ({ outcome }) => outcome === 'survived' || outcome === 'not run',
    )
    const key = ({ file, within, was, is }) => [file, within, was, is].join('\n')
    const keys = new Set(left.map(key))
    return mutants.filter(one => keys.has(key(one)))
  }
  if (values.sample === undefined) return mutants
  const random = seeded(Number(values.seed))
  const shuffled = mutants.map(mutant => [random(), mutant]).sort(([a], [b]) => a - b)
  return shuffled.slice(0, Number(values.sample)).map(([, mutant]) => mutant)
}

/** mulberry32: the same numbers from 0 to 1 for the same seed. */
function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

await using sandbox = await openSandbox(ROOT)
const testTimeout = Number(values['test-timeout'])
const say = text => process.stderr.write(`${text}\n`)

// Coverage and duration of each test file.
const tests = globSync('__tests__/**/*.test.ts', { cwd: ROOT })
  .filter(
    test => !test.startsWith('__tests__/interop/') && ROOMS[room].some(one => test.startsWith(`__tests__/${one}`)),
  )
  .sort()
const usual = new Map()
const covers = new Map()
const broken = []
const first = openRunner({ root: sandbox.root, testTimeout })
for (const test of tests) {
  const said = await first.cover(test)
  if (!said?.ranges || said.noticed !== undefined) {
    broken.push(test)
    say(`${test} is left out, because it fails on unchanged sources: ${said?.noticed ?? 'it hangs'}`)
    if (said?.why) say(said.why)
    continue
  }
  usual.set(test, said.ms)
  covers.set(test, said.ranges)
}
first.close()
const usualMs = test => usual.get(test) ?? 0
say(
  `${usual.size} test files run in ${Math.round([...usual.values()].reduce((a, b) => a + b, 0) / 1000)} s; ${chosen.length} mutants`,
)

/** Test files that execute the mutated place, fastest first. */
function testsOf({ file, start }) {
  const runs = instance => {
    const around = instance.filter(([from, to]) => from <= start && start < to)
    const [inner] = around.sort(([a, b], [c, d]) => b - a - (d - c))
    return inner !== undefined && inner[2] > 0
  }
  return tests.filter(test => covers.get(test)?.[file]?.some(runs)).sort((a, b) => usualMs(a) - usualMs(b))
}

const types = openTypes(ROOT)
const results = []
const controls = { run: 0, failed: 0 }
const queue = [...chosen]
/** The test file that noticed the previous mutant of a source runs first for the next one, unless it is slow. */
const lately = new Map()

async function judge(mutant, place, runner) {
  if (mutant.why !== undefined) return { outcome: 'equivalent' }
  const { file, start, end, text } = mutant
  const source = sources.get(file)
  const changed = source.slice(0, start) + text + source.slice(end)
  if (!types.accepts(file, changed)) return { outcome: 'refused' }
  const run = testsOf(mutant)
  if (run.length === 0) return { outcome: 'not run' }
  const recent = lately.get(file)
  if (run.includes(recent)) run.unshift(...run.splice(run.indexOf(recent), 1))
  await place.change(file, changed)
  const result = await runner.run(run, usualMs)
  await place.restore(file)
  const by = run.find(test => result.by?.startsWith(test))
  if (by && usualMs(by) < 3 * usualMs(run.toSorted((a, b) => usualMs(a) - usualMs(b))[0])) lately.set(file, by)
  if (results.length % CONTROL_EVERY === CONTROL_EVERY - 1) {
    controls.run++
    if ((await runner.run(run, usualMs)).outcome !== 'survived') controls.failed++
  }
  return result
}

async function work(place) {
  const runner = openRunner({ root: place.root, testTimeout })
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    const from = performance.now()
    const { outcome, by } = await judge(mutant, place, runner)
    const { why: _, ...about } = mutant
    results.push({ ...about, outcome, by, ms: Math.round(performance.now() - from) })
    if (results.length % 25 === 0)
      say(`${results.length} of ${chosen.length}, ${Math.round((performance.now() - begun) / 1000)} s`)
    if (results.length % 25 === 0) write()
  }
  runner.close()
}

function write() {
  const sampled = values.sample !== undefined || values.again
  const seconds = Math.round((performance.now() - begun) / 1000)
  const stale = equivalents.stale([...sources.keys()])
  const report = { room: what, all: all.length, seed: values.seed, sampled, seconds, controls, results, stale, broken }
  mkdirSync(join(ROOT, 'coverage', 'mutation'), { recursive: true })
  const name = values.again ? `${out}-again` : out
  writeFileSync(`${name}.json`, JSON.stringify(report, null, 2))
  writeFileSync(`${name}.md`, asMarkdown(report))
  return asMarkdown(report)
}

const others = await Promise.all(Array.from({ length: Number(values.workers) - 1 }, () => openSandbox(ROOT)))
await Promise.all([sandbox, ...others].map(work))
for (const other of others) await other[Symbol.asyncDispose]()
process.stdout.write(write())
