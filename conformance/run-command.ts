import { UsageError, numberOf, personalityOf, readArguments } from './arguments.ts'
import type { Case } from './case.ts'
import { CASES } from './cases/all.ts'
import { namedClient, type Named } from './clients/named.ts'
import { inParallel } from './in-parallel.ts'
import { runCase, type Verdict } from './run-case.ts'
import { summaryOf, tableOf } from './table.ts'

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const

/** `run`: the cases with one client. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const values = readArguments(args, {
    client: text,
    personality: texts,
    case: texts,
    seed: text,
    slow: flag,
    jobs: text,
    limit: text,
    json: flag,
    verbose: flag,
  })
  const seed = numberOf('seed', values.seed, 1)
  const limitMs = numberOf('limit', values.limit, 30) * 1_000
  const cases = chosen(values)
  const name = values.client ?? 'ours'
  const verdicts = await inParallel(numberOf('jobs', values.jobs, 2), cases, async one => {
    // Time that one case leaps over is not that of another.
    const { client, clock }: Named = await namedClient(name, seed)
    return await runCase(client, one, { seed, clock, limitMs })
  })
  if (values.json) process.stdout.write(`${JSON.stringify(verdicts.map(toldOf), null, 2)}\n`)
  else {
    const lines = tableOf(verdicts)
    const output = values.verbose ? verdicts.filter(({ result }) => result === 'fail').flatMap(outputOf) : []
    process.stdout.write(`${[...lines, ...output, '', ...summaryOf(name, verdicts)].join('\n')}\n`)
  }
  return verdicts.some(({ result }) => result === 'fail') ? 1 : 0
}

function chosen(values: { personality?: string[]; case?: string[]; slow?: boolean }): readonly Case[] {
  const personalities = values.personality?.map(personalityOf)
  const cases = CASES.filter(
    ({ name, personality, slow }) =>
      (values.slow === true || slow !== true) &&
      (personalities?.includes(personality) ?? true) &&
      (values.case?.some(part => name.includes(part)) ?? true),
  )
  if (cases.length === 0) throw new UsageError('there is no such case; list says which there are')
  return cases
}

function outputOf({ case: { name }, ended }: Verdict): readonly string[] {
  return ['', `--- ${name}`, ended?.output.trim() ?? '']
}

/** For programs: no faults with endless numbers, which JSON has not. */
function toldOf({
  case: { name, personality, job, expect },
  result,
  findings,
  ended,
  ms,
  requests,
  sent,
}: Verdict): object {
  return { name, personality, job, expect, result, findings, exitCode: ended?.exitCode, ms, requests, sent }
}
