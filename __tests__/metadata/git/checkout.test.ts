import { readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitTime } from '../../../src/metadata/commit-time.ts'
import { gitSource } from '../../../src/metadata/git-source.ts'
import { COMMITTED_AT, repositories, type Repositories } from '../../support/repository.ts'

/** Ways to come by a checkout that are none of an attacker's doing. */
interface Kind {
  readonly kind: string
  /** Returns where it is; `file` in it can be changed. */
  readonly make: (repo: Repositories) => Promise<string>
  /** HEAD in it, if that is not `refs/heads/main`. */
  readonly ref?: string
}

async function remote(repo: Repositories): Promise<string> {
  const remote = await repo.create('remote')
  await repo.write(join(remote, 'lib', 'a'), 'a\n')
  await repo.git(remote, 'add', '.')
  await repo.git(remote, 'commit', '-q', '-m', 'two')
  return remote
}

function clone(...args: readonly string[]): Kind['make'] {
  return async repo => {
    await repo.git(repo.root, 'clone', '-q', ...args, `file://${await remote(repo)}`, 'app')
    return join(repo.root, 'app')
  }
}

const kinds: readonly Kind[] = [
  { kind: 'a clone', make: clone() },
  { kind: 'a shallow clone', make: clone('--depth=1') },
  { kind: 'a clone without blobs', make: clone('--filter=blob:none') },
  { kind: 'a clone without trees', make: clone('--filter=tree:0') },
  { kind: 'a sparse clone', make: clone('--sparse') },
  {
    kind: 'a clone that borrows objects',
    make: async repo => {
      await repo.git(repo.root, 'clone', '-q', '--shared', await remote(repo), 'app')
      return join(repo.root, 'app')
    },
  },
  { kind: 'a repository of SHA-256', make: repo => repo.create('app', '--object-format=sha256') },
  {
    kind: 'a repository whose refs and objects are packed',
    make: async repo => {
      const directory = await repo.create('app')
      await repo.git(directory, 'gc', '-q')
      return directory
    },
  },
  {
    kind: 'a linked worktree',
    ref: 'refs/heads/side',
    make: async repo => {
      await repo.git(await repo.create('app'), 'worktree', 'add', '-q', '-b', 'side', join(repo.root, 'side'))
      return join(repo.root, 'side')
    },
  },
  {
    kind: 'a submodule',
    make: async repo => {
      const app = await repo.create('app')
      await repo.git(app, 'submodule', 'add', '-q', await repo.create('lib'), 'sub dir/lib')
      return join(app, 'sub dir', 'lib')
    },
  },
  {
    kind: 'a linked worktree with a config of its own',
    ref: 'refs/heads/side',
    make: async repo => {
      const app = await repo.create('app')
      await repo.git(app, 'config', 'extensions.worktreeConfig', 'true')
      await repo.git(app, 'worktree', 'add', '-q', '-b', 'side', join(repo.root, 'side'))
      await repo.git(join(repo.root, 'side'), 'config', '--worktree', 'core.fileMode', 'true')
      return join(repo.root, 'side')
    },
  },
  {
    kind: 'a directory named by a symlink',
    make: async repo => {
      await symlink(await repo.create('app'), join(repo.root, 'link'))
      return join(repo.root, 'link')
    },
  },
]

describe('a checkout', () => {
  let repo: Repositories
  beforeEach(async () => {
    repo = await repositories()
  })
  afterEach(() => repo.remove())

  const options = (): Parameters<typeof gitSource>[1] => ({ env: repo.env, exec: repo.exec })
  const dirty = async (directory: string): Promise<boolean | undefined> => {
    const source = await gitSource(directory, options())
    if (!source) throw new Error(`${directory} is no checkout`)
    return source.dirty
  }

  test.each(kinds)('$kind gives its time, commit, branch, and whether it was changed', async ({ make, ref }) => {
    const directory = await make(repo)
    const commit = await repo.git(directory, 'rev-parse', 'HEAD')
    expect(await commitTime(directory, options())).toBe(COMMITTED_AT)
    const clean = { commit, ref: ref ?? 'refs/heads/main', dirty: false }
    expect(await gitSource(directory, options())).toMatchObject(clean)
    await writeFile(join(directory, 'new'), 'new')
    expect(await dirty(directory)).toBe(false)
    await writeFile(join(directory, 'file'), 'other')
    expect(await dirty(directory)).toBe(true)
  })

  test.each([
    ['deleted', (at: string) => rm(join(at, 'file'))],
    ['staged', (at: string) => repo.git(at, 'rm', '-q', '--cached', 'file')],
    ['of another mode', (at: string) => repo.git(at, 'update-index', '--chmod=+x', 'file')],
    ['replaced by a link', async (at: string) => (await rm(join(at, 'file')), symlink('x', join(at, 'file')))],
  ])('is changed where a file is %s', async (_, change) => {
    const directory = await repo.create('app')
    await change(directory)
    expect(await dirty(directory)).toBe(true)
  })

  test('is changed where a file of a submodule is, or where that is at another commit', async () => {
    const app = await repo.create('app')
    await repo.git(app, 'submodule', 'add', '-q', await repo.create('lib'), 'lib')
    await repo.git(app, 'commit', '-q', '-m', 'two')
    expect(await dirty(app)).toBe(false)
    await writeFile(join(app, 'lib', 'file'), 'other')
    expect(await dirty(app)).toBe(true)
    await repo.git(join(app, 'lib'), 'commit', '-q', '-a', '-m', 'other')
    expect(await dirty(app)).toBe(true)
  })

  test('is not changed by line ends that git converts, by config or attributes', async () => {
    const app = await repo.create('app')
    await repo.git(app, 'config', 'core.autocrlf', 'true')
    await rm(join(app, 'file'))
    await repo.git(app, 'checkout', '-q', '.')
    expect(await readFile(join(app, 'file'), 'utf8')).toBe('one\r\n')
    await rewrite(join(app, 'file'))
    expect(await dirty(app)).toBe(false)
    await repo.git(app, 'config', 'core.autocrlf', 'false')
    expect(await dirty(app)).toBe(true)
    await writeFile(join(app, '.git', 'info', 'attributes'), '* text eol=crlf\n')
    expect(await dirty(app)).toBe(false)
  })

  test('keeps to its sparse directories', async () => {
    const app = await clone('--sparse')(repo)
    expect(await dirty(app)).toBe(false)
    await repo.write(join(app, 'lib', 'a'), 'other')
    expect(await dirty(app)).toBe(true)
  })

  test('with files that a filter makes is unchanged as git left it, then nobody knows; other files still count', async () => {
    const app = await repo.create('app')
    await repo.git(app, 'config', 'filter.x.clean', 'tr a-z A-Z')
    await repo.write(join(app, '.gitattributes'), '*.bin filter=x\n')
    await repo.write(join(app, 'a.bin'), 'content')
    await utimes(join(app, 'a.bin'), COMMITTED_AT, COMMITTED_AT) // older than the index, as git need not read it then
    await repo.git(app, 'add', '.')
    await repo.git(app, 'commit', '-q', '-m', 'two')
    expect(await dirty(app)).toBe(false)
    await rewrite(join(app, 'a.bin'))
    expect(await dirty(app)).toBeUndefined()
    await writeFile(join(app, 'file'), 'other')
    expect(await dirty(app)).toBe(true)
  })
})

/** The same content in another file. */
async function rewrite(path: string): Promise<void> {
  const content = await readFile(path)
  await rename(path, `${path}.old`)
  await writeFile(path, content)
  await rm(`${path}.old`)
}
