import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readRegularFile } from '../../files/regular-file.ts'
import { findCheckout, type Checkout } from './checkout.ts'
import { discoveryEnvironment } from './environment.ts'
import { inIsolation } from './isolated.ts'
import { runGit, type GitOptions } from './run.ts'

const MAX_ATTRIBUTES_BYTES = 1 << 20
const MAX_SUBMODULES = 1_000
const MAX_SUBMODULE_DEPTH = 8

/**
 * Whether files of the commit were changed, those of submodules too; new files do not count. Undefined where that cannot be
 * told without running what the repository names: for a file that a filter makes (Git LFS), once its time has changed.
 */
export async function isChanged(checkout: Checkout, options: GitOptions): Promise<boolean | undefined> {
  return changedWithin(checkout, options, 0)
}

type Git = (args: readonly string[], input?: string) => Promise<string | undefined>

async function changedWithin(checkout: Checkout, options: GitOptions, depth: number): Promise<boolean | undefined> {
  return inIsolation(checkout, options.env, async (isolated, gitDir) => {
    const settings = await comparisonSettings(checkout, options)
    await copyAttributes(checkout, gitDir)
    const env = { ...isolated, GIT_WORK_TREE: checkout.top, GIT_INDEX_FILE: join(checkout.gitDir, 'index') }
    const git: Git = (args, input) =>
      runGit([...settings, '-C', checkout.top, ...args], { env, ...(input !== undefined && { input }) }, options)
    const files = await areFilesChanged(git)
    if (files === true) return true
    const submodules = await areSubmodulesChanged(checkout.top, git, options, depth)
    return submodules === true ? true : files === undefined ? undefined : submodules
  })
}

async function areFilesChanged(git: Git): Promise<boolean | undefined> {
  // Git looks into submodules by running itself there, with their configuration; we look into them one by one.
  const quiet = ['--no-renames', '--untracked-files=no', '--ignore-submodules=dirty']
  const status = await git(['status', '--porcelain=v1', '--null', ...quiet])
  if (status === undefined) return undefined
  const changes = status.split('\0').filter(line => line !== '')
  if (changes.length === 0) return false
  // Without its filter, which git would have to run, such a file is always other than the commit's.
  const contents = changes.filter(line => line.startsWith(' M ')).map(line => line.slice(3))
  if (contents.length < changes.length) return true
  const attributes = await git(['check-attr', '--stdin', '-z', 'filter'], contents.map(path => `${path}\0`).join(''))
  const values = attributes?.split('\0').filter((_, i) => i % 3 === 2)
  return values?.some(value => value === 'unspecified' || value === 'unset') === true ? true : undefined
}

async function areSubmodulesChanged(
  top: string,
  git: Git,
  options: GitOptions,
  depth: number,
): Promise<boolean | undefined> {
  if (!(await exists(join(top, '.gitmodules')))) return false
  const listed = [
    'config',
    '--file',
    '.gitmodules',
    '--no-includes',
    '--null',
    '--get-regexp',
    '^submodule\\..*\\.path$',
  ]
  const paths = (await git(listed))?.split('\0').filter(entry => entry.includes('\n'))
  if (paths === undefined) return false // names none
  if (paths.length > MAX_SUBMODULES || depth >= MAX_SUBMODULE_DEPTH) return undefined
  let unknown = false
  for (const entry of paths) {
    const path = join(top, entry.slice(entry.indexOf('\n') + 1))
    if (!(await exists(join(path, '.git')))) continue // is not checked out
    const submodule = await findCheckout(path, options)
    const changed = submodule?.top === path ? await changedWithin(submodule, options, depth + 1) : undefined
    if (changed === true) return true
    unknown ||= changed === undefined
  }
  return unknown ? undefined : false
}

/** Settings that decide whether a file is equal to the commit's, and name nothing. */
const COMPARISON = [
  ...['autocrlf', 'eol', 'filemode', 'symlinks', 'ignorecase', 'precomposeunicode', 'trustctime', 'checkstat'],
  ...['longpaths', 'sparsecheckout', 'sparsecheckoutcone'],
]
const HARMLESS = /^(?:true|false|yes|no|on|off|0|1|input|lf|crlf|native|default|minimal)$/i

/** The checkout's, those of the user and the system too: a checkout on Windows has other line ends by them. */
async function comparisonSettings({ top }: Checkout, options: GitOptions): Promise<readonly string[]> {
  const asked = ['--no-includes', '--null', '--get-regexp', `^core\\.(${COMPARISON.join('|')})$`]
  const args = ['-C', top, 'config', ...asked]
  const found = (await runGit(args, { env: discoveryEnvironment(options.env) }, options)) ?? ''
  return found.split('\0').flatMap(entry => {
    const [key = '', value = 'true'] = entry.split('\n')
    return key !== '' && HARMLESS.test(value) ? ['-c', `${key}=${value}`] : []
  })
}

/** What a checkout says of its files besides `.gitattributes`. */
async function copyAttributes({ commonDir }: Checkout, gitDir: string): Promise<void> {
  const attributes = await readRegularFile(join(commonDir, 'info', 'attributes'), MAX_ATTRIBUTES_BYTES).catch(() => '')
  await mkdir(join(gitDir, 'info'))
  await writeFile(join(gitDir, 'info', 'attributes'), attributes)
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
