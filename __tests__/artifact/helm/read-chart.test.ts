import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readChart, type ReadChartOptions } from '../../../src/artifact/helm/read-chart.ts'
import { chartArtifact } from '../../../src/artifact/helm/chart-manifest.ts'
import { packageChart } from '../../../src/artifact/helm/package-chart.ts'
import { collect, tarOf } from '../../layer/layer-blob.ts'
import { tempDir, type TempDir, type Wanted } from '../../layer/temp-dir.ts'

const CHART = 'apiVersion: v2\nname: demo\nversion: 1.2.3\n'
const LIB = 'apiVersion: v2\nname: lib\nversion: 1.0.0\n'
const NEEDS_LIB = `${CHART}dependencies:\n  - name: lib\n    version: 1.x\n`

type Files = Readonly<Record<string, Wanted>>

function put(dir: TempDir, files: Files): string {
  dir.put(Object.fromEntries(Object.entries(files).map(([path, wanted]) => [`demo/${path}`, wanted])))
  return join(dir.path, 'demo')
}

async function refusal(files: Files, options: ReadChartOptions = {}): Promise<string> {
  using dir = tempDir()
  const path = put(dir, files)
  return await readChart(path, options).then(
    () => 'taken',
    (error: unknown) => (error as Error).message.replaceAll(`chart ${path}: `, ''),
  )
}

async function warningsOf(files: Files): Promise<readonly string[]> {
  using dir = tempDir()
  return (await readChart(put(dir, files))).warnings
}

async function packed(files: Readonly<Record<string, string>>): Promise<Buffer> {
  return gzipSync(await tarOf(Object.entries(files).map(([path, text]) => ({ path, text }))))
}

