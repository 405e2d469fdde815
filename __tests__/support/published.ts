import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PublishReport } from '../../src/publish/report.ts'

const root = join(import.meta.dirname, '../..')
const HELLO = join(root, 'examples/hello/dist')

export interface CliRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly node?: string
  readonly uid?: number
}

/** Runs the committed command line, as a user does. */
export async function runCli(args: readonly string[], { cwd, env = {}, node, uid }: CliOptions): Promise<CliRun> {
  const command = [join(root, 'dist/cli.js'), ...args]
  const settings = {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, CI: 'true', ...env },
    ...(uid !== undefined && { uid }),
  }
  return new Promise((resolve, reject) => {
    execFile(node ?? process.execPath, command, settings, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code
      if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr })
      else reject(error ?? new Error('no exit code'))
    })
  })
}

/** Publishes with `--json`; what was printed is the report. */
export async function publishWithCli(args: readonly string[], options: CliOptions): Promise<PublishReport> {
  const { exitCode, stdout, stderr } = await runCli(['publish', '--json', ...args], options)
  if (exitCode !== 0) throw new Error(`oci-publish publish ${args.join(' ')}: ${exitCode}\n${stderr}`)
  return JSON.parse(stdout) as PublishReport
}

/**
 * A project with what three layers are made of: a program a platform, files shared by both, and a configuration.
 *
 * @returns the arguments that publish it; bases of the tests are laid out with merged `/usr`
 */
export async function makeProject(directory: string): Promise<readonly string[]> {
  for (const architecture of ['amd64', 'arm64']) {
    await write(join(directory, `build/linux-${architecture}/hello`), await program(architecture), 0o755)
  }
  for (let i = 0; i < 50; i++)
    await write(join(directory, `assets/dir${i % 7}/file${i}.txt`), `file ${i}\n`.repeat(200))
  await write(join(directory, 'assets/name with spaces/ünï.txt'), 'not ASCII\n')
  await write(join(directory, 'conf/app.conf'), 'key = value\n', 0o600)
  return [
    ...['--layers', 'build/{os}-{arch}/hello:/bin/hello'],
    ...['--layers', 'assets/:/srv/assets/'],
    ...['--layers', 'src=conf/app.conf,dest=/etc/app/,owner=app:app,mode=0644'],
    ...['--entrypoint', '/bin/hello', '--platforms', 'linux/amd64,linux/arm64'],
  ]
}

function program(architecture: string): Promise<Buffer> {
  return readFile(join(HELLO, `linux-${architecture}/hello`))
}

async function write(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content, { mode })
}
