import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKey, readPrivateKey } from 'openpgp'
import { parse } from 'yaml'
import { chartConfig } from '../../src/artifact/helm/chart-config.ts'
import { chartArtifact } from '../../src/artifact/helm/chart-manifest.ts'
import { chartFileName, type Chart } from '../../src/artifact/helm/chart.ts'
import { packageChart } from '../../src/artifact/helm/package-chart.ts'
import { signChart, verifyProvenance } from '../../src/artifact/helm/provenance.ts'
import { readChart, type ReadChartOptions } from '../../src/artifact/helm/read-chart.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { collect } from '../layer/layer-blob.ts'
import { tempDir, type TempDir, type Wanted } from '../layer/temp-dir.ts'
import { run } from '../support/peers.ts'
import { startRegistry } from '../support/registries.ts'

const HELMS = ['helm3', 'helm4'] as const
const TEMPLATE = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Chart.Name }}\ndata: {{ .Values | toJson }}\n'

interface Sample {
  readonly name: string
  readonly files: Readonly<Record<string, Wanted>>
  /** Charts to be packaged by helm into charts/. */
  readonly subcharts?: readonly Sample[]
  /** Libraries are not installable. */
  readonly library?: boolean
}

function chartYaml(name: string, more = ''): string {
  return `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n${more}`
}

function sample(name: string, files: Sample['files'] = {}, options: Omit<Sample, 'name' | 'files'> = {}): Sample {
  return {
    name,
    files: { 'Chart.yaml': chartYaml(name), 'values.yaml': 'a: 1\n', 'templates/cm.yaml': TEMPLATE, ...files },
    ...options,
  }
}

const LIBRARY = sample(
  'lib',
  {
    'Chart.yaml': chartYaml('lib', 'type: library\n'),
    'templates/cm.yaml': '{{- define "lib.x" }}x{{ end }}',
  },
  { library: true },
)
const NEEDS_LIB = 'dependencies:\n  - name: lib\n    version: 0.1.x\n    repository: ""\n'

/** By path in the chart. */
function inFolder(folder: string, files: Sample['files']): Sample['files'] {
  return Object.fromEntries(Object.entries(files).map(([path, wanted]) => [`${folder}/${path}`, wanted]))
}

