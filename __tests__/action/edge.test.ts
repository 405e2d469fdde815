import fc from 'fast-check'
import { Edge } from '../../src/action/edge.ts'
import { failuresOf } from '../../src/tell/failure.ts'
import { Secrets } from '../../src/tell/secrets.ts'
import { failureSummary, reportSummary } from '../../src/tell/summary.ts'
import { sampleReport } from '../tell/sample-report.ts'
import { HOSTILE, anyText, isCommand, isHarmless } from '../tell/hostile.ts'
import { recorder } from './recorder.ts'

test('whatever is told, the runner gets one harmless line for each, and no command', () => {
  fc.assert(
    fc.property(anyText, text => {
      const { runner, calls } = recorder({}, { debug: true })
      const edge = new Edge(runner)
      edge.info(text)
      edge.notice(text)
      edge.warning(text)
      edge.error(text, text)
      edge.startGroup(text)
      edge.debug(() => [text])
      edge.fail([text])
      expect(calls).toHaveLength(7)
      for (const call of calls) {
        const line = call.replace(/^\w+(?: \[.*\])?: /s, '')
        expect([isHarmless(call), call.includes('\n'), isCommand(line)]).toEqual([true, false, false])
      }
    }),
  )
})

test('an entry of an output cannot pass for two, and JSON means the same', () => {
  fc.assert(
    fc.property(fc.array(anyText), entries => {
      const { runner, outputs } = recorder()
      const edge = new Edge(runner)
      edge.output('list', entries)
      edge.output('json', { json: entries })
      const list = String(outputs.get('list'))
      expect(list.split('\n')).toHaveLength(Math.max(1, entries.length))
      expect(isHarmless(list)).toBe(true)
      expect(JSON.parse(String(outputs.get('json')))).toEqual(entries)
    }),
  )
})

test.each(HOSTILE)('a title %j stays in its cell of the summary', title => {
  const file = { title, digest: sampleReport().digest, mediaType: title, size: 1 }
  const report = sampleReport({ artifactType: title, platforms: [], layers: [file], refs: [title], tags: [title] })
  const summary = reportSummary(report, new Secrets())
  const plain = reportSummary(
    sampleReport({ artifactType: 'a/b', platforms: [], layers: [file], refs: ['r'] }),
    new Secrets(),
  )
  expect(summary.split('\n')).toHaveLength(plain.split('\n').length)
  expect(isHarmless(summary)).toBe(true)
  const [row = ''] = summary.split('\n').filter(line => line.includes('| 1 B |'))
  expect(row.match(/\|/g)).toHaveLength(5)
})

test('a secret with an underscore is hidden in the summary, whose escapes the runner does not see through', () => {
  const secrets = new Secrets()
  secrets.add('ghs_a_b_c')
  const summary = failureSummary(failuresOf(new Error('refused ghs_a_b_c')), secrets)
  expect(summary).toContain('`refused ***`')
  // One that only the runner knows stands there as it is, so that the runner finds it.
  expect(failureSummary(failuresOf(new Error('refused npm_x_y')), secrets)).toContain('npm_x_y')
})
