import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '../support/peers.ts'
import { HOSTILE, isCommand, isHarmless } from '../tell/hostile.ts'
import { COMMANDS } from '../../src/cli/program/commands.ts'
import { startHostileRegistry } from './hostile-registry.ts'
import { runReal } from './real.ts'

/** Command lines for what a hostile registry holds; `R` is its host, `D` a folder. */
const LINES: readonly string[] = [
  ...['inspect R/images:v1', 'inspect R/images:one', 'inspect R/files:v1', 'inspect R/refused:v1'],
  ...['inspect R/images:v1 --json', 'inspect R/images:one --json', 'inspect R/files:v1 --json'],
  ...['tags R/tagged', 'tags R/tagged --json', 'tags R/refused'],
  ...['discover R/images:v1', 'discover R/images:v1 --json', 'discover R/refused:v1'],
  ...['pull R/files:v1 --output D/p', 'pull R/files:v1 --output D/j --json', 'pull R/refused:v1 --output D/r'],
  ...['sbom R/images:v1', 'sbom R/refused:v1', 'sbom R/images:v1 --attach'],
  ...['copy R/images:v1 R/copies:v1 --referrers', 'copy R/images:v1 oci:D/l --referrers --json'],
  ...['copy R/images:v1 R/copies:v1 --referrers --dry-run', 'copy R/tagged R/copies --all-tags', 'copy R/refused R/x'],
  ...['verify R/images:v1 --key D/cosign.pub', 'verify R/images:one --key D/cosign.pub --json'],
  ...['sign R/images:v1 --key D/cosign.key', 'sign R/refused:v1 --key D/cosign.key --json'],
  ...['attest R/images:v1 --key D/cosign.key --predicate-type vuln --predicate-path D/p.json'],
  ...[
    'attach R/images:v1 D/p.json --artifact-type a/b --platforms all',
    'attach R/refused D/p.json --artifact-type a/b',
  ],
  ...['artifact push R/pushed:v1 D/p.json --artifact-type a/b', 'artifact push R/refused D/p.json --artifact-type a/b'],
  ...['publish --images R/built:v1 --base-image R/images:one --layers D/p.json:/p.json --no-show-summary'],
  ...['publish --images R/built:v1 --base-image R/images:v1 --layers D/p.json:/p.json --json --platforms linux/arm64'],
  ...['publish --images R/refused:v1 --layers D/p.json:/p.json', 'plan --images R/refused:v1 --layers D/p.json:/p'],
]

test('every command that asks a registry is among them', () => {
  const asking = COMMANDS.map(({ name }) => name).filter(name => name !== 'generate-key-pair')
  expect([...new Set(LINES.map(line => line.split(' ')[0]))].toSorted()).toEqual(asking.toSorted())
})

/** Two that forge alone, and all of them in one text, from both ends. */
const TEXTS = [HOSTILE[0], HOSTILE[1], HOSTILE.join(' '), HOSTILE.toReversed().join('')]

describe.each(TEXTS)('a registry that says %j in every field', text => {
  let registry: Awaited<ReturnType<typeof startHostileRegistry>>
  let work: Awaited<ReturnType<typeof temporaryDirectory>>
  let summary: string
  let env: NodeJS.ProcessEnv
  let said = ''
  let documents = 0
  beforeAll(async () => {
    registry = await startHostileRegistry(text)
    work = await temporaryDirectory()
    summary = join(work.path, 'summary.md')
    await writeFile(join(work.path, 'p.json'), '{}')
    await writeFile(summary, '')
    env = {
      ...{ COSIGN_PASSWORD: 'a password', HOME: work.path, GITHUB_STEP_SUMMARY: summary, CI: 'true' },
      ...{ DOCKER_CONFIG: work.path, RUNNER_TEMP: work.path, PATH: process.env['PATH'] },
    }
    await runReal(['generate-key-pair', '--output-key-prefix', join(work.path, 'cosign')], env)
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await work[Symbol.asyncDispose]()
  })

  test.each(LINES)(
    'neither forges a line, nor steers the terminal, nor commands the runner in: %s',
    async line => {
      const argv = line
        .split(' ')
        .map(word => word.replace(/\bR\//g, `${registry.host}/`).replace(/\bD\//g, `${work.path}/`))
      const { out, err } = await runReal([...argv, '--plain-http', registry.host], env)
      const lines = `${out}\n${err}`.split('\n')
      expect(lines.filter(one => !isHarmless(one) || isCommand(one) || one.startsWith('forged'))).toEqual([])
      const isDocument = line.endsWith('--json') && out !== ''
      expect(() => (isDocument ? JSON.parse(out) : undefined) as unknown).not.toThrow()
      if (isDocument) documents++
      said += out + err
    },
    60_000,
  )

  test('it did say it, or nothing would be shown by this; the summary is harmless too', async () => {
    expect(documents).toBeGreaterThan(3)
    expect(said).toMatch(/title|\\u|\\n|\\::|##|forged|&lt;|`x`/)
    expect(isHarmless(await readFile(summary, 'utf8'))).toBe(true)
  })
})