const SAMPLES: readonly Sample[] = [
  sample('plain'),
  sample('comments', {
    'Chart.yaml': '# licence\napiVersion: v2 # x\nname: comments\nversion: 0.1.0\nappVersion: "1.10" # quoted\n',
  }),
  sample('scalars', {
    'Chart.yaml': chartYaml(
      'scalars',
      'appVersion: 1.10\nkeywords: [08, 0x1F, on, 1e3, 12:30, ~, 123456.789]\nannotations: {1.1: 1_000, "15": yes}\n',
    ),
  }),
  sample('full', {
    'Chart.yaml': `apiVersion: v2
name: full
version: 1.2.3-rc.1+build.7
kubeVersion: ">=1.20.0-0"
description: "A <b> & c with\\ttabs, nb\\u00a0sp and z\\u200bw"
type: application
keywords: [a, b]
home: https://example.com/home
sources: [https://example.com/one, https://example.com/two]
maintainers:
  - {name: Ann, email: ann@example.com, url: https://example.com}
  - name: Bøb
icon: https://example.com/icon.svg
deprecated: true
annotations: {example.com/z: "1", example.com/a: "<x>", org.opencontainers.image.source: own}
`,
  }),
  sample('v1', { 'Chart.yaml': 'apiVersion: v1\nname: v1\nversion: 0.1.0\n' }),
  sample('no-api', { 'Chart.yaml': 'name: no-api\nversion: 0.1.0\n' }),
  sample('v1-requirements', {
    'Chart.yaml': 'apiVersion: v1\nname: v1-requirements\nversion: 0.1.0\n',
    'requirements.yaml': NEEDS_LIB,
    ...inFolder('charts/lib', LIBRARY.files),
  }),
  sample('subchart', { 'Chart.yaml': chartYaml('subchart', NEEDS_LIB), ...inFolder('charts/lib', LIBRARY.files) }),
  sample('subchart-tgz', { 'Chart.yaml': chartYaml('subchart-tgz', NEEDS_LIB) }, { subcharts: [LIBRARY] }),
  sample('deep', {
    'Chart.yaml': chartYaml('deep', 'dependencies:\n- {name: mid, version: 0.1.0, alias: first}\n'),
    ...inFolder('charts/mid', sample('mid', { 'Chart.yaml': chartYaml('mid', NEEDS_LIB) }).files),
    ...inFolder('charts/mid/charts/lib', LIBRARY.files),
    'charts/mid/.helmignore': 'values.yaml\n',
  }),
  LIBRARY,
  sample('crds', {
    'crds/a.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\nspec: {}\n',
  }),
  sample('schema', {
    'values.schema.json': '{"$schema": "http://json-schema.org/draft-07/schema#", "required": ["a"]}\n',
  }),
  sample('ignores', {
    '.helmignore': [
      '\ufeff# comment',
      ...['by-name.txt', 'docs/', '/top.txt', '/topdir/', 'exact/a.txt', 'star/*', '*/one-deep.txt', './dot.txt'],
      ...['*.bak', '[a-c]?.log', 'esc\\*.txt', '  blanks.txt  \r', '.git', 'trailing # no comment', 'nö/'],
    ].join('\n'),
    ...Object.fromEntries(
      [
        ...['by-name.txt', 'x/by-name.txt', 'docs/a', 'x/docs/a', 'x/docs2', 'top.txt', 'x/top.txt', 'topdir/a'],
        ...['x/topdir/a', 'exact/a.txt', 'x/exact/a.txt', 'star/a', 'star/b/c', 'x/one-deep.txt', 'x/y/one-deep.txt'],
        ...['dot.txt', 'a.bak', 'x/A.BAK', 'a1.log', 'd1.log', 'esc*.txt', 'escx.txt', 'blanks.txt', '.git/config'],
        ...['trailing', 'nö/a', 'ok', '.hidden', 'templates/.hidden', 'templates/x/.kept', 'templates/_helpers.tpl'],
      ].map(path => [path, path.startsWith('templates/') ? '' : path]),
    ),
  }),
  sample('ignores-nothing', { '.git/config': 'x', '.dot': 'x', 'templates/.x/y': 'x' }),
  sample('negated', { '.helmignore': '!?*\n', keep: 'x' }),
  sample('lock', {
    'Chart.yaml': chartYaml('lock', NEEDS_LIB),
    ...inFolder('charts/lib', LIBRARY.files),
    'Chart.lock':
      'dependencies:\n- name: lib\n  repository: ""\n  version: 0.1.0\ndigest: sha256:00\ngenerated: "2024-01-01T00:00:00Z"\n',
  }),
  sample('non-ascii', {
    'files/größe 😀.txt': 'x',
    [`files/${'long-'.repeat(30)}/${'n'.repeat(120)}`]: 'x',
    'ß/ä': '\ufeffx',
  }),
  sample('large', {
    'files/big': 'x'.repeat(5 << 20),
    'files/random': Array.from({ length: 70_000 }, (_, i) => createHash('md5').update(`${i}`).digest('hex')).join(''),
  }),
  sample('links', {
    'files/a': 'x',
    'linked.txt': { link: 'files/a' },
    more: { link: 'files' },
    'run.sh': { text: 'x', mode: 0o755 },
  }),
  sample('charts-junk', { 'charts/.x': 'x', 'charts/_y/z': 'x', 'charts/lib-0.1.0.tgz.prov': 'x' }),
  sample('values-bom', { 'values.yaml': '\ufeff# x\na: 1\n' }),
  sample('values-docs', { 'values.yaml': 'a: 1\n---\nb: 2\n' }),
  sample('readme', { 'README.md': '# x\n', LICENSE: 'x', 'templates/NOTES.txt': 'x', 'ci/values.yaml': 'x: 1\n' }),
  sample('numbers-in-values', { 'values.yaml': 'a: 0o17\nb: 1_0\nc: &c {d: yes}\ne: *c\na: 2\n' }),
]

async function putSample(dir: TempDir, { name, files, subcharts = [] }: Sample, under = ''): Promise<string> {
  dir.put(inFolder(`${under}${name}`, files))
  const path = join(dir.path, `${under}${name}`)
  for (const subchart of subcharts) {
    const source = await putSample(dir, subchart, 'subcharts-of/')
    await mkdir(join(path, 'charts'), { recursive: true })
    await run('helm4', ['package', source, '--destination', join(path, 'charts')])
  }
  return path
}

