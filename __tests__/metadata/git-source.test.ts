import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { exec, type Exec } from '../../src/exec.ts'
import { gitSource } from '../../src/metadata/git-source.ts'

describe('gitSource()', () => {
  let directory: string
  let env: NodeJS.ProcessEnv
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'git-source-'))
    env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' }
  })
  afterEach(() => rm(directory, { recursive: true }))

  const git = async (...args: readonly string[]): Promise<string> => {
    const me = ['-c', 'user.name=me', '-c', 'user.email=me@example.com', '-c', 'init.defaultBranch=main']
    const { stdout } = await promisify(execFile)('git', ['-C', directory, ...me, ...args], { env })
    return stdout.trim()
  }
  const own: Exec = (command, args, options) => exec(command, args, { ...options, env })
  const source = (at = directory): ReturnType<typeof gitSource> => gitSource(at, { exec: own })

  const commit = async (): Promise<string> => {
    await git('init', '-q')
    await writeFile(join(directory, 'file'), 'one')
    await git('add', 'file')
    await git('commit', '-q', '-m', 'one')
    return git('rev-parse', 'HEAD')
  }

  test('tells commit, branch and remote, from a directory below too, and nothing of new files', async () => {
    const id = await commit()
    await git('remote', 'add', 'origin', 'https://github.com/org/app')
    await mkdir(join(directory, 'dist'))
    await writeFile(join(directory, 'dist', 'new'), 'x')
    const expected = { url: 'https://github.com/org/app', commit: id, ref: 'refs/heads/main', dirty: false }
    expect(await source()).toEqual(expected)
    expect(await source(join(directory, 'dist'))).toEqual(expected)
  })

  test('tells that a file of the commit was changed, and that no branch is checked out', async () => {
    const id = await commit()
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
    await commit()
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
        const answering: Exec = (_, args) => {
          const stdout = args.includes('rev-parse') ? 'a'.repeat(40) : args.includes('config') ? remote : ''
          return Promise.resolve({ exitCode: 0, stdout, stderr: '' })
        }
        const found = await gitSource('.', { exec: answering })
        expect(found?.url === undefined || found.url === `${scheme}://example.com/app`).toBe(true)
      }),
    )
  })

  test('runs nothing that the config of the repository names', async () => {
    await commit()
    await git('config', 'core.fsmonitor', `touch ${join(directory, 'ran')}; false`)
    await writeFile(join(directory, 'file'), 'other')
    expect(await source()).toMatchObject({ dirty: true })
    await expect(promisify(execFile)('ls', [join(directory, 'ran')])).rejects.toThrow('ran')
  })

  test('says nothing of changes where git does not trust the repository', async () => {
    const id = 'a'.repeat(40)
    const untrusting: Exec = (_, args) => {
      const stdout = args.includes('rev-parse') ? `${id}\n` : args.includes('symbolic-ref') ? 'refs/heads/main\n' : ''
      return Promise.resolve({ exitCode: args.includes('safe.directory=*') ? 0 : 128, stdout, stderr: '' })
    }
    expect(await gitSource('.', { exec: untrusting })).toEqual({
      url: undefined,
      commit: id,
      ref: 'refs/heads/main',
      dirty: undefined,
    })
  })

  test('is undefined without a commit, a checkout, or git', async () => {
    expect(await source()).toBeUndefined()
    await git('init', '-q')
    expect(await source()).toBeUndefined()
    expect(await gitSource(directory, { exec: () => Promise.reject(new Error('no git')) })).toBeUndefined()
  })

  test('stops when it is told to', async () => {
    const stopped: Exec = () => Promise.reject(new Error('aborted'))
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(gitSource(directory, { exec: stopped, signal })).rejects.toThrow('stop')
  })
})
