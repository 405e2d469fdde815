import type { Verdict } from '../../conformance/run-case.ts'
import { summaryOf, tableOf } from '../../conformance/table.ts'

const verdict = (name: string, result: Verdict['result'], findings: Verdict['findings'] = []): Verdict => ({
  ...{ case: { name, personality: 'spec', job: 'push', expect: 'done' }, result, findings },
  ...{ ended: { exitCode: 0, output: '' }, ms: 12, requests: 7, sent: 0 },
})
const left = { rule: 'ends the uploads that it began', level: 'should', what: '1 left open' } as const
const gave = { rule: 'does what can be done', level: 'must', what: 'it gave up:\nno' } as const

test('the table says of each case what came of it, and first why it failed', () => {
  expect(
    tableOf([verdict('short', 'pass'), verdict('not for it', 'none'), verdict('bad', 'fail', [left, gave])]),
  ).toEqual([
    'short       ok       7 requests     12 ms',
    'not for it  -',
    'bad         FAIL     7 requests     12 ms  must "does what can be done": it gave up: no',
    `${' '.repeat(43)}should "ends the uploads that it began": 1 left open`,
  ])
})

test('a reason does not fill the screen', () => {
  const [line = ''] = tableOf([verdict('long', 'fail', [{ ...gave, what: 'x'.repeat(9_000) }])])
  expect(line.length).toBeLessThan(350)
})

test('the summary counts cases, and which rules were broken how often', () => {
  const verdicts = [
    verdict('a', 'pass'),
    verdict('b', 'pass', [left]),
    verdict('c', 'fail', [gave, left]),
    verdict('d', 'none'),
  ]
  expect(summaryOf('crane', verdicts)).toEqual([
    'crane: 2 of 4 pass (1 of them without a remark), 1 fail, 1 cannot be done',
    '    2 times should "ends the uploads that it began"',
    '    1 times must "does what can be done"',
  ])
})
