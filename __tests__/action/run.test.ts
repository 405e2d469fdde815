import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAction, type ActionParts } from '../../src/action/run.ts'
import { AuthError } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { sampleDigest, sampleReport } from '../tell/sample-report.ts'
import { recorder } from './recorder.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'action-'))
  await writeFile(join(dir, 'summary.md'), '')
})
afterEach(() => rm(dir, { recursive: true }))

interface Given {
  readonly inputs?: Readonly<Record<string, string>>
  readonly publish?: ActionParts<string>['publish']
  readonly saveCache?: () => Promise<void>
  readonly signal?: AbortSignal
}

/** Runs the action on stand-ins, and tells everything that happened in order. */
async function run({ inputs = {}, publish = () => Promise.resolve(sampleReport()), ...given }: Given) {
  const { runner, calls, outputs } = recorder(inputs)
  const seen: { values?: FieldValues; layout?: string } = {}
  await runAction(runner, {
    env: {
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REF: 'refs/heads/main',
      RUNNER_TEMP: dir,
      GITHUB_STEP_SUMMARY: join(dir, 'summary.md'),
    },
    signal: given.signal ?? new AbortController().signal,
    wire({ values, onEvent, onSecret, defaultLayout }) {
      Object.assign(seen, { values, layout: defaultLayout })
      onSecret('token-from-helper')
      onEvent({ type: 'step', step: 'base', text: 'the base' })
      const note = (text: string) => () => {
        calls.push(text)
        return Promise.resolve()
      }
      return Promise.resolve({
        deps: 'deps',
        restoreCache: note('restoreCache'),
        saveCache: given.saveCache ?? note('saveCache'),
        close: note('close'),
      })
    },
    publish: (values, deps, options) => {
      calls.push(`publish with ${deps}`)
      return publish(values, deps, options)
    },
  })
  const summary = await readFile(join(dir, 'summary.md'), 'utf8')
  return { calls: calls.filter(call => !call.startsWith('getInput')), outputs, summary, ...seen }
}

describe('runAction()', () => {
  test('publishes with the cache of earlier jobs, and tells the result outside of any group', async () => {
    const { calls, outputs, summary } = await run({ inputs: { images: 'ghcr.io/team/app', 'show-summary': 'true' } })
    expect(calls.slice(0, 4)).toEqual([
      'setSecret: token-from-helper',
      'startGroup: the base',
      'restoreCache',
      'publish with deps',
    ])
    expect(calls.indexOf('endGroup')).toBeLessThan(calls.findIndex(call => call.includes('@sha256:')))
    expect(calls.slice(-2)).toEqual(['saveCache', 'close'])
    expect(outputs.get('digest')).toBe(sampleDigest('index'))
    expect(summary).toContain('### Published')
  })

  test('tags with the branch where no tag is given', async () => {
    expect((await run({ inputs: { images: 'ghcr.io/team/app' } })).values).toMatchObject({ tags: ['main'] })
  })

  test('a layout that nobody named goes to the runner, not into the checkout', async () => {
    expect((await run({})).layout).toMatch(new RegExp(`^${RegExp.escape(join(dir, 'oci-publish-'))}`))
  })

  test('a failure is told and everything is closed; there are no outputs of what is not there', async () => {
    const publish = () => Promise.reject(new AuthError('ghcr.io', 'ghcr.io: no credentials'))
    const { calls, outputs, summary } = await run({ publish })
    expect(calls.slice(-3)).toEqual(['close', 'endGroup', 'setFailed: ghcr.io: no credentials'])
    expect(outputs.size).toBe(0)
    expect(summary).toContain('### Not published\n\n- `ghcr.io: no credentials`')
  })

  test('what was published stays published when the cache cannot be saved', async () => {
    const { calls, outputs } = await run({ saveCache: () => Promise.reject(new Error('the service is down')) })
    expect(calls).toContain('warning: the cache was not saved: the service is down')
    expect(calls.filter(call => call.startsWith('setFailed'))).toEqual([])
    expect(outputs.get('digest')).toBe(sampleDigest('index'))
  })

  test('no summary is written for those who do not want one', async () => {
    expect((await run({ inputs: { 'show-summary': 'false' } })).summary).toBe('')
  })

  test('a cancelled run says that it was stopped, not that there is a bug', async () => {
    const reason = Object.assign(new Error('stopped by SIGINT'), { name: 'AbortError' })
    const publish = () => Promise.reject(reason)
    const { calls } = await run({ publish, signal: AbortSignal.abort(reason) })
    expect(calls.slice(-2)).toEqual(['endGroup', 'setFailed: stopped by SIGINT'])
  })

  test('without a tag it says that nobody will find it by name', async () => {
    const [target] = sampleReport().targets
    const targets = target ? [{ ...target, tags: [] }] : []
    const { calls } = await run({ publish: () => Promise.resolve(sampleReport({ targets })) })
    expect(calls).toContain('notice: without a tag, by digest only: ghcr.io/team/app')
  })
})
