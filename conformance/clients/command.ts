import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, Ended, Job, RunOptions } from '../client.ts'
import { referenceOf } from '../client.ts'

/** A command line: a program and its arguments, with `{words}` in them. No shell is between. */
type Command = readonly [program: string, ...args: string[]]

/** A client as data, which is what a file of them holds. */
export interface Adapter {
  readonly name: string
  /** From `{layout}` `{tag}` to `{target}`. */
  readonly push?: Command
  /** From `{source}` to `{target}`. */
  readonly copy?: Command
  /** The same, with what refers to it. */
  readonly copyReferrers?: Command
  /** From `{source}` to `{layout}` `{tag}`. */
  readonly pull?: Command
  /** `{file}`, a text, to `{target}`. */
  readonly attach?: Command
  /** `{target}` with the private key in `{key}`. */
  readonly sign?: Command
  /** Added to the environment; `{words}` in the values. */
  readonly env?: Readonly<Record<string, string>>
}

/** Of this repository. */
const ROOT = join(import.meta.dirname, '..', '..')
const MAX_OUTPUT_BYTES = 256 << 10

/** @throws {Error} when the file is no adapter */
export async function readAdapter(path: string): Promise<Adapter> {
  const value: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!isAdapter(value)) {
    throw new Error(
      `${path} is no adapter: it needs a name, and a list of words for push, copy, copyReferrers, pull, attach or sign`,
    )
  }
  return value
}

function isAdapter(value: unknown): value is Adapter {
  if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string') return false
  const commands = ['push', 'copy', 'copyReferrers', 'pull', 'attach', 'sign'].map(
    name => (value as Record<string, unknown>)[name],
  )
  const given = commands.filter(command => command !== undefined)
  return given.length > 0 && given.every(isCommand)
}

function isCommand(value: unknown): value is Command {
  return Array.isArray(value) && value.length > 0 && value.every(word => typeof word === 'string')
}

/** A client that is a program. @param find says where a program is */
export function commandClient(adapter: Adapter, { find }: { readonly find: (program: string) => string }): Client {
  return {
    name: adapter.name,
    run: async (job, options) => {
      const command = adapter[job.do === 'copy' && job.referrers ? 'copyReferrers' : job.do]
      if (!command) return undefined
      const words = wordsOf(job, options)
      const [program = '', ...args] = command.map(word => filled(word, words))
      const env = Object.entries(adapter.env ?? {}).map(([name, value]) => [name, filled(value, words)] as const)
      return await runCommand(find(program), args, Object.fromEntries(env), options.signal)
    },
  }
}

function wordsOf(job: Job, { config }: RunOptions): ReadonlyMap<string, string> {
  const words = new Map([
    ['config', config],
    ['node', process.execPath],
    ['root', ROOT],
  ])
  if (job.do === 'attach') words.set('file', job.file)
  if (job.do === 'sign') words.set('key', job.key)
  if ('source' in job) {
    words.set('source', referenceOf(job.source))
    words.set('sourceHost', job.source.host)
  }
  if ('target' in job) {
    words.set('target', referenceOf(job.target))
    words.set('targetHost', job.target.host)
  }
  if ('layout' in job) {
    words.set('layout', job.layout.path)
    words.set('tag', job.layout.tag)
    words.set('ref', referenceOf(job.do === 'push' ? job.target : job.source))
  }
  return words
}

function filled(word: string, words: ReadonlyMap<string, string>): string {
  return word.replace(/\{(\w+)\}/g, (whole, name: string) => words.get(name) ?? whole)
}

async function runCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Ended> {
  return await new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-MAX_OUTPUT_BYTES)
      })
    }
    child.on('error', error => {
      if (!signal.aborted) reject(error)
    })
    child.on('close', code => {
      resolve({ exitCode: signal.aborted ? undefined : (code ?? -1), output })
    })
  })
}
