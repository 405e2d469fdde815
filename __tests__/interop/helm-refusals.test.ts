import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readChart } from '../../src/artifact/helm/read-chart.ts'
import { tempDir } from '../layer/temp-dir.ts'
import { run } from '../support/peers.ts'
import { runCli } from '../support/published.ts'
import { startRegistry } from '../support/registries.ts'

const HELMS = ['helm3', 'helm4'] as const
const CHART = 'apiVersion: v2\nname: x\nversion: 0.1.0\n'

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

const CONTROLS = [0, 1, 8, 0xb, 0xc, 0x1f, 0x7f, 0x80, 0x86, 0x9f, 0xfffe, 0xffff].map(code =>
  String.fromCodePoint(code),
)
const BREAKS = ['\r', '\x85', '\u2028', '\u2029']

/** Values, and texts that go behind a Chart.yaml. */
const VALUES: readonly string[] = [
  ...[...CONTROLS, '\ufeff', '\ue000', '\u{1fffe}', '\u{10ffff}'].flatMap(each => [
    `a: b${each}c\n`,
    `a: "b${each}c"\n`,
    `a: 1 # ${each}\n`,
  ]),
  ...BREAKS.flatMap(each => [`a: b${each}c\n`, `a: "b${each}c"\n`, `a: 1 # x${each}y\n`, `a: |\n  b${each}c\n`]),
  ...['\\ud800', '\\udc00', '\\ud83d\\ude00', '\\U0001F600', '\\U0000D800', '\\U00110000', '\\0', '\\e', '\\N', '\\_']
    .concat('\\L', '\\P', '\\/', '\\q', '\\x4', '\\u12', '\\\\/')
    .map(each => `a: "b${each}c"\n`),
  ...[
    'aGk=',
    'aGk',
    'a G k =',
    'aGk==',
    '"aGk="',
    '|\n  aGk=\n',
    '/+==',
    '_-==',
    '',
    '~',
    'gIA=',
    'aGk=aGk=',
    'aGl=',
  ].map(each => `a: !!binary ${each}\n`),
  ...['!!int x', '!!int "5"', '!!int 1.0', '!!int ""', '!!float x', '!!float 5', '!!bool x', '!!bool "yes"', '!!null x']
    .concat('!!timestamp x', '!!timestamp 2001-01-01', '!!str 5', '!x 1', '!<x> 1', '.inf', '.nan', '*x', '1e400')
    .map(each => `a: ${each}\n`),
  ...['%TAG ! tag:a\n', '%YAML 1.1\n', '%YAML 1.2\n', '%FOO x\n', '# c\n%YAML 1.1\n'].map(each => `${each}---\na: 1\n`),
  ...['...\n', '---\n', 'a: 1\n---\nb: [\n', 'a: 1\n---\n- b\n', 'a: 1\n...\n', ''],
]

const METADATA: readonly string[] = [
  ...['99999999999999999999.0.0', '18446744073709551615.0.0', '18446744073709551616.0.0', 'v99999999999999999999']
    .concat('1.0.99999999999999999999', '1.0.0-99999999999999999999', '1.0.0+99999999999999999999')
    .map(version => `apiVersion: v2\nname: x\nversion: "${version}"\n`),
  ...['"b\x01c"', '"b\\ud800c"', '!!binary aGk', '!!binary aGk=', '!!int x', '"b\\/c"', '"b\u2028c"', 'b\x85c'].map(
    text => `${CHART}description: ${text}\n`,
  ),
  ...['%YAML 1.1\n', '%YAML 1.2\n', '%YAML 1.1\n%YAML 1.1\n', '%TAG !e! tag:x\n', '%TAG !e tag:x\n', '%FOO x\n'].map(
    each => `${each}---\n${CHART}`,
  ),
  ...['x: .nan\n', 'x: {a: .inf}\n', 'annotations: {a: *x}\n'].map(text => CHART + text),
]

test.each([
  ...VALUES.map(text => ({ 'values.yaml': text, 'Chart.yaml': CHART })),
  ...METADATA.map(text => ({ 'Chart.yaml': text })),
])('%j is packaged where helm 3 and helm 4 package it, and nowhere else', async files => {
  using dir = tempDir()
  dir.put(Object.fromEntries(Object.entries(files).map(([name, text]) => [`x/${name}`, text])))
  const path = join(dir.path, 'x')
  const theirs = await Promise.all(
    HELMS.map(helm => succeeds(run(helm, ['package', path, '--destination', join(dir.path, helm)]))),
  )
  expect(await succeeds(readChart(path))).toBe(theirs.every(Boolean))
})

