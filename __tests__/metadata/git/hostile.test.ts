import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { commitTime } from '../../../src/metadata/commit-time.ts'
import { gitSource } from '../../../src/metadata/git-source.ts'
import { COMMITTED_AT, repositories, type Repositories } from '../../support/repository.ts'

const run = promisify(execFile)

/** A repository as its attacker left it, and what any git that is asked in it without care would do. */
interface Attack {
  readonly name: string
  /** Returns the directory that is published. */
  readonly prepare: (repo: Repositories, program: string) => Promise<string>
  /** Arguments with which git falls for it; none where that takes a terminal or a server. */
  readonly fallsFor?: readonly string[]
  /** What is said all the same; the default is all of a clean checkout. */
  readonly says?: { readonly time?: number | undefined; readonly dirty?: boolean | undefined }
}

/** A repository that promises its HEAD, which it does not have, at a remote. */
async function promising(
  repo: Repositories,
  url: string,
  ...config: readonly (readonly [string, string])[]
): Promise<string> {
  const directory = await repo.create('app')
  const head = await repo.git(directory, 'rev-parse', 'HEAD')
  for (const [key, value] of [
    ['remote.origin.url', url],
    ['remote.origin.promisor', 'true'],
    ['extensions.partialClone', 'origin'],
    ['core.repositoryFormatVersion', '1'],
    ...config,
  ] as const)
    await repo.git(directory, 'config', key, value)
  await rm(join(directory, '.git', 'objects', head.slice(0, 2), head.slice(2)))
  return directory
}

async function configured(repo: Repositories, ...config: readonly (readonly [string, string])[]): Promise<string> {
  const directory = await repo.create('app')
  for (const [key, value] of config) await repo.git(directory, 'config', key, value)
  return directory
}

/** As a checkout that is older than its index looks: git reads the content again. */
async function touched(directory: string, name = 'file'): Promise<string> {
  const path = join(directory, name)
  const content = await readFile(path)
  await rename(path, `${path}.old`)
  await writeFile(path, content)
  await rm(`${path}.old`)
  return directory
}

const missing = { time: undefined, dirty: undefined }
const status = ['status', '--porcelain']

