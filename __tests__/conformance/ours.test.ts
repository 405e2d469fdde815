import { CASES } from '../../conformance/cases/all.ts'
import { namedClient } from '../../conformance/clients/named.ts'
import { runCase } from '../../conformance/run-case.ts'

const SEED = 1

test.each(CASES.map(one => [one.name, one] as const))(
  '%s',
  async (_name, one) => {
    const { client, clock } = await namedClient('ours', SEED)
    const { findings } = await runCase(client, one, { seed: SEED, clock, limitMs: 20_000 })
    expect(findings.filter(({ level }) => level === 'must')).toEqual([])
  },
  30_000,
)

test('no two cases have one name, by which they are asked for', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
})
