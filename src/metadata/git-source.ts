import type { Exec } from '../exec.ts'

/** What a directory is a checkout of. */
interface GitSource {
  /** `https://host/path` or `ssh://host/path` without credentials; undefined for a path of this machine, or no remote. */
  readonly url: string | undefined
  readonly commit: string
  /** `refs/heads/main`; undefined where no branch is checked out. */
  readonly ref: string | undefined
  /** Whether files of the commit were changed; undefined where git does not say. */
  readonly dirty: boolean | undefined
}

export interface GitSourceOptions {
  readonly exec: Exec
  readonly signal?: AbortSignal | undefined
}

/** The commit that a directory is at, and where it comes from; undefined where it is no checkout, or git is not there. */
export async function gitSource(directory: string, { exec, signal }: GitSourceOptions): Promise<GitSource | undefined> {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      const { exitCode, stdout } = await exec('git', ['-C', directory, ...args], { signal })
      return exitCode === 0 ? stdout.trim() : undefined
    } catch {
      signal?.throwIfAborted()
      return undefined // no git
    }
  }
  // In a job's container the checkout belongs to another user, which git does not trust by itself. These only read.
  const reads = ['-c', 'safe.directory=*']
  const commit = await git(...reads, 'rev-parse', '--verify', 'HEAD^{commit}')
  if (commit === undefined || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return undefined
  const remote = await git(...reads, 'config', '--get', 'remote.origin.url')
  const ref = await git(...reads, 'symbolic-ref', '--quiet', 'HEAD')
  // This one runs what the repository's config names, so it is left to git whether the repository is to be trusted.
  const status = ['-c', 'core.fsmonitor=false', '--no-optional-locks', 'status', '--porcelain', '--untracked-files=no']
  const changed = await git(...status)
  return { url: publicUrl(remote ?? ''), commit, ref, dirty: changed === undefined ? undefined : changed !== '' }
}

/** A remote without what is nobody's business: user, password, query. */
function publicUrl(remote: string): string | undefined {
  const [, host = '', path = ''] = /^(?:[^@/:]+@)?([^@/:]{2,}):(?!\/\/|:)\/?(.+)$/.exec(remote) ?? []
  const text = host === '' ? remote : `ssh://${host}/${path}` // as scp writes it: git@github.com:org/app.git
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol) || url.host === '') return undefined
  return `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '')
}
