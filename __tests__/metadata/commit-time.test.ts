import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exec } from '../../src/exec.ts'
import { commitTime } from '../../src/metadata/commit-time.ts'

const git =
  (exitCode: number, stdout: string): Exec =>
  () =>
    Promise.resolve({ exitCode, stdout, stderr: '' })

describe('commitTime()', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commit-time-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const event = async (body: unknown): Promise<NodeJS.ProcessEnv> => {
    const path = join(directory, 'event.json')
    await writeFile(path, JSON.stringify(body))
    return { GITHUB_EVENT_PATH: path }
  }

  test('is that of the checkout, so that the day of the run does not change the image', async () => {
    expect(await commitTime('.', { env: {}, exec: git(0, '1700000000\n') })).toBe(1_700_000_000)
  })

  test('is that of the event where files were brought without a checkout', async () => {
    const env = await event({ head_commit: { timestamp: '2023-11-14T22:13:20Z' } })
    expect(await commitTime('.', { env, exec: git(128, '') })).toBe(1_700_000_000)
  })

  test.each([{ head_commit: null }, {}, { head_commit: { timestamp: 'soon' } }, []])(
    'an event like %j says nothing',
    async body => {
      expect(await commitTime('.', { env: await event(body), exec: git(128, '') })).toBeUndefined()
    },
  )

  test('without git and without an event there is none', async () => {
    const exec: Exec = () => Promise.reject(new Error('no git'))
    expect(await commitTime('.', { env: {}, exec })).toBeUndefined()
  })
})
