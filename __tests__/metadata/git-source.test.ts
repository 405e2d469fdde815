import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Exec } from '../../src/exec.ts'
import { gitSource } from '../../src/metadata/git-source.ts'
import { repositories, type Repositories } from '../support/repository.ts'

describe('gitSource()', () => {
  let repo: Repositories
  let directory: string
  beforeEach(async () => {
    repo = await repositories()
    directory = await repo.create('app')
  })
  afterEach(() => repo.remove())

  const git = (...args: readonly string[]): Promise<string> => repo.git(directory, ...args)
  const source = (at = directory): ReturnType<typeof gitSource> => gitSource(at, { env: repo.env, exec: repo.exec })

  test('tells commit, branch and remote, from a directory below too, and nothing of new files', async () => {
    const id = await git('rev-parse', 'HEAD')
    await git('remote', 'add', 'origin', 'https://github.com/org/app')
    await mkdir(join(directory, 'dist'))
    await writeFile(join(directory, 'dist', 'new'), 'x')
    const expected = { url: 'https://github.com/org/app', commit: id, ref: 'refs/heads/main', dirty: false }
    expect(await source()).toEqual(expected)
    expect(await source(join(directory, 'dist'))).toEqual(expected)
  })

  test('tells that a file of the commit was changed, and that no branch is checked out', async () => {
    const id = await git('rev-parse', 'HEAD')
    await git('checkout', '-q', '--detach')
    await writeFile(join(directory, 'file'), 'other')
    expect(await source()).toEqual({ url: undefined, commit: id, ref: undefined, dirty: true })
  })

  test.each([
    ['https://user:secret@example.com/org/app.git', 'https://example.com/org/app.git'],
    ['https://ghs_secret@github.com/org/app/', 'https://github.com/org/app'],
    ['https://example.com/app?token=secret#secret', 'https://example.com/app'],
    ['http://user@example.com:8080/app', 'http://example.com:8080/app'],
    ['git@github.com:org/app.git', 'ssh://github.com/org/app.git'],
    ['someone:/srv/app.git', 'ssh://someone/srv/app.git'],
    ['ssh://someone:secret@example.com:2222/app', 'ssh://example.com:2222/app'],
    ['git://example.com/app', 'git://example.com/app'],
    ['/srv/secret/app', undefined],
    ['../app', undefined],
    ['file:///srv/app', undefined],
    ['C:\\secret\\app', undefined],
    ['ext::sh -c secret', undefined],
  ])('of the remote %s it shows %s', async (remote, url) => {
    await git('config', 'remote.origin.url', remote)
    const found = await source()
    expect(found?.url).toBe(url)
    expect(JSON.stringify(found)).not.toContain('secret')
  })

  test('shows no user and no password of any remote', async () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=%-]{1,20}$/)
    const scheme = fc.constantFrom('https', 'http', 'ssh', 'git')
    await fc.assert(
      fc.asyncProperty(scheme, word, fc.option(word), async (scheme, user, password) => {
        const secrets = [`<${user}>`, ...(password === null ? [] : [`<${password}>`])]
        const remote = `${scheme}://${secrets.join(':')}@example.com/app`
        const answering: Exec = async (command, args, options) =>
          args.includes('remote.origin.url')
            ? { exitCode: 0, stdout: remote, stderr: '' }
            : repo.exec(command, args, options)
        const found = await gitSource(directory, { env: repo.env, exec: answering })
        expect(found !== undefined && (found.url === undefined || found.url === `${scheme}://example.com/app`)).toBe(
          true,
        )
      }),
      { numRuns: 20 },
    )
  })

  test('is undefined without a commit, a checkout, or git', async () => {
    expect(await source(repo.root)).toBeUndefined()
    expect(await source(join(repo.root, 'nowhere'))).toBeUndefined()
    await repo.git(repo.root, 'init', '-q', 'empty')
    expect(await source(join(repo.root, 'empty'))).toBeUndefined()
    const noGit: Exec = () => Promise.reject(new Error('no git'))
    expect(await gitSource(directory, { env: repo.env, exec: noGit })).toBeUndefined()
  })

  test('stops when it is told to', async () => {
    const stopped: Exec = () => Promise.reject(new Error('aborted'))
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(gitSource(directory, { env: repo.env, exec: stopped, signal })).rejects.toThrow('stop')
  })
})
