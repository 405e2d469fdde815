import { numberOf, readArguments } from './arguments.ts'
import { namedClient } from './clients/named.ts'
import { inParallel } from './in-parallel.ts'
import { runCase } from './run-case.ts'
import { randomCase, soakSummary } from './soak.ts'

const text = { type: 'string' } as const

/** `soak`: random faults, and nothing may ever be wrong or half there. */
export async function soakCommand(args: readonly string[]): Promise<number> {
  const values = readArguments(args, { runs: text, seed: text, client: text, jobs: text, json: { type: 'boolean' } })
  const seed = numberOf('seed', values.seed, Math.floor(Math.random() * 1e9))
  const runs = numberOf('runs', values.runs, 1_000)
  const name = values.client ?? 'ours'
  process.stderr.write(`seed ${seed}\n`)
  const numbers = Array.from({ length: runs }, (_, at) => seed + at)
  const verdicts = await inParallel(numberOf('jobs', values.jobs, 4), numbers, async number => {
    const { client, clock } = await namedClient(name, number)
    return await runCase(client, randomCase(number), { seed: number, clock, limitMs: 60_000 })
  })
  const { lines, told, bad } = soakSummary(name, seed, verdicts)
  process.stdout.write(values.json ? `${JSON.stringify(told, null, 2)}\n` : `${lines.join('\n')}\n`)
  return bad > 0 ? 1 : 0
}