describe('what helm refuses is refused before anything is sent, by name', () => {
  test.each<[string, Files, string]>([
    ['no Chart.yaml', { 'values.yaml': '' }, 'Chart.yaml is missing'],
    ['another spelling', { 'chart.yaml': CHART }, 'Chart.yaml is missing: not chart.yaml'],
    ['an ignored one', { 'Chart.yaml': CHART, '.helmignore': '!x' }, 'Chart.yaml is missing'],
    ['no name', { 'Chart.yaml': 'version: 1.0.0\n' }, 'Chart.yaml: name is missing'],
    ['a path for a name', { 'Chart.yaml': 'name: a/b\nversion: 1.0.0\n' }, 'name "a/b" is no name of a folder'],
    ['a name with a backslash', { 'Chart.yaml': 'name: a\\b\nversion: 1.0.0\n' }, 'is no name of a folder'],
    ...[
      '99999999999999999999.0.0',
      '18446744073709551616.0.0',
      'v99999999999999999999',
      '1.0.99999999999999999999',
    ].map((version): [string, Files, string] => [
      `the version ${version}, whose number has more than 64 bits`,
      { 'Chart.yaml': `name: a\nversion: ${version}\n` },
      `version "${version}" is no semantic version`,
    ]),
    [
      'a control character in values',
      { 'Chart.yaml': CHART, 'values.yaml': 'a: \x01\n' },
      'values.yaml:1: the character',
    ],
    ['no version', { 'Chart.yaml': 'name: a\n' }, 'Chart.yaml: version is missing'],
    ['a long version', { 'Chart.yaml': 'name: a\nversion: 1.2.3.4\n' }, 'version "1.2.3.4" is no semantic version'],
    ['a word for a version', { 'Chart.yaml': 'name: a\nversion: x\n' }, 'version "x" is no semantic version'],
    ['an unknown type', { 'Chart.yaml': `${CHART}type: x\n` }, 'type "x" is neither application nor library'],
    [
      'an unknown apiVersion',
      { 'Chart.yaml': 'apiVersion: v3\nname: a\nversion: 1.0.0\n' },
      '"v3" is neither v1 nor v2',
    ],
    ['a missing dependency', { 'Chart.yaml': NEEDS_LIB }, 'charts/ has no chart "lib", a dependency of demo'],
    ['values that are a list', { 'Chart.yaml': CHART, 'values.yaml': '- a' }, 'values.yaml: is not a map of values'],
    ['values that are no YAML', { 'Chart.yaml': CHART, 'values.yaml': 'a: {' }, 'values.yaml:1: '],
    ['a schema that is no JSON', { 'Chart.yaml': CHART, 'values.schema.json': '{' }, 'values.schema.json: is not JSON'],
    ['an empty maintainer', { 'Chart.yaml': `${CHART}maintainers: [~]\n` }, 'Chart.yaml:4: maintainers[] is not a map'],
    [
      'two dependencies of one name',
      { 'Chart.yaml': `${CHART}dependencies: [{name: a}, {name: b, alias: a}]\n` },
      'two dependencies are called "a"',
    ],
    [
      'an alias with a blank',
      { 'Chart.yaml': `${CHART}dependencies: [{name: a, alias: a b}]\n` },
      'the alias "a b" has more than letters',
    ],
    ['** in .helmignore', { 'Chart.yaml': CHART, '.helmignore': 'a/**' }, '.helmignore:1: "a/**"'],
    [
      'a symlink out of the chart',
      { 'Chart.yaml': CHART, x: { link: '/etc/hostname' } },
      'x is a symlink to /etc/hostname, outside',
    ],
    [
      'a symlink to its neighbour',
      { 'Chart.yaml': CHART, x: { link: '../demo2' }, '../demo2/a': 'a' },
      'outside of the chart',
    ],
    ['a symlink to nowhere', { 'Chart.yaml': CHART, x: { link: 'y' } }, 'x is a symlink that leads nowhere'],
    [
      'a circle of symlinks',
      { 'Chart.yaml': CHART, 'd/x': { link: '../d' } },
      'd/x is a symlink to a folder that it is in itself',
    ],
    ['a file in charts/', { 'Chart.yaml': CHART, 'charts/README.md': 'x' }, 'charts/README.md/Chart.yaml is missing'],
    ['a folder x.tgz', { 'Chart.yaml': CHART, 'charts/x.tgz/y': 'x' }, 'charts/x.tgz is a folder'],
    [
      'a broken package in charts/',
      { 'Chart.yaml': CHART, 'charts/x.tgz': 'x' },
      'charts/x.tgz: is not compressed with gzip',
    ],
    [
      'a bad subchart',
      { 'Chart.yaml': CHART, 'charts/a/Chart.yaml': 'name: a\n' },
      'charts/a/Chart.yaml: version is missing',
    ],
    [
      'a file over 5 MiB',
      { 'Chart.yaml': CHART, big: 'x'.repeat((5 << 20) + 1) },
      'big has 5242881 bytes; helm 3 reads no chart',
    ],
  ])('%s', async (_name, files, expected) => {
    expect(await refusal(files)).toContain(expected)
  })

  test('a Chart.yaml that is not UTF-8, and stays as it is', async () => {
    using dir = tempDir()
    const path = put(dir, { 'Chart.yaml': CHART })
    writeFileSync(join(path, 'Chart.yaml'), Buffer.from(`${CHART}description: caf\xe9\n`, 'latin1'))
    await expect(readChart(path)).rejects.toThrow('Chart.yaml: is not UTF-8')
  })

  test('a pipe', async () => {
    using dir = tempDir()
    const path = put(dir, { 'Chart.yaml': CHART })
    execFileSync('mkfifo', [join(path, 'pipe')])
    await expect(readChart(path)).rejects.toThrow('pipe is a socket, a pipe or a device')
  })

  test('all of it at once', async () => {
    const files = {
      'Chart.yaml': 'name: a/b\nversion: x\ntype: y\n',
      'values.yaml': '- a',
      '.helmignore': '**',
      l: { link: '/etc' },
    }
    expect((await refusal(files)).split('\n')).toHaveLength(6)
  })

  test('a version given from outside that is none', async () => {
    expect(await refusal({ 'Chart.yaml': CHART }, { version: 'x' })).toContain('the version "x" given for it')
  })

  test('a chart that is not there', async () => {
    await expect(readChart('/nowhere/demo')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})

describe('what helm packages is taken, and told where the user should know', () => {
  test.each<[string, Files, readonly string[]]>([
    ['a plain chart', { 'Chart.yaml': CHART, 'values.yaml': '' }, []],
    ['v1.2.3', { 'Chart.yaml': CHART.replace('1.2.3', 'v1.2.3') }, ['no range such as ^1 finds it']],
    ['1.2', { 'Chart.yaml': CHART.replace('1.2.3', '"1.2"') }, ['no range such as ^1 finds it']],
    ['01.2.3', { 'Chart.yaml': CHART.replace('1.2.3', '01.2.3') }, ['no range such as ^1 finds it']],
    ['another name than the folder', { 'Chart.yaml': CHART.replace('demo', 'other') }, ['its folder is called "demo"']],
    ['upper case', { 'Chart.yaml': CHART.replace('demo', 'Demo') }, ['cannot be that of a repository', 'its folder']],
    [
      'a chart nobody asked for',
      { 'Chart.yaml': CHART, 'charts/lib/Chart.yaml': LIB },
      ['"lib" that is no dependency'],
    ],
    ['hidden things in charts/', { 'Chart.yaml': CHART, 'charts/.x': '', 'charts/_y/z': '' }, []],
    ['several documents of values', { 'Chart.yaml': CHART, 'values.yaml': 'a: 1\n---\nb: 2\n' }, []],
    ['a broken template', { 'Chart.yaml': CHART, 'templates/x.yaml': '{{ if' }, []],
    ['an ignored symlink', { 'Chart.yaml': CHART, x: { link: '/nowhere' }, '.helmignore': 'x' }, []],
    [
      'a lock that is out of date',
      {
        'Chart.yaml': NEEDS_LIB,
        'charts/lib/Chart.yaml': LIB,
        'Chart.lock': 'dependencies: [{name: lib, repository: "", version: 1.1.0}]\ndigest: sha256:00\n',
      },
      ['Chart.lock is out of date', 'Chart.lock chose lib 1.1.0, charts/ has 1.0.0'],
    ],
    [
      'requirements of v1',
      {
        'Chart.yaml': 'name: demo\nversion: 1.0.0\n',
        'requirements.yaml': 'dependencies: [{name: lib, version: "1", repository: ""}]\n',
        'charts/lib/Chart.yaml': LIB,
      },
      [],
    ],
  ])('%s', async (_name, files, expected) => {
    expect(await warningsOf(files)).toEqual(expected.map(text => expect.stringContaining(text) as unknown))
  })

  test('strict refuses what would be a warning', async () => {
    expect(await refusal({ 'Chart.yaml': CHART.replace('1.2.3', 'v1') }, { strict: true })).toContain('no range')
  })

  test('a large file, when it is wanted', async () => {
    expect(await refusal({ 'Chart.yaml': CHART, big: 'x'.repeat((5 << 20) + 1) }, { allowLargeFiles: true })).toBe(
      'taken',
    )
  })
})

test('the package has the files that are not ignored, behind links of the chart too, without byte order marks', async () => {
  using dir = tempDir()
  const path = put(dir, {
    'Chart.yaml': `\ufeff${CHART}`,
    '.helmignore': 'secret\n',
    'templates/.hidden': '',
    'templates/a.yaml': 'a',
    'files/größe': '\ufeffx',
    'linked.txt': { link: 'files/größe' },
    more: { link: 'files' },
    'secret/x': 'x',
    empty: { directory: true },
    'run.sh': { text: 'x', mode: 0o755 },
  })
  const chart = await readChart(path)
  expect(chart.files.map(file => [file.path, Buffer.from(file.bytes).toString()])).toEqual([
    ['.helmignore', 'secret\n'],
    ['Chart.yaml', CHART],
    ['files/größe', 'x'],
    ['linked.txt', 'x'],
    ['more/größe', 'x'],
    ['run.sh', 'x'],
    ['templates/a.yaml', 'a'],
  ])
})

test('files are sorted by bytes, not by locale, so that the digest is the same on every machine', async () => {
  using dir = tempDir()
  const names = ['Z', 'a', 'B', '_', 'ä', 'z', '-', '\u{ff5e}', '\u{1f600}']
  const chart = await readChart(
    put(dir, { 'Chart.yaml': CHART, ...Object.fromEntries(names.map(name => [`files/${name}`, name])) }),
  )
  const order = ['-', 'B', 'Z', '_', 'a', 'z', 'ä', '\u{ff5e}', '\u{1f600}']
  expect(chart.files.map(({ path }) => path)).toEqual(['Chart.yaml', ...order.map(name => `files/${name}`)])
})

describe('the package', () => {
  const files = { 'Chart.yaml': CHART, 'templates/b.yaml': 'b', 'templates/a.yaml': 'a', 'values.yaml': 'a: 1\n' }

  async function digestIn(change: (path: string) => void, wanted: Files = files): Promise<string> {
    using dir = tempDir()
    const path = put(dir, wanted)
    change(path)
    return (await packageChart(await readChart(path))).descriptor.digest
  }

  test('has one digest in every folder, on every day, with any modes and in any order of creation', async () => {
    const expected = await digestIn(() => undefined)
    const later = await digestIn(path => {
      utimesSync(join(path, 'values.yaml'), 1e9, 2e9)
      chmodSync(join(path, 'values.yaml'), 0o700)
      mkdirSync(join(path, 'empty'))
    })
    expect(later).toBe(expected)
    expect(await digestIn(() => undefined, Object.fromEntries(Object.entries(files).reverse()))).toBe(expected)
    expect(
      await digestIn(path => {
        writeFileSync(join(path, 'values.yaml'), 'a: 2\n')
      }),
    ).not.toBe(expected)
  })

  test('begins with Chart.yaml, in a folder of the name of the chart, times and owners all the same', async () => {
    using dir = tempDir()
    const blob = await packageChart(await readChart(put(dir, files)))
    const tgz = join(dir.path, 'x.tgz')
    writeFileSync(tgz, await collect(blob.open()))
    const listed = execFileSync('tar', ['-tvzf', tgz, '--numeric-owner', '--utc'], { encoding: 'utf8' })
    expect(
      listed
        .trimEnd()
        .split('\n')
        .map(line => line.replaceAll(/ +/g, ' ')),
    ).toEqual([
      `-rw-r--r-- 0/0 ${CHART.length} 1970-01-01 00:00 demo/Chart.yaml`,
      '-rw-r--r-- 0/0 1 1970-01-01 00:00 demo/templates/a.yaml',
      '-rw-r--r-- 0/0 1 1970-01-01 00:00 demo/templates/b.yaml',
      '-rw-r--r-- 0/0 5 1970-01-01 00:00 demo/values.yaml',
    ])
    expect(blob.descriptor).toMatchObject({
      mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      annotations: { 'org.opencontainers.image.title': 'demo-1.2.3.tgz' },
    })
  })

  test('of a chart that is packaged stays byte for byte what it is', async () => {
    using dir = tempDir()
    const bytes = await packed({ 'any/values.yaml': '', 'any/Chart.yaml': CHART })
    dir.put({ 'x.tgz': '' })
    const path = join(dir.path, 'x.tgz')
    writeFileSync(path, bytes)
    const chart = await readChart(path)
    expect(chart.metadata).toMatchObject({ name: 'demo', version: '1.2.3' })
    expect(await collect((await packageChart(chart)).open())).toEqual(bytes)
    await expect(readChart(path, { version: '2.0.0' })).rejects.toThrow('give its folder for another one')
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['a way out', { 'demo/Chart.yaml': CHART, 'demo/../../evil': '' }, '"demo/../../evil" is not inside its folder'],
    ['no folder', { 'Chart.yaml': CHART }, '"Chart.yaml" is not inside its folder'],
    ['a drive', { 'demo/Chart.yaml': CHART, 'demo/C:/x': '' }, '"demo/C:/x" is not inside its folder'],
    ['nothing', {}, 'Chart.yaml is missing'],
  ])('with %s in it is refused', async (_name, entries, expected) => {
    using dir = tempDir()
    const path = join(dir.path, 'x.tgz')
    writeFileSync(path, await packed(entries))
    await expect(readChart(path)).rejects.toThrow(expected)
  })

  test('that was cut, or is no gzip, is refused', async () => {
    using dir = tempDir()
    const path = join(dir.path, 'x.tgz')
    const bytes = await packed({ 'demo/Chart.yaml': CHART })
    writeFileSync(path, bytes.subarray(0, 40))
    await expect(readChart(path)).rejects.toMatchObject({ code: 'INVALID_CHART' })
    writeFileSync(path, gunzipSync(bytes))
    await expect(readChart(path)).rejects.toThrow('is not compressed with gzip')
  })
})

test('the manifest is that of helm: config, package, annotations; the chart’s own win but for name and version', async () => {
  using dir = tempDir()
  const chart = await readChart(
    put(dir, {
      'Chart.yaml': `${CHART.replace('1.2.3', '1.2.3+build.7')}home: https://h
description: " "
sources: [https://s, https://t]
maintainers: [{name: Ann, email: a@x}, {name: Bob}]
annotations: {zzz: "1", org.opencontainers.image.title: no, org.opencontainers.image.source: own}
`,
    }),
  )
  const content = await packageChart(chart)
  const artifact = chartArtifact(chart, content, { created: 1_700_000_000 })
  expect(artifact).toMatchObject({ name: 'demo', tag: '1.2.3_build.7' })
  const manifest = JSON.parse((await collect(artifact.manifest.open())).toString()) as Record<string, unknown>
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: expect.objectContaining({ mediaType: 'application/vnd.cncf.helm.config.v1+json' }) as unknown,
    layers: [content.descriptor],
    annotations: {
      'org.opencontainers.image.authors': 'Ann (a@x), Bob',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'org.opencontainers.image.source': 'own',
      'org.opencontainers.image.title': 'demo',
      'org.opencontainers.image.url': 'https://h',
      'org.opencontainers.image.version': '1.2.3+build.7',
      zzz: '1',
    },
  })
})

test('a signal stops the reading, and its reason comes through', async () => {
  using dir = tempDir()
  const path = put(dir, { 'Chart.yaml': CHART })
  const reason = new Error('enough')
  await expect(readChart(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const chart = await readChart(path)
  await expect(packageChart(chart, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('a folder that was renamed makes the same package', async () => {
  using dir = tempDir()
  const path = put(dir, { 'Chart.yaml': CHART })
  const { digest } = (await packageChart(await readChart(path))).descriptor
  renameSync(path, join(dir.path, 'other'))
  expect((await packageChart(await readChart(join(dir.path, 'other')))).descriptor.digest).toBe(digest)
  expect(readFileSync(join(dir.path, 'other/Chart.yaml'), 'utf8')).toBe(CHART)
})

test('a signature or a .helmignore that is a symlink to something outside is not read', async () => {
  using dir = tempDir()
  const package_ = await packed({ 'demo/Chart.yaml': CHART })
  dir.put({
    secret: 'private',
    'p/demo-1.2.3.tgz.prov': { link: '../secret' },
    'c/demo/.helmignore': { link: '../../secret' },
  })
  writeFileSync(join(dir.path, 'p/demo-1.2.3.tgz'), package_)
  writeFileSync(join(dir.path, 'c/demo/Chart.yaml'), CHART)
  await expect(readChart(join(dir.path, 'p/demo-1.2.3.tgz'))).rejects.toThrow(/leads out of .*symlink to .*secret/)
  await expect(readChart(join(dir.path, 'c/demo'))).rejects.toThrow(
    /[.]helmignore is a symlink to .*outside of the chart/,
  )
})
