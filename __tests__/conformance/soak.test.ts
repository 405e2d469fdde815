import { namedClient } from '../../conformance/clients/named.ts'
import { runCase, type Verdict } from '../../conformance/run-case.ts'
import { randomCase, soakSummary } from '../../conformance/soak.ts'

const SEED = 20_000
const RUNS = 40
const NUMBERS = Array.from({ length: RUNS }, (_, at) => SEED + at)

test.each(NUMBERS)(
  'random faults end in a right publication or a clear error (again: soak --runs 1 --seed %i)',
  async number => {
    const { client, clock } = await namedClient('ours', number)
    const { findings } = await runCase(client, randomCase(number), { seed: number, clock, limitMs: 20_000 })
    expect(findings.filter(({ level }) => level === 'must')).toEqual([])
  },
  30_000,
)

test('a run that went wrong can be run again', () => {
  expect(randomCase(7)).toEqual(randomCase(7))
  expect(randomCase(7)).not.toEqual(randomCase(8))
})

describe('soakSummary()', () => {
  const verdict = (number: number, exitCode: number, more: Partial<Verdict> = {}): Verdict => ({
    ...{ case: { ...randomCase(number), name: `run ${number}` }, result: 'pass', findings: [] },
    ...{ ended: { exitCode, output: '' }, ms: 1, requests: 10, sent: 0, ...more },
  })
  const wrong = { result: 'fail', findings: [{ rule: 'ends', level: 'must', what: 'it did not' }] } as const

  test('counts what was published, what was refused and what is wrong, each run once', () => {
    const { lines, told, bad } = soakSummary('ours', 3, [verdict(3, 0), verdict(4, 1), verdict(5, 1, wrong)])
    expect(bad).toBe(1)
    expect(told).toMatchObject({ client: 'ours', seed: 3, runs: 3, done: 1, errors: 1, wrong: 1, requests: 30 })
    expect(lines).toEqual([
      '  run 5: must "ends": it did not',
      'ours, seed 3: 3 runs with faults, 30 requests: 1 right publications, 1 clear errors, 1 wrong',
    ])
  })

  test('does not count a publication that is wrong among the right ones', () => {
    const { lines } = soakSummary('ours', 3, [verdict(3, 0), verdict(4, 0, wrong)])
    expect(lines.at(-1)).toContain('1 right publications, 0 clear errors, 1 wrong')
  })
})
