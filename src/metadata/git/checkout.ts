import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { readRegularFile } from '../../files/regular-file.ts'
import { isInside } from '../../files/source-path.ts'
import { discoveryEnvironment } from './environment.ts'
import { runGit, type GitOptions } from './run.ts'

/** A work tree and its repository. All paths are real ones. */
export interface Checkout {
  readonly top: string
  /** Holds HEAD and index. */
  readonly gitDir: string
  /** Holds objects, refs and config: `gitDir` but for a linked worktree. */
  readonly commonDir: string
  /** Of HEAD: SHA-1 or SHA-256, hexadecimal. It may be missing. */
  readonly commit: string
  /** `refs/heads/main`; undefined where no branch is checked out. */
  readonly ref: string | undefined
}

/** A path of a `.git` file; git itself reads no longer ones. */
const MAX_POINTER_BYTES = 64 << 10

/**
 * The checkout that a directory is in; undefined where there is none, where git does not trust its owner, and where the
 * repository is not that of the work tree. Git is asked for names only: no object is read and no index, so that nothing the
 * repository configures has an occasion to run.
 */
export async function findCheckout(named: string, options: GitOptions): Promise<Checkout | undefined> {
  const { env } = options
  const directory = await realpath(named).catch(() => undefined)
  if (directory === undefined) return undefined
  const asked = [
    ...(await trusted(directory, env)),
    // A folder that looks like a bare repository is content, and its config is nobody's.
    ...['-c', 'safe.bareRepository=explicit', '-c', 'core.warnAmbiguousRefs=false'],
    ...['-C', directory, 'rev-parse', '--absolute-git-dir', '--git-common-dir', '--show-toplevel'],
    ...['HEAD', '--symbolic-full-name', 'HEAD'],
  ]
  const lines = (await runGit(asked, { env: discoveryEnvironment(env) }, options))?.split('\n')
  const [gitDir = '', commonDir = '', top = '', commit = '', ref = '', end] = lines ?? []
  if (lines?.length !== 6 || end !== '' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return undefined
  try {
    const real = {
      top: await realpath(top),
      gitDir: await realpath(gitDir),
      commonDir: await realpath(resolve(directory, commonDir)),
    }
    const found = { ...real, commit, ref: ref === 'HEAD' ? undefined : ref }
    return isInside(directory, real.top) && (await belongs(found, options)) ? found : undefined
  } catch {
    return undefined // something of it is gone, or not to be read
  }
}

/**
 * In a job's container the workspace belongs to another user, whom git does not trust by itself. The runner vouches for it,
 * and for no other directory: git compares this one with the top of the work tree.
 */
async function trusted(directory: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const named = env['GITHUB_WORKSPACE'] ?? ''
  if (!isAbsolute(named) || named.endsWith('*')) return []
  try {
    const workspace = await realpath(named)
    if (!isInside(directory, workspace)) return []
    const paths = [...new Set([named, workspace])].map(path => path.replaceAll('\\', '/'))
    return paths.flatMap(path => ['-c', `safe.directory=${path}`])
  } catch {
    return []
  }
}

/**
 * Whether the repository is the work tree's own. A `.git` that leads to another repository would have us say that this was
 * built of that one, so what it leads to must lead back, as git sees to it in linked worktrees and submodules.
 */
async function belongs({ top, gitDir, commonDir, ref }: Checkout, options: GitOptions): Promise<boolean> {
  const dotGit = join(top, '.git')
  const status = await lstat(dotGit)
  if (status.isDirectory()) {
    if (gitDir !== dotGit || commonDir !== gitDir) return false
  } else if (!status.isFile() || !(await leadsBack(top, gitDir, commonDir, options))) return false
  const parts = [
    ...['HEAD', 'index'].map(name => join(gitDir, name)),
    ...['config', 'objects', 'refs', 'packed-refs'].map(name => join(commonDir, name)),
  ]
  const links = await Promise.all(parts.map(isLink))
  return !links.includes(true) && (ref === undefined || (await staysInside(join(commonDir, ref), commonDir)))
}

async function leadsBack(top: string, gitDir: string, commonDir: string, options: GitOptions): Promise<boolean> {
  if (commonDir !== gitDir) {
    if (dirname(gitDir) !== join(commonDir, 'worktrees')) return false
    const pointer = (await readRegularFile(join(gitDir, 'gitdir'), MAX_POINTER_BYTES)).toString('utf8')
    const back = resolve(gitDir, pointer.replace(/\r?\n$/, ''))
    return basename(back) === '.git' && (await realpath(dirname(back))) === top
  }
  const asked = ['config', '--file', join(gitDir, 'config'), '--no-includes', '--null', '--get', 'core.worktree']
  const worktree = await runGit(asked, { env: discoveryEnvironment(options.env) }, options)
  return worktree !== undefined && (await realpath(resolve(gitDir, worktree.slice(0, -1)))) === top
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    status => status.isSymbolicLink(),
    () => false,
  )
}

async function staysInside(path: string, directory: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined)
  return there === undefined || isInside(await realpath(path), directory)
}
