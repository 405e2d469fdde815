import { execFileSync, spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FIELDS, type FieldName } from '../../src/publish/fields.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
export const HELLO: string = join(root, 'examples/hello')

/** The bundle as it is committed. */
export function distFile(name: 'main.js' | 'cli.js'): string {
  const file = join(root, 'dist', name)
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build"`)
  return file
}

/** Every Node there is, of the tests, of the project, of the machine, as far as we support it: the bundle has to run on all. */
export function nodes(): readonly string[] {
  const folders = [
    dirname(process.execPath),
    join(root, 'node_modules/.bin'),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  const found = folders.map(folder => join(folder, process.platform === 'win32' ? 'node.exe' : 'node'))
  return [...new Set(found.filter(file => existsSync(file)).map(file => realpathSync(file)))].filter(isSupported)
}

/** `engines` of package.json. */
function isSupported(node: string): boolean {
  const [major = 0, minor = 0] = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .split('.')
    .map(Number)
  return major > 20 || (major === 20 && minor >= 18)
}

/** A home and a workspace that are gone afterwards, so that no login and no cache of the machine matters. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string
  readonly env: NodeJS.ProcessEnv
}

export async function sandbox(): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), 'dist-'))
  for (const name of ['home', 'runner-temp']) await mkdir(join(dir, name))
  const home = join(dir, 'home')
  return {
    dir,
    env: { PATH: process.env['PATH'], SYSTEMROOT: process.env['SYSTEMROOT'], HOME: home, USERPROFILE: home },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

export interface Ran {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly stdin?: string
  /** Sends SIGINT when it resolves. */
  readonly interrupt?: Promise<void>
}

export async function runNode(
  node: string,
  args: readonly string[],
  { env, cwd, stdin, interrupt }: RunOptions,
): Promise<Ran> {
  const child = spawn(node, args, { env, cwd, stdio: 'pipe' })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(stdin)
  void interrupt?.then(() => child.kill('SIGINT'))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { exitCode, stdout, stderr }
}

export interface RanAction extends Ran {
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

/** Runs the action as the runner does: every input in the environment, files for outputs and summary. */
export async function runAction(
  node: string,
  inputs: Readonly<Partial<Record<FieldName, string>>>,
  { dir, env }: Sandbox,
): Promise<RanAction> {
  const files = { GITHUB_OUTPUT: join(dir, 'output'), GITHUB_STEP_SUMMARY: join(dir, 'summary') }
  for (const file of Object.values(files)) await writeFile(file, '')
  const given = FIELDS.map(field => {
    const byDefault = 'default' in field ? field.default : ''
    return [`INPUT_${field.name.toUpperCase()}`, inputs[field.name] ?? byDefault]
  })
  const ran = await runNode(node, [distFile('main.js')], {
    cwd: HELLO,
    env: {
      ...env,
      ...files,
      ...(Object.fromEntries(given) as Record<string, string>),
      ...{ CI: 'true', GITHUB_ACTIONS: 'true', RUNNER_TEMP: join(dir, 'runner-temp') },
      ...{ GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/feature/x' },
    },
  })
  const summary = await readFile(files.GITHUB_STEP_SUMMARY, 'utf8')
  return { ...ran, summary, outputs: parseOutputs(await readFile(files.GITHUB_OUTPUT, 'utf8')) }
}

/** The runner's format of several lines: `name<<delimiter`, the value, the delimiter. */
function parseOutputs(text: string): Readonly<Record<string, string>> {
  const blocks = text.matchAll(/^([^\n<]+)<<(ghadelimiter_\S+)\r?\n(.*?)\r?\n\2$/gms)
  return Object.fromEntries([...blocks].map(([, name = '', , value = '']) => [name, value]))
}
