import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { exec, type Exec } from '../../src/exec.ts'

const run = promisify(execFile)

export const COMMITTED_AT = 1_700_000_000

/** A folder for real repositories, whose git has no configuration of the machine's user. */
export interface Repositories {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly exec: Exec
  /** Path of a file that only a command of a hostile repository writes. */
  readonly canary: string
  git(directory: string, ...args: readonly string[]): Promise<string>
  /** A repository with `file`, committed at COMMITTED_AT on `main`. */
  create(name: string, ...init: readonly string[]): Promise<string>
  /** The same with a file of that content, not added. */
  write(path: string, content: string): Promise<void>
  /** A program that leaves the canary and fails. */
  program(name: string): Promise<string>
  remove(): Promise<void>
}

export async function repositories(): Promise<Repositories> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'repositories-')))
  const date = `${COMMITTED_AT} +0000`
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: join(root, 'home'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: dirname(root),
  }
  const ours = { ...env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  await mkdir(join(root, 'home'))
  const canary = join(root, 'canary')
  const git = async (directory: string, ...args: readonly string[]): Promise<string> => {
    const me = ['-c', 'user.name=me', '-c', 'user.email=me@example.com', '-c', 'init.defaultBranch=main']
    const allowed = ['-c', 'protocol.file.allow=always', '-c', 'uploadpack.allowFilter=true']
    const { stdout } = await run('git', ['-C', directory, ...me, ...allowed, ...args], { env: ours })
    return stdout.trim()
  }
  const write = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  return {
    root,
    env,
    exec,
    canary,
    git,
    write,
    async create(name, ...init) {
      const directory = join(root, name)
      await mkdir(directory, { recursive: true })
      await git(directory, 'init', '-q', ...init)
      await write(join(directory, 'file'), 'one\n')
      await git(directory, 'add', '.')
      await git(directory, 'commit', '-q', '-m', 'one')
      return directory
    },
    async program(name) {
      const path = join(root, name)
      await writeFile(path, `#!/bin/sh\necho "$0" >> "${canary}"\nexit 1\n`, { mode: 0o755 })
      return path
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