const attacks: readonly Attack[] = [
  {
    name: 'core.sshCommand of a promised commit',
    prepare: (repo, program) => promising(repo, 'ssh://127.0.0.1/x', ['core.sshCommand', program]),
    fallsFor: ['log', '-1'],
    says: missing,
  },
  {
    name: 'core.gitProxy of a promised commit',
    prepare: (repo, program) => promising(repo, 'git://127.0.0.1/x', ['core.gitProxy', program]),
    fallsFor: ['log', '-1'],
    says: missing,
  },
  {
    name: 'remote.*.uploadpack of a promised commit',
    prepare: async (repo, program) =>
      promising(repo, `file://${await repo.create('other')}`, ['remote.origin.uploadpack', program]),
    fallsFor: ['log', '-1'],
    says: missing,
  },
  {
    name: 'remote.*.vcs, a remote helper of its own',
    prepare: (repo, program) =>
      promising(repo, 'ext::x', ['remote.origin.url', `ext::${program}`], ['protocol.ext.allow', 'always']),
    fallsFor: ['log', '-1'],
    says: missing,
  },
  {
    name: 'credential.helper and core.askPass of a promised commit',
    prepare: (repo, program) =>
      promising(repo, 'http://127.0.0.1:9/x', ['credential.helper', `!${program}`], ['core.askPass', program]),
    says: missing,
  },
  {
    name: 'core.fsmonitor',
    prepare: (repo, program) => configured(repo, ['core.fsmonitor', program]),
    fallsFor: status,
  },
  {
    name: 'filter.*.clean',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['filter.x.clean', program])
      await writeFile(join(directory, '.git', 'info', 'attributes'), '* filter=x\n')
      return touched(directory)
    },
    fallsFor: status,
  },
  {
    name: 'filter.*.process of a required filter, named by .gitattributes',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['filter.x.process', program], ['filter.x.required', 'true'])
      await writeFile(join(directory, '.gitattributes'), '* filter=x\n')
      await writeFile(join(directory, 'file'), 'two\n')
      return directory
    },
    fallsFor: status,
    says: { dirty: undefined },
  },
  {
    name: 'hooks',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['core.hooksPath', join(repo.root, 'hooks')])
      await mkdir(join(repo.root, 'hooks'))
      for (const hook of ['post-index-change', 'fsmonitor-watchman', 'post-checkout', 'reference-transaction'])
        await symlink(program, join(repo.root, 'hooks', hook))
      return touched(directory)
    },
    fallsFor: status,
  },
  {
    name: 'diff.external',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['diff.external', program])
      await writeFile(join(directory, 'file'), 'two\n')
      return directory
    },
    fallsFor: ['diff'],
    says: { dirty: true },
  },
  {
    name: 'diff.*.textconv',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['diff.x.textconv', program], ['diff.x.command', program])
      await writeFile(join(directory, '.git', 'info', 'attributes'), '* diff=x\n')
      await writeFile(join(directory, 'file'), 'two\n')
      return directory
    },
    fallsFor: ['diff'],
    says: { dirty: true },
  },
  {
    name: 'gpg.program of a signed commit',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['gpg.program', program], ['log.showSignature', 'true'])
      const commit = await repo.git(directory, 'cat-file', 'commit', 'HEAD')
      const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----'
      const signed = join(repo.root, 'signed')
      await writeFile(signed, commit.replace('\n\n', `\n${signature}\n\n`) + '\n')
      const id = await repo.git(directory, 'hash-object', '-w', '-t', 'commit', signed)
      await repo.git(directory, 'update-ref', 'HEAD', id)
      return directory
    },
    fallsFor: ['log', '-1'],
  },
  {
    name: 'pagers, editors and aliases by the names of commands',
    prepare: (repo, program) =>
      configured(
        repo,
        ...['core.pager', 'core.editor', 'pager.cat-file', 'pager.rev-parse', 'pager.config', 'pager.status'].map(
          key => [key, program] as const,
        ),
        ...['cat-file', 'rev-parse', 'config', 'status', 'other'].map(
          name => [`alias.${name}`, `!${program}`] as const,
        ),
      ),
    fallsFor: ['other'],
  },
  {
    name: 'include.path of another config',
    prepare: async (repo, program) => {
      const included = join(repo.root, 'included')
      await writeFile(
        included,
        `[core]\n\tfsmonitor = ${program}\n[remote "origin"]\n\turl = https://example.com/planted\n`,
      )
      return configured(repo, ['include.path', included])
    },
    fallsFor: status,
  },
  {
    name: 'core.fsmonitor of a submodule',
    prepare: async (repo, program) => {
      const directory = await repo.create('app')
      await repo.git(directory, 'submodule', 'add', '-q', await repo.create('lib'), 'lib')
      await repo.git(directory, 'commit', '-q', '-m', 'two')
      await repo.git(join(directory, 'lib'), 'config', 'core.fsmonitor', program)
      return directory
    },
    fallsFor: status,
  },
  {
    name: 'a bare repository among the content',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['core.bare', 'true'], ['alias.other', `!${program}`])
      return join(directory, '.git')
    },
    fallsFor: ['other'],
    says: missing,
  },
  {
    name: 'a bare repository among the content that claims its own directory as work tree',
    prepare: async (repo, program) => {
      const directory = await configured(repo, ['core.bare', 'false'], ['core.fsmonitor', program])
      const bare = join(repo.root, 'bare')
      await rename(join(directory, '.git'), bare)
      await repo.git(bare, 'config', 'core.worktree', bare)
      return bare
    },
    fallsFor: status,
    says: missing,
  },
]

