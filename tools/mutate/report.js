// The Markdown report of a run. The JSON next to it has every mutant.

const NOTICED = new Set(['noticed', 'timeout'])

export function scoreOf(results) {
  const count = outcome => results.filter(one => one.outcome === outcome).length
  const counted = results.filter(({ outcome }) => NOTICED.has(outcome) || ['survived', 'not run'].includes(outcome))
  const noticed = counted.filter(({ outcome }) => NOTICED.has(outcome)).length
  return {
    refused: count('refused'),
    equivalent: count('equivalent'),
    counted: counted.length,
    noticed: count('noticed'),
    timeouts: count('timeout'),
    survived: counted.length - noticed,
    score: counted.length === 0 ? 100 : Math.floor((1000 * noticed) / counted.length) / 10,
  }
}

export function asMarkdown({ room, all, seed, sampled, seconds, controls, results, stale, broken }) {
  const score = scoreOf(results)
  const sample = sampled ? `${results.length} of ${all} (seed ${seed})` : `all ${all}`
  const head = [
    'Room',
    'Mutants',
    'Refused by tsc',
    'Equivalent',
    'Noticed',
    'Timeouts',
    'Survived',
    'Score',
    'Seconds',
  ]
  const { refused, equivalent, noticed, timeouts, survived } = score
  const row = [room, sample, refused, equivalent, noticed, timeouts, survived, `${score.score} %`, seconds]
  const left = results.filter(({ outcome }) => ['survived', 'not run'].includes(outcome))
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    `| ${row.join(' | ')} |`,
    '',
    `Control runs of unchanged sources: ${controls.run}, failed: ${controls.failed.length}.`,
    ...controls.failed.map(by => `- ${by}`),
    ...broken.map(test => `Left out, because it fails on unchanged sources: ${test}`),
    ...(left.length > 0 ? ['', '## Survivors', ...left.flatMap(asLines)] : []),
    ...(stale.length > 0 ? ['', '## Entries of equivalents.json that match no mutant', ''] : []),
    ...stale.map(({ file, was }) => `- ${file}: \`${was}\``),
    '',
  ].join('\n')
}

function asLines({ file, line, within, mutator, outcome, was, is }) {
  const where = `${file}:${line}${within && `, ${within}`} (${mutator}${outcome === 'not run' ? ', not covered' : ''})`
  return ['', where, '', '```diff', `- ${was}`, `+ ${is}`, '```']
}
