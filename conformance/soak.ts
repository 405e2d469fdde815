import type { Case, Trouble } from './case.ts'
import { PERSONALITIES, type PersonalityName } from './personality.ts'
import { between, pick, randomFrom } from './random.ts'
import type { Verdict } from './run-case.ts'
import type { Shape } from './sample.ts'
import type { Fault, Match } from './server/fault.ts'

const NAMES = Object.keys(PERSONALITIES) as [PersonalityName, ...PersonalityName[]]
const JOBS: [Case['job'], ...Case['job'][]] = [
  ...(['push', 'push', 'copy', 'copy', 'mount', 'pull'] as const),
  ...(['copy-referrers', 'attach', 'sign'] as const),
]
const SHAPES: [Shape, ...Shape[]] = ['index', 'index', 'image', 'nested', 'artifact', 'docker']

const PLACES: [Match, ...Match[]] = [
  {},
  { method: 'HEAD' },
  { method: 'GET' },
  { method: 'POST' },
  { path: /[/]blobs[/]uploads[/][^/?]+/ },
  { method: 'GET', path: '/blobs/' },
  { method: 'PUT', path: '/manifests/' },
  { path: '/manifests/' },
  { path: '/token' },
]

type Make = (random: () => number) => Fault

const status: Make = random => {
  const code = pick(random, [408, 429, 500, 502, 503, 504, 520])
  const again = random() < 0.4 ? { headers: { 'retry-after': `${between(random, 1, 3)}` } } : {}
  return { status: code, early: random() < 0.3, ...again }
}

const FAULTS: [Make, ...Make[]] = [
  status,
  status,
  random => ({ status: pick(random, [400, 403, 404, 405, 409, 413, 416]) }),
  random => ({ cutRequestAfter: between(random, 0, 50_000) }),
  random => ({ cutRequestAfter: between(random, 0, 50_000) }),
  random => ({ cutResponseAfter: between(random, 0, 50_000) }),
  () => ({ lostAnswer: true }),
  () => ({ reset: true }),
  random => ({ truncateTo: between(random, 0, 2_000) }),
  () => ({ damaged: true }),
  () => ({ digestHeader: `sha256:${'0'.repeat(64)}` }),
  random => ({ location: pick(random, ['relative', 'absolute', 'elsewhere', 'none']) }),
  () => ({ redirect: 'elsewhere' }),
  () => ({ expireTokens: true }),
  () => ({ forgetUploads: true }),
  random => ({ lagReads: between(random, 1, 4) }),
  () => ({ unlisted: true }),
  random => ({ slowMs: between(random, 1, 30) }),
]

/** A case that nobody thought of. The same number gives the same one. */
export function randomCase(number: number): Case {
  const random = randomFrom(number)
  const job = pick(random, JOBS)
  const before = random() < 0.3 ? pick(random, ['same', 'other'] as const) : undefined
  return {
    name: `run ${number}`,
    personality: pick(random, NAMES),
    job,
    shape: job === 'copy-referrers' ? 'signed' : pick(random, SHAPES),
    // What is attached to is there, whole.
    before: ['pull', 'attach', 'sign'].includes(job) ? undefined : before,
    immutable: random() < 0.1,
    troubles: Array.from({ length: between(random, 1, 6) }, () => randomTrouble(random, job)),
    expect: 'either',
  }
}

function randomTrouble(random: () => number, job: Case['job']): Trouble {
  const place = pick(random, PLACES)
  const ever = random() < 0.1
  const when: Match =
    random() < 0.4
      ? { chance: random() * 0.3 }
      : { nth: between(random, 1, 6), times: ever ? Infinity : between(random, 1, 3) }
  const fault = pick(random, FAULTS)(random)
  return { match: { ...place, ...when }, fault, at: job.startsWith('copy') && random() < 0.3 ? 'source' : undefined }
}

/** What came of all runs. */
export interface SoakSummary {
  readonly lines: readonly string[]
  /** For programs. */
  readonly told: object
  /** Runs that ended wrong. */
  readonly bad: number
}

export function soakSummary(name: string, seed: number, verdicts: readonly Verdict[]): SoakSummary {
  const bad = verdicts.filter(({ result }) => result === 'fail')
  const done = verdicts.filter(({ result, ended }) => result !== 'fail' && ended?.exitCode === 0).length
  const requests = verdicts.reduce((sum, verdict) => sum + verdict.requests, 0)
  const remarks = verdicts.filter(({ findings }) => findings.some(({ level }) => level === 'should'))
  const reasons = [...bad, ...remarks].flatMap(({ case: { name: run }, findings }) =>
    findings.map(({ level, rule, what }) => `  ${run}: ${level} "${rule}": ${what.slice(0, 240)}`),
  )
  const errors = verdicts.length - done - bad.length
  const counts = { runs: verdicts.length, done, errors, wrong: bad.length, requests }
  return {
    lines: [
      ...new Set(reasons),
      `${name}, seed ${seed}: ${verdicts.length} runs with faults, ${requests} requests: ${done} right publications, ` +
        `${errors} clear errors, ${bad.length} wrong`,
    ],
    told: { client: name, seed, ...counts, reasons },
    bad: bad.length,
  }
}
