import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { noCache } from '../../src/content/cache.ts'
import { emptyTree } from '../../src/layer/base-tree.ts'
import { buildLayer, type BuiltLayer } from '../../src/layer/build.ts'
import { parseLine } from '../../src/layer/line.ts'
import { planLayers } from '../../src/layer/recipe.ts'
import { knowsNothing } from '../../src/layer/reuse.ts'
import type { Compression } from '../../src/oci/media-type.ts'
import { parsePlatform } from '../../src/oci/platform.ts'
import { collect } from '../layer/layer-blob.ts'
import { tempDir, type TempDir } from '../layer/temp-dir.ts'

async function build(dir: TempDir, out: TempDir, line: string, compression: Compression): Promise<BuiltLayer> {
  const { spec } = parseLine(line)
  const targets = [{ platform: parsePlatform('linux/amd64'), tree: emptyTree }]
  const { recipes, problems } = planLayers(spec ? [spec] : [], targets, { context: dir.path, sourceDateEpoch: 86_400 })
  const recipe = recipes[0]?.[0]
  if (!recipe) throw new Error(JSON.stringify(problems))
  const options = { family: 'oci', reuse: knowsNothing, cache: noCache, tempDir: out.path } as const
  return buildLayer(recipe, { ...options, compression })
}

async function toFile(layer: BuiltLayer, path: string): Promise<string> {
  writeFileSync(path, await collect(layer.blob.open()))
  return path
}

function tar(...args: readonly string[]): string {
  return execFileSync('tar', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' } })
}

const long = `${'long-'.repeat(18)}/${'name-'.repeat(40)}`

test.each(['gzip', 'zstd', 'none'] as const)('GNU tar reads and unpacks a layer in %s', async compression => {
  using dir = tempDir()
  using out = tempDir()
  dir.put({
    'd/run': { text: '#!/bin/sh', mode: 0o755 },
    'd/data': 'x'.repeat(100_000),
    'd/other-name': { hard: 'd/data' },
    'd/link': { link: 'run' },
    'd/empty': { directory: true },
    'd/größe 😀': 'unicode',
    [`d/${long}`]: 'long',
  })
  const layer = await build(dir, out, 'src=d/,dest=/opt/app/,owner=1000:4000000', compression)
  const file = await toFile(layer, join(out.path, 'layer'))
  const flag = { gzip: '-z', zstd: '--zstd', none: '-p' }[compression]
  const listed = tar('-tv', flag, '--numeric-owner', '--full-time', '--quoting-style=literal', '-f', file)
    .trimEnd()
    .split('\n')
  expect(listed.map(line => line.replace(/ +/g, ' '))).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-02 00:00:00 opt/',
    'drwxr-xr-x 1000/4000000 0 1970-01-02 00:00:00 opt/app/',
    '-rw-r--r-- 1000/4000000 100000 1970-01-02 00:00:00 opt/app/data',
    'drwxr-xr-x 1000/4000000 0 1970-01-02 00:00:00 opt/app/empty/',
    '-rw-r--r-- 1000/4000000 7 1970-01-02 00:00:00 opt/app/größe 😀',
    'lrwxrwxrwx 1000/4000000 0 1970-01-02 00:00:00 opt/app/link -> run',
    `drwxr-xr-x 1000/4000000 0 1970-01-02 00:00:00 opt/app/${'long-'.repeat(18)}/`,
    `-rw-r--r-- 1000/4000000 4 1970-01-02 00:00:00 opt/app/${long}`,
    'hrw-r--r-- 1000/4000000 0 1970-01-02 00:00:00 opt/app/other-name link to opt/app/data',
    '-rwxr-xr-x 1000/4000000 9 1970-01-02 00:00:00 opt/app/run',
  ])

  const root = join(out.path, 'root')
  mkdirSync(root)
  tar('-x', flag, '--no-same-owner', '-C', root, '-f', file)
  expect(readFileSync(join(root, 'opt/app/größe 😀'), 'utf8')).toBe('unicode')
  expect(readFileSync(join(root, 'opt/app', long), 'utf8')).toBe('long')
  expect(statSync(join(root, 'opt/app/other-name')).ino).toBe(statSync(join(root, 'opt/app/data')).ino)
})

test.each([
  ['plain', ['-c']],
  ['gzip', ['-cz']],
  ['zstd', ['-c', '--zstd']],
  ['PAX', ['-c', '--format=pax']],
])('a tar that GNU tar made (%s) is a layer with its bytes', async (_name, how) => {
  using dir = tempDir()
  using out = tempDir()
  dir.put({ 'd/a': 'a', [`d/${long}`]: 'long' })
  const file = join(dir.path, 'l.tar')
  tar(...how, '-f', file, '-C', join(dir.path, 'd'), '.')
  const layer = await build(dir, out, 'from-tar=l.tar', 'gzip')
  const stored = await toFile(layer, join(out.path, 'layer'))
  expect(tar('-tv', '-f', stored)).toBe(tar('-tv', '-f', file))
})

test('files that may not be read are told before anything is built', () => {
  using dir = tempDir()
  dir.put({ 'd/secret': { text: 'x', mode: 0o000 }, 'd/locked/f': { text: 'x', mode: 0o644 } })
  execFileSync('chmod', ['0711', dir.path, join(dir.path, 'd/locked')])
  const source = new URL('../../src/layer/', import.meta.url)
  const script = `
    const { parseLine } = await import('${new URL('line.ts', source).href}')
    const { walkLine } = await import('${new URL('walk.ts', source).href}')
    const { problems } = walkLine(parseLine('d:/x').spec, { context: '${dir.path}' })
    console.log(JSON.stringify(problems.map(({ problem }) => problem)))`
  // Root may read everything, so that somebody else has to look.
  const someone = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const told = execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      cwd: '/',
      ...someone,
    },
  )
  const says = (JSON.parse(told) as readonly string[]).map(problem => problem.replace(/ [(].*[)]$/, ''))
  const locked = `"d:/x": cannot read the directory ${dir.path}/d/locked`
  const secret = `"d:/x": ${dir.path}/d/secret cannot be read: no permission`
  expect(says).toEqual(process.geteuid?.() === 0 ? [locked, secret] : [secret])
})
