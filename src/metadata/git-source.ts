import { join } from 'node:path'
import { isChanged } from './git/changes.ts'
import { findCheckout, type Checkout } from './git/checkout.ts'
import { discoveryEnvironment } from './git/environment.ts'
import { runGit, type GitOptions } from './git/run.ts'
import { withoutTrailing } from '../trim.ts'

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

/** The commit that a directory is at, and where it comes from; undefined where it is no checkout, or git is not there. */
export async function gitSource(directory: string, options: GitOptions): Promise<GitSource | undefined> {
  const checkout = await findCheckout(directory, options)
  if (!checkout) return undefined
  const { commit, ref } = checkout
  return { url: publicUrl(await remoteOf(checkout, options)), commit, ref, dirty: await isChanged(checkout, options) }
}

/** As the repository's own config has it: no other file is read that this one may name. */
async function remoteOf({ commonDir }: Checkout, options: GitOptions): Promise<string> {
  const args = ['config', '--file', join(commonDir, 'config'), '--no-includes', '--get', 'remote.origin.url']
  return (await runGit(args, { env: discoveryEnvironment(options.env) }, options))?.trim() ?? ''
}

/** A remote without what is nobody's business: user, password, query. */
function publicUrl(remote: string): string | undefined {
  const [, host = '', path = ''] = /^(?:[^@/:]+@)?([^@/:]{2,}):(?!\/\/|:)\/?(.+)$/.exec(remote) ?? []
  const text = host === '' ? remote : `ssh://${host}/${path}` // as scp writes it: git@github.com:org/app.git
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol) || url.host === '') return undefined
  return withoutTrailing(`${url.protocol}//${url.host}${url.pathname}`, '/')
}
