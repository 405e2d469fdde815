import { join } from 'node:path'
import { commitTime } from '../../src/metadata/commit-time.ts'
import type { Exec } from '../../src/exec.ts'
import { COMMITTED_AT, repositories, type Repositories } from '../support/repository.ts'

describe('commitTime()', () => {
  let repo: Repositories
  beforeEach(async () => {
    repo = await repositories()
  })
  afterEach(() => repo.remove())

  const event = async (body: unknown): Promise<NodeJS.ProcessEnv> => {
    const path = join(repo.root, 'event.json')
    await repo.write(path, JSON.stringify(body))
    return { ...repo.env, GITHUB_EVENT_PATH: path }
  }
  const time = (directory: string, env = repo.env): Promise<number | undefined> =>
    commitTime(directory, { env, exec: repo.exec })

  test('is that of the checkout, so that the day of the run does not change the image', async () => {
    expect(await time(await repo.create('app'))).toBe(COMMITTED_AT)
  })

  test('is that of the event where files were brought without a checkout', async () => {
    const env = await event({ head_commit: { timestamp: '2023-11-14T22:13:21Z' } })
    expect(await time(repo.root, env)).toBe(COMMITTED_AT + 1)
  })

  test.each([{ head_commit: null }, {}, { head_commit: { timestamp: 'soon' } }, []])(
    'an event like %j says nothing',
    async body => {
      expect(await time(repo.root, await event(body))).toBeUndefined()
    },
  )

  test('is that of the committer, whatever the message and the author say', async () => {
    const directory = await repo.create('app')
    const lie = 'committer x <x@example.com> 1 +0000'
    await repo.git(directory, 'commit', '-q', '--amend', '-m', lie, '--author', `${lie} <x@example.com>`)
    expect(await time(directory)).toBe(COMMITTED_AT)
  })

  test('without git and without an event there is none', async () => {
    const exec: Exec = () => Promise.reject(new Error('no git'))
    expect(await commitTime(await repo.create('app'), { env: {}, exec })).toBeUndefined()
  })
})
