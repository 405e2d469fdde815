import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Checkout } from './checkout.ts'
import { isolatedEnvironment } from './environment.ts'

/**
 * Lets git look at a commit through a repository that we make: HEAD, the objects of the checkout, and a configuration that is
 * ours alone. What the checkout's own names (remotes to fetch from, filters, hooks, monitors, pagers, signature programs)
 * does not exist there, in this version of git or the next.
 *
 * @param use gets the environment for it, and the directory
 */
export async function inIsolation<T>(
  { commit, commonDir }: Pick<Checkout, 'commit' | 'commonDir'>,
  env: NodeJS.ProcessEnv,
  use: (isolated: NodeJS.ProcessEnv, gitDir: string) => Promise<T>,
): Promise<T> {
  const gitDir = await mkdtemp(join(env['RUNNER_TEMP'] ?? tmpdir(), 'oci-publish-git-'))
  try {
    await mkdir(join(gitDir, 'refs'))
    await writeFile(join(gitDir, 'HEAD'), `${commit}\n`)
    await writeFile(join(gitDir, 'config'), config(commit))
    return await use(isolatedEnvironment(env, gitDir, join(commonDir, 'objects')), gitDir)
  } finally {
    await rm(gitDir, { recursive: true, force: true })
  }
}

function config(commit: string): string {
  const extensions = commit.length === 64 ? '[extensions]\n\tobjectFormat = sha256\n' : ''
  return `[core]\n\trepositoryFormatVersion = 1\n\tbare = false\n${extensions}`
}
