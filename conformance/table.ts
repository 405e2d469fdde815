import type { Finding } from './judge/judge.ts'
import type { Verdict } from './run-case.ts'

/** One line a case: what came of it, and why it failed or what is not as it should be. */
export function tableOf(verdicts: readonly Verdict[]): readonly string[] {
  const width = Math.max(4, ...verdicts.map(({ case: { name } }) => name.length))
  return verdicts.flatMap(verdict => {
    const { case: one, result, ms, requests } = verdict
    const told = reasonsOf(verdict)
    const counts = result === 'none' ? '' : `${`${requests}`.padStart(5)} requests ${`${ms}`.padStart(6)} ms`
    const [first = '', ...rest] = told
    const head = `${one.name.padEnd(width)}  ${WORDS[result].padEnd(4)} ${counts}  ${first}`.trimEnd()
    return [head, ...rest.map(line => `${' '.repeat(width + 33)}${line}`)]
  })
}

const WORDS = { pass: 'ok', fail: 'FAIL', none: '-' } as const

function reasonsOf({ findings }: Verdict): readonly string[] {
  return [...findings].sort((a, b) => a.level.localeCompare(b.level)).map(sentence)
}

function sentence({ rule, level, what }: Finding): string {
  return `${level} "${rule}": ${what.replaceAll('\n', ' ').slice(0, 240)}`
}

/** How many of each, and how often each rule was broken. */
export function summaryOf(name: string, verdicts: readonly Verdict[]): readonly string[] {
  const count = (result: Verdict['result']): number => verdicts.filter(one => one.result === result).length
  const clean = verdicts.filter(({ result, findings }) => result === 'pass' && findings.length === 0).length
  const findings = verdicts.flatMap(verdict => verdict.findings)
  const broken = [...Map.groupBy(findings, ({ level, rule }) => `${level} "${rule}"`)]
    .map(([what, all]) => ({ what, times: all.length }))
    .sort((a, b) => b.times - a.times)
  return [
    `${name}: ${count('pass')} of ${verdicts.length} pass (${clean} of them without a remark), ${count('fail')} fail, ` +
      `${count('none')} cannot be done`,
    ...broken.map(({ what, times }) => `  ${`${times}`.padStart(3)} times ${what}`),
  ]
}