test.each([
  'c:d',
  'c ',
  ' c',
  'C',
  'c_d',
  'c__d',
  'c..d',
  '-c',
  'c-',
  'c+d',
  'c d',
  'ü',
  'c@d',
  'c%d',
  'c?d',
  'c#d',
  'c\\d',
])('a chart called %j is pushed where helm pushes it, under the same name, and nowhere else', async name => {
  await using registry = await startRegistry()
  using dir = tempDir()
  dir.put({ 'x/Chart.yaml': `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: 0.1.0\n` })
  const repositories = async (): Promise<unknown> =>
    ((await (await fetch(`http://${registry.directHost}/v2/_catalog`)).json()) as { readonly repositories: unknown })
      .repositories
  const args = ['publish', '--chart', 'x', '--images', `${registry.host}/ours`]
  const { exitCode } = await runCli(args, { cwd: dir.path })
  const ours = await repositories()
  expect([exitCode === 0, ours]).toEqual(exitCode === 0 ? [true, [`ours/${name}`]] : [false, []])
  for (const helm of HELMS) {
    const to = join(dir.path, helm)
    await mkdir(to)
    const pushed = run(helm, ['package', join(dir.path, 'x'), '--destination', to]).then(async () => {
      const [file = ''] = await readdir(to)
      await run(helm, ['push', file, `oci://${registry.host}/theirs`, '--plain-http'], { cwd: to })
    })
    expect([helm, await succeeds(pushed)]).toEqual([helm, exitCode === 0])
  }
})

test.each([
  ['v1.2.3', ['v1.2.3', '1.1.0']],
  ['1.2.3', ['v1.2.3']],
  ['=v1.2.3', ['v1.2.3']],
  ['^1', ['v1.2.3']],
  ['v1.2.3', ['1.2.3']],
  ['1.2', ['1.2.5', '1.2.0']],
  ['1.2', ['1.2']],
  ['1.2.0', ['1.2']],
  ['1.2.3+b.1', ['1.2.3+b.1']],
  ['1.2.3-rc.1', ['1.2.3-rc.1']],
  [' 1.2.3 ', ['1.2.3']],
  ['1.2.3 || 1.2.4', ['1.2.3']],
  ['1.2.x', ['1.2.5', '1.2.0']],
  ['>=1.0.0', ['v1.2.3', '1.1.0']],
])('the dependency %j of a registry with %j is what helm makes of it', async (range, versions) => {
  await using registry = await startRegistry()
  using dir = tempDir()
  const repository = `oci://${registry.host}/deps`
  for (const version of versions) {
    dir.put({ [`${version}/dep/Chart.yaml`]: `apiVersion: v2\nname: dep\nversion: "${version}"\n` })
    await run('helm4', ['package', join(dir.path, version, 'dep'), '--destination', dir.path])
    await run('helm4', ['push', join(dir.path, `dep-${version}.tgz`), repository, '--plain-http'])
  }
  const dependency = `dependencies:\n- {name: dep, version: ${JSON.stringify(range)}, repository: "${repository}"}\n`
  for (const each of ['ours', ...HELMS]) dir.put({ [`${each}/x/Chart.yaml`]: CHART + dependency })
  const at = (folder: string): string => join(dir.path, folder)
  const chosen: (readonly string[])[] = []
  for (const helm of HELMS) {
    await succeeds(run(helm, ['dependency', 'update', join(at(helm), 'x'), '--plain-http']))
    chosen.push(await readdir(join(at(helm), 'x/charts')).catch(() => []))
  }
  const args = ['publish', '--chart', 'x', '--chart-dependencies', 'update', '--images', `${registry.host}/ours`]
  const { exitCode } = await runCli(args, { cwd: at('ours') })
  const pulled = ['pull', `oci://${registry.host}/ours/x`, '--version', '0.1.0', '--plain-http', '--untar']
  if (exitCode === 0) await run('helm4', pulled, { cwd: at('') })
  const ours = await readdir(join(at('x'), 'charts')).catch(() => [])
  // helm unpacks nothing in charts/: the names are those of the packages.
  expect([ours, ours]).toEqual(chosen)
})