describe('a hostile repository', () => {
  let repo: Repositories
  beforeEach(async () => {
    repo = await repositories()
  })
  afterEach(() => repo.remove())

  const look = async (directory: string, env = repo.env): Promise<unknown> => {
    const options = { env, exec: repo.exec }
    const source = await gitSource(directory, options)
    return { time: await commitTime(directory, options), dirty: source?.dirty, url: source?.url }
  }

  test.each(attacks)('runs nothing: $name', async ({ prepare, says = {} }) => {
    const directory = await prepare(repo, await repo.program('planted'))
    await rm(repo.canary, { force: true })
    const expected = { time: COMMITTED_AT, dirty: false, ...says }
    expect(await look(directory)).toMatchObject(expected)
    expect(existsSync(repo.canary)).toBe(false)
  })

  test.each(attacks.filter(({ fallsFor }) => fallsFor))(
    'would run something if git were asked carelessly: $name',
    async ({ prepare, fallsFor = [] }) => {
      const directory = await prepare(repo, await repo.program('planted'))
      await rm(repo.canary, { force: true })
      await run('git', ['-C', directory, ...fallsFor], { env: repo.env, timeout: 10_000 }).catch(() => undefined)
      expect(existsSync(repo.canary)).toBe(true)
    },
  )

  test('never passes for the one that its .git leads to', async () => {
    const other = await repo.create('other')
    const nowhere = { time: undefined, dirty: undefined, url: undefined }
    await repo.write(join(repo.root, 'file', '.git'), `gitdir: ${other}/.git\n`)
    expect(await look(join(repo.root, 'file'))).toEqual(nowhere)
    await mkdir(join(repo.root, 'link'))
    await symlink(join(other, '.git'), join(repo.root, 'link', '.git'))
    expect(await look(join(repo.root, 'link'))).toEqual(nowhere)

    const common = await repo.create('common')
    await writeFile(join(common, '.git', 'commondir'), `${other}/.git\n`)
    expect(await look(common)).toEqual(nowhere)

    const worktree = await repo.create('worktree')
    await repo.git(worktree, 'config', 'core.worktree', other)
    expect(await look(worktree)).toEqual(nowhere)

    const refs = await repo.create('refs')
    await rm(join(refs, '.git', 'refs', 'heads'), { recursive: true })
    await symlink(join(other, '.git', 'refs', 'heads'), join(refs, '.git', 'refs', 'heads'))
    expect(await look(refs)).toEqual(nowhere)

    const index = await repo.create('index')
    await rm(join(index, '.git', 'index'))
    await symlink(join(other, '.git', 'index'), join(index, '.git', 'index'))
    expect(await look(index)).toEqual(nowhere)
  })

  test('cannot hand over the config of another by an include', async () => {
    const included = join(repo.root, 'included')
    await writeFile(included, '[remote "origin"]\n\turl = https://example.com/planted\n')
    const directory = await configured(repo, ['include.path', included])
    expect(await look(directory)).toEqual({ time: COMMITTED_AT, dirty: false, url: undefined })
  })

  test('is not read when another user owns it, but for the workspace that the runner names', async () => {
    if (process.getuid?.() !== 0) return // only root can give files away
    const directory = await repo.create('app')
    for (const path of [directory, join(directory, '.git')]) await chown(path, 12_345, 12_345)
    await chmod(directory, 0o755)
    const nothing = { time: undefined, dirty: undefined, url: undefined }
    const all = { time: COMMITTED_AT, dirty: false, url: undefined }
    expect(await look(directory)).toEqual(nothing)
    expect(await look(directory, { ...repo.env, GITHUB_WORKSPACE: repo.root })).toEqual(nothing)
    expect(await look(directory, { ...repo.env, GITHUB_WORKSPACE: '*' })).toEqual(nothing)
    expect(await look(directory, { ...repo.env, GITHUB_WORKSPACE: directory })).toEqual(all)
    await symlink(directory, join(repo.root, 'workspace'))
    expect(await look(directory, { ...repo.env, GITHUB_WORKSPACE: join(repo.root, 'workspace') })).toEqual(all)
    await mkdir(join(directory, 'dist'))
    expect(await look(join(directory, 'dist'), { ...repo.env, GITHUB_WORKSPACE: directory })).toEqual(all)
    // What the user of the machine has decided counts, as it does for git.
    await repo.git(repo.root, 'config', '--global', 'safe.directory', directory)
    expect(await look(directory)).toEqual(all)
  })

  test('cannot make git wait for ever', async () => {
    const directory = await repo.create('app')
    const options = { env: repo.env, exec: repo.exec, limitMs: 300 }
    await rm(join(directory, '.git', 'index'))
    await run('mkfifo', [join(directory, '.git', 'index')])
    expect(await gitSource(directory, options)).toMatchObject({ dirty: undefined })
    await rm(join(directory, '.git', 'HEAD'))
    await run('mkfifo', [join(directory, '.git', 'HEAD')])
    expect(await commitTime(directory, options)).toBeUndefined()
  })

  test('cannot make git print without end: a commit of megabytes has no time', async () => {
    const directory = await repo.create('app')
    const message = join(repo.root, 'message')
    await writeFile(message, 'x'.repeat(2 << 20))
    await repo.git(directory, 'commit', '-q', '--amend', '-F', message)
    expect(await commitTime(directory, { env: repo.env, exec: repo.exec })).toBeUndefined()
  })

  test.each(['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_OBJECT_DIRECTORY', 'GIT_INDEX_FILE', 'GIT_WORK_TREE'])(
    'is not chosen by %s, which a hook of another repository leaves behind',
    async name => {
      const other = await repo.create('other')
      await writeFile(join(other, 'file'), 'changed\n')
      const directory = await repo.create('app')
      const paths: NodeJS.ProcessEnv = { GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, '.git', 'index') }
      const env = { ...repo.env, [name]: paths[name] ?? join(other, '.git') }
      expect(await look(directory, env)).toMatchObject({ time: COMMITTED_AT, dirty: false })
    },
  )
})
