import { Edge } from '../../src/action/edge.ts'
import { narrate } from '../../src/action/log.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import { sampleDigest } from '../tell/sample-report.ts'
import { recorder } from './recorder.ts'

const blob = { mediaType: 'application/octet-stream', digest: sampleDigest('blob'), size: 12_000_000 }
const short = blob.digest.slice(0, 19)
const place = 'ghcr.io/team/app'

function told(...events: readonly PublishEvent[]): readonly string[] {
  const { runner, calls } = recorder()
  const log = narrate(new Edge(runner))
  for (const event of events) log.onEvent(event)
  log.end()
  return calls
}

test('a group for each step, and a line in it for each thing that was done', () => {
  expect(
    told(
      { type: 'step', step: 'base', text: 'debian:12 is sha256:1' },
      { type: 'layer-start', line: 'dist/:/app', bytes: 5 },
      { type: 'layer-bytes', line: 'dist/:/app', delta: 5, pass: 'hash' },
      { type: 'layer-done', line: 'dist/:/app', origin: 'cached' },
      { type: 'step', step: 'push', text: 'push' },
      { type: 'blob-start', blob, place },
      { type: 'blob-progress', blob, bytes: 100, place },
      { type: 'blob-done', blob, how: 'uploaded', bytes: blob.size, place },
      { type: 'blob-done', blob, how: 'mounted', bytes: 0, place },
      { type: 'manifest-done', manifest: blob, how: 'exists', bytes: 0, place },
      { type: 'tagged', place, tags: ['v1', 'latest'] },
    ),
  ).toEqual([
    'startGroup: debian:12 is sha256:1',
    'info: layer known: dist/:/app',
    'endGroup',
    'startGroup: push',
    `info: sent: ${short}, 12 MB, ${place}`,
    `info: mounted: ${short}, 12 MB, ${place}`,
    `info: already there: ${short}, manifest, ${place}`,
    'info: tagged: ghcr.io/team/app v1, latest',
    'endGroup',
  ])
})

test('a retry says why, how often and how long it waits', () => {
  const retry = { type: 'retry', host: 'ghcr.io', operation: 'push blob', reason: '503', waitMs: 1500 } as const
  expect(told({ ...retry, attempt: 2, attempts: 6 }, { ...retry, attempt: 1, attempts: undefined, waitMs: 0 })).toEqual(
    [
      'info: ghcr.io: could not push blob: 503; again in 1.5 s (attempt 2 of 6)',
      'info: ghcr.io: could not push blob: 503; again at once (attempt 1)',
    ],
  )
})

test('a notice is an annotation, because nobody unfolds the log of a step that succeeded', () => {
  expect(told({ type: 'notice', text: 'Team/App is published as team/app' })).toEqual([
    'notice: Team/App is published as team/app',
  ])
})

test("a registry's words are no commands to the runner", () => {
  const reason = 'no\n::set-output name=digest::evil ##[error]x'
  const event = { type: 'retry', host: 'h', operation: 'o', reason, attempt: 1, attempts: 2, waitMs: 0 } as const
  const [line = ''] = told(event)
  expect(line).not.toMatch(/\n|##\[/)
})