/** Every file of a package by path, those of packages in it too, as helm lays them out. */
async function unpacked(tgz: string, dir: TempDir): Promise<Map<string, string>> {
  const to = mkdtempSync(join(dir.path, 'unpacked-'))
  await run('tar', ['-xzf', tgz, '-C', to])
  const files = new Map<string, string>()
  for (const entry of await readdir(to, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const relative = path.slice(to.length + 1)
    if (/(?:^|\/)charts\/[^/]+\.tgz$/.test(relative)) {
      for (const [inner, text] of await unpacked(path, dir)) files.set(relative.replace(/[^/]+$/, inner), text)
    } else files.set(relative, textOf(relative, path))
  }
  return new Map([...files].sort())
}

/** helm writes these two anew. */
function textOf(relative: string, path: string): string {
  const bytes = readFileSync(path)
  if (relative.endsWith('Chart.lock')) return JSON.stringify(parse(bytes.toString()))
  if (relative.endsWith('Chart.yaml')) return 'shown by helm below'
  return createHash('sha256').update(bytes).digest('hex')
}

interface Packaged {
  readonly chart: Chart
  readonly digest: string
  readonly tgz: string
}

async function packageHere(path: string, to: string, options: ReadChartOptions = {}): Promise<Packaged> {
  const chart = await readChart(path, options)
  const blob = await packageChart(chart)
  await mkdir(to, { recursive: true })
  const tgz = join(to, chartFileName(chart.metadata))
  writeFileSync(tgz, await collect(blob.open()))
  return { chart, digest: blob.descriptor.digest, tgz }
}

async function packageByHelm(helm: string, path: string, to: string): Promise<string> {
  await mkdir(to, { recursive: true })
  await run(helm, ['package', path, '--destination', to])
  const [file = ''] = await readdir(to)
  return join(to, file)
}

async function lints(helm: string, chart: string): Promise<boolean> {
  return run(helm, ['lint', chart]).then(
    () => true,
    () => false,
  )
}

describe.each(SAMPLES.map(each => [each.name, each] as const))('the chart %s', (_name, each) => {
  test('has the same files in our package as in helm’s, and means the same to helm 3 and 4', async () => {
    using dir = tempDir()
    const path = await putSample(dir, each)
    const ours = await packageHere(path, join(dir.path, 'ours'))
    for (const helm of HELMS) {
      const theirs = await packageByHelm(helm, path, join(dir.path, helm))
      expect(ours.tgz.split('/').at(-1)).toBe(theirs.split('/').at(-1))
      expect(await unpacked(ours.tgz, dir)).toEqual(await unpacked(theirs, dir))
      expect(await run(helm, ['show', 'all', ours.tgz])).toBe(await run(helm, ['show', 'all', theirs]))
      const template = async (tgz: string): Promise<string> =>
        each.library ? '' : run(helm, ['template', 'x', tgz, '--include-crds'])
      expect(await template(ours.tgz)).toBe(await template(theirs))
      expect(await lints(helm, ours.tgz)).toBe(await lints(helm, path))
    }
  })

  test('has one digest in two runs, in two folders, with other times', async () => {
    using dir = tempDir()
    const path = await putSample(dir, each)
    const first = await packageHere(path, join(dir.path, 'first'))
    utimesSync(join(path, 'Chart.yaml'), 1e9, 1e9)
    const second = await packageHere(path, join(dir.path, 'second'))
    await mkdir(join(dir.path, 'elsewhere'))
    renameSync(path, join(dir.path, 'elsewhere', each.name))
    const third = await packageHere(join(dir.path, 'elsewhere', each.name), join(dir.path, 'third'))
    expect([second.digest, third.digest]).toEqual([first.digest, first.digest])
  })
})

test.each<[string, Sample['files']]>([
  ['no version', { 'Chart.yaml': 'name: bad\n' }],
  ['a version of four numbers', { 'Chart.yaml': 'name: bad\nversion: 1.2.3.4\n' }],
  ['a prerelease with a leading zero', { 'Chart.yaml': 'name: bad\nversion: 1.2.3-01\n' }],
  ['an unknown type', { 'Chart.yaml': chartYaml('bad', 'type: x\n') }],
  ['an unknown apiVersion', { 'Chart.yaml': 'apiVersion: v9\nname: bad\nversion: 0.1.0\n' }],
  ['a missing dependency', { 'Chart.yaml': chartYaml('bad', NEEDS_LIB) }],
  ['an empty maintainer', { 'Chart.yaml': chartYaml('bad', 'maintainers: [~]\n') }],
  ['an alias with a blank', { 'Chart.yaml': chartYaml('bad', 'dependencies: [{name: a, alias: a b}]\n') }],
  ['text for a flag', { 'Chart.yaml': chartYaml('bad', 'deprecated: "true"\n') }],
  ['a number without JSON', { 'Chart.yaml': chartYaml('bad', 'appVersion: .inf\n') }],
  ['a list for values', { 'values.yaml': '- a\n' }],
  ['a schema that is no JSON', { 'values.schema.json': '{' }],
  ['a file in charts/', { 'charts/README.md': 'x' }],
  ['a folder x.tgz', { 'charts/x.tgz/y': 'x' }],
  ['a broken subchart', { 'charts/a/Chart.yaml': 'name: a\n' }],
  ['** in .helmignore', { '.helmignore': 'a/**' }],
  ['an open bracket in .helmignore', { '.helmignore': '[a' }],
  ['Chart.yaml in .helmignore', { '.helmignore': 'Chart.yaml' }],
  ['a link that leads nowhere', { x: { link: 'y' } }],
])('%s: helm packages no such chart, nor do we', async (_name, files) => {
  using dir = tempDir()
  const path = await putSample(dir, sample('bad', files))
  await expect(readChart(path)).rejects.toMatchObject({ code: 'INVALID_CHART' })
  await expect(run('helm4', ['package', path, '--destination', dir.path])).rejects.toThrow('Error: ')
})

test('what `helm create` makes is packaged with the versions of helm’s own flags', async () => {
  using dir = tempDir()
  await run('helm4', ['create', join(dir.path, 'created')])
  const path = join(dir.path, 'created')
  const flags = ['--version', '2.0.0+x', '--app-version', '1.10', '--destination', join(dir.path, 'theirs')]
  await run('helm4', ['package', path, ...flags])
  const theirs = join(dir.path, 'theirs', 'created-2.0.0+x.tgz')
  const ours = await packageHere(path, join(dir.path, 'ours'), { version: '2.0.0+x', appVersion: '1.10' })
  expect(await unpacked(ours.tgz, dir)).toEqual(await unpacked(theirs, dir))
  for (const helm of HELMS) {
    expect(await run(helm, ['show', 'all', ours.tgz])).toBe(await run(helm, ['show', 'all', theirs]))
    expect(await run(helm, ['template', ours.tgz])).toContain('app.kubernetes.io/version: "1.10"')
    await run(helm, ['lint', ours.tgz])
  }
})

test.each(['v1', 'v2'])('a lock that helm wrote for apiVersion %s is not called out of date', async apiVersion => {
  using dir = tempDir()
  await putSample(dir, LIBRARY)
  const dependencies = 'dependencies:\n- {name: lib, version: ">=0.1.0 <1", repository: "file://../lib", tags: [a]}\n'
  const chart = `apiVersion: ${apiVersion}\nname: locked\nversion: 0.1.0\n`
  const path = await putSample(
    dir,
    sample('locked', {
      'Chart.yaml': apiVersion === 'v1' ? chart : chart + dependencies,
      ...(apiVersion === 'v1' && { 'requirements.yaml': dependencies }),
    }),
  )
  await run('helm4', ['dependency', 'update', path])
  expect(existsSync(join(path, apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock'))).toBe(true)
  expect((await readChart(path)).warnings).toEqual([])
})

test('a file that is too large for helm 3 is packaged when asked for, and read by helm 4', async () => {
  using dir = tempDir()
  const path = await putSample(dir, sample('huge', { big: 'x'.repeat(6 << 20) }))
  const { tgz, chart } = await packageHere(path, join(dir.path, 'ours'), { allowLargeFiles: true })
  expect(chart.warnings).toEqual([expect.stringContaining('big has 6291456 bytes')])
  await run('helm4', ['template', 'x', tgz])
  await expect(run('helm3', ['template', 'x', tgz])).rejects.toThrow('is larger than the maximum file size')
})

test('configs and annotations are byte for byte those that helm pushes', async () => {
  using dir = tempDir()
  await using registry = await startRegistry()
  for (const each of SAMPLES) {
    const path = await putSample(dir, each)
    const theirs = await packageByHelm('helm4', path, join(dir.path, 'theirs', each.name))
    const base = `${registry.host}/charts`
    await run('helm4', ['push', theirs, `oci://${base}`, '--plain-http'])
    const chart = await readChart(path)
    const artifact = chartArtifact(chart, await packageChart(chart), { created: 0 })
    const pushed = JSON.parse(await run('crane', ['manifest', `${base}/${artifact.name}:${artifact.tag}`])) as Manifest
    const config = await run('crane', ['blob', '--insecure', `${base}/${artifact.name}@${pushed.config.digest}`])
    expect(Buffer.from(chartConfig(chart.metadata).bytes).toString()).toBe(config)
    const made = JSON.parse((await collect(artifact.manifest.open())).toString()) as Manifest
    const created = { 'org.opencontainers.image.created': '1970-01-01T00:00:00Z' }
    expect(made.annotations).toEqual({ ...pushed.annotations, ...created })
  }
})

interface Manifest {
  readonly config: { readonly digest: string }
  readonly annotations: Readonly<Record<string, string>>
}

describe('provenance', () => {
  const kinds = [{ type: 'ecc' }, { type: 'rsa', rsaBits: 2048 }, { type: 'ecc', curve: 'nistP256' }] as const

  test.each(kinds)('helm 3 and 4 and gpg verify what a key of %j signed', async kind => {
    using dir = tempDir()
    const { privateKey, publicKey } = await newKey(kind, dir)
    const path = await putSample(dir, SAMPLES.find(({ name }) => name === 'full') ?? sample('full'))
    const { chart, tgz } = await packageHere(path, join(dir.path, 'ours'))
    const prov = await signChart(chart.metadata, digestOf(readFileSync(tgz)), { privateKey })
    writeFileSync(`${tgz}.prov`, prov)
    for (const helm of HELMS) await run(helm, ['verify', tgz, '--keyring', publicKey])
    await mkdir(join(dir.path, 'gpg'), { mode: 0o700 })
    const gpg = ['--homedir', join(dir.path, 'gpg'), '--batch']
    await run('gpg', [...gpg, '--import', publicKey])
    await run('gpg', [...gpg, '--verify', `${tgz}.prov`])
    expect((await readChart(tgz)).provenance).toEqual(readFileSync(`${tgz}.prov`))
  })

  test.each(HELMS)('we verify what %s signed', async helm => {
    using dir = tempDir()
    const { secretKeyring, publicKey } = await newKey({ type: 'rsa', rsaBits: 2048 }, dir)
    const path = await putSample(dir, SAMPLES.find(({ name }) => name === 'full') ?? sample('full'))
    const to = join(dir.path, 'theirs')
    await mkdir(to)
    await run(helm, ['package', path, '--sign', '--key', 'Ann', '--keyring', secretKeyring, '--destination', to])
    const tgz = (await readdir(to)).find(file => file.endsWith('.tgz')) ?? ''
    expect(existsSync(join(to, `${tgz}.prov`))).toBe(true)
    const { provenance } = await readChart(join(to, tgz))
    expect(await verifyProvenance(provenance ?? Buffer.of(), [readFileSync(publicKey)], 'x.prov')).toMatch(
      /^[0-9a-f]{16}$/,
    )
  })
})

interface KeyFiles {
  readonly privateKey: string
  /** Paths of binary keyrings. */
  readonly publicKey: string
  readonly secretKeyring: string
}

async function newKey(
  kind: { type: 'ecc' | 'rsa'; rsaBits?: number; curve?: 'nistP256' },
  dir: TempDir,
): Promise<KeyFiles> {
  const { privateKey } = await generateKey({
    ...kind,
    userIDs: [{ name: 'Ann', email: 'ann@example.com' }],
    format: 'armored',
    date: new Date('2024-01-01T00:00:00Z'),
  })
  const key = await readPrivateKey({ armoredKey: privateKey })
  const publicKey = join(dir.path, 'public.gpg')
  const secretKeyring = join(dir.path, 'secret.gpg')
  writeFileSync(publicKey, key.toPublic().write())
  writeFileSync(secretKeyring, key.write())
  return { privateKey, publicKey, secretKeyring }
}
