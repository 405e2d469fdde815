import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generateKey } from 'openpgp'

const root = join(import.meta.dirname, '../..')

interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise(resolve => {
    execFile(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

interface Project extends AsyncDisposable {
  readonly path: string
  put(files: Readonly<Record<string, string>>): Promise<void>
  /** Runs tools/build.js on the sources of this project. */
  build(): Promise<Ran>
  /** What the build wrote, or nothing. */
  built(): Promise<readonly string[]>
}

/** Sources of a program that tools/build.js bundles, with the packages of this project. */
async function project(files: Readonly<Record<string, string>>): Promise<Project> {
  const path = await mkdtemp(join(tmpdir(), 'build-'))
  const put = async (some: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(some)) {
      await mkdir(dirname(join(path, name)), { recursive: true })
      await writeFile(join(path, name), text)
    }
  }
  await put({ 'package.json': '{"type": "module"}', 'src/cli.ts': '', 'src/main.ts': '', ...files })
  await mkdir(join(path, 'node_modules'), { recursive: true })
  for (const name of ['yaml', 'openpgp', 'valibot'])
    await symlink(join(root, 'node_modules', name), join(path, 'node_modules', name))
  return {
    path,
    put,
    build: () => node([join(root, 'tools/build.js'), join(path, 'dist'), path]),
    built: () => readdir(join(path, 'dist'), { recursive: true }).catch(() => []),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

describe('an import that works in the tests and not in the bundle stops the build', () => {
  test.each([
    ['names taken apart', "const { parse } = await import('yaml')\nparse('')", 'takes parse'],
    ['under another name', "const { parse: read } = await import('yaml')\nread('')", 'takes parse'],
    [
      'one of several',
      "const { default: a, stringify } = await import('yaml')\na.parse(stringify(1))",
      'takes stringify',
    ],
    ['by a dot', "(await import('yaml')).parse('')", 'takes parse'],
    ['by brackets', "(await import('yaml'))['parse']('')", 'takes parse'],
    ['in then', "import('yaml').then(({ parse }) => parse(''))", 'takes parse'],
    [
      'of several at once',
      "const [{ parse }, v] = await Promise.all([import('yaml'), import('valibot')])\nparse(v.string())",
      'takes parse',
    ],
    ['as a whole', "const yaml = await import('yaml')\nyaml.parse('')", 'hands on the namespace'],
    ['in a function', "export const load = (): unknown => import('yaml')", 'hands on the namespace'],
    [
      'with a rest',
      "const { default: y, ...rest } = await import('yaml')\ny.parse(`${rest}`)",
      'hands on the namespace',
    ],
  ])('%s', async (_how, source, said) => {
    await using built = await project({ 'src/main.ts': `export {}\n${source}\n` })
    const { exitCode, stderr } = await built.build()
    expect(stderr).toContain(`src/main.ts:2: import('yaml') ${said}`)
    expect(exitCode).toBe(1)
    expect(await built.built()).toEqual([])
  })

  test('that of a package, too', async () => {
    await using built = await project({
      'src/main.ts': "import { late } from 'late'\nvoid late()\n",
      'node_modules/late/package.json': '{"name": "late", "version": "1.0.0", "license": "MIT", "type": "module"}',
      'node_modules/late/index.js': "export const late = async () => (await import('./old.cjs')).value\n",
      'node_modules/late/old.cjs': 'exports.value = 1\n',
    })
    expect(await built.build()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        "late/index.js:1: import('./old.cjs') takes value; the chunk exports default",
      ) as string,
    })
  })

  test('one that the chunk has does not, and runs', async () => {
    await using built = await project({
      'src/main.ts': `
        const { default: yaml } = await import('yaml')
        const v = await import('valibot')
        const [{ string }] = await Promise.all([import('valibot')])
        console.log(yaml.parse('a: 1').a, v.is(string(), ''))
      `,
    })
    expect(await built.build()).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await node([join(built.path, 'dist/main.js')])).stdout).toBe('1 true\n')
  })
})

describe('a package that must not be distributed stops the build', () => {
  test.each([
    ['a license that is not on the list', '"license": "GPL-3.0-only"', { LICENSE: 'text' }, 'not on the list'],
    [
      'one that is on the list, and one that is not',
      '"license": "(MIT AND SSPL-1.0)"',
      { LICENSE: 'x' },
      'not on the list',
    ],
    ['no license', '"author": "somebody"', { LICENSE: 'text' }, 'not on the list'],
    ['no text of a license that has no standard text here', '"license": "BSD-3-Clause"', {}, 'has no license text'],
  ])('%s', async (_what, license, files, said) => {
    await using built = await project({
      'src/main.ts': "import { x } from 'other'\nconsole.log(x)\n",
      'node_modules/other/package.json': `{"name": "other", "version": "1.0.0", "type": "module", ${license}}`,
      'node_modules/other/index.js': 'export const x = 1\n',
    })
    await built.put(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`node_modules/other/${name}`, text])),
    )
    const { exitCode, stderr } = await built.build()
    expect(stderr).toMatch(new RegExp(`other 1[.]0[.]0 .*${said}`))
    expect(exitCode).toBe(1)
    expect(await built.built()).toEqual([])
  })

  test.each([
    ['a choice with one that is allowed', '(GPL-2.0 OR MIT)', 'license of its own'],
    ['a standard text with the name of its author', 'MIT', undefined],
  ])('%s is told in licences.txt', async (_what, license, text) => {
    await using built = await project({
      'src/main.ts': "import { x } from 'other'\nconsole.log(x)\n",
      'node_modules/other/package.json': `{"name": "other", "version": "1.0.0", "type": "module", "license": "${license}", "author": {"name": "Somebody"}}`,
      'node_modules/other/index.js': 'export const x = 1\n',
      ...(text !== undefined && { 'node_modules/other/LICENSE': text }),
    })
    expect(await built.build()).toMatchObject({ exitCode: 0 })
    const told = await readFile(join(built.path, 'dist/licences.txt'), 'utf8')
    expect(told).toContain(`other 1.0.0 (${license})`)
    expect(told).toContain(text ?? 'Copyright (c) Somebody\n\nPermission is hereby granted')
  })
})

describe('OpenPGP.js, whose license wants it to be replaceable', () => {
  test('is refused as part of the bundle', async () => {
    await using built = await project({ 'src/main.ts': "import { readKey } from 'openpgp'\nvoid readKey\n" })
    const { exitCode, stderr } = await built.build()
    expect(stderr).toContain('its license keeps it out of the bundle')
    expect(exitCode).toBe(1)
  })

  test('is refused where the bundle would not find it', async () => {
    await using built = await project({ 'src/main.ts': "console.log(await import('openpgp'))\n" })
    expect((await built.build()).stderr).toContain('main.js loads openpgp, but is not in chunk/')
    expect(await built.built()).toEqual([])
  })

  test('is in dist/ as it was published, with its licenses and where its source is, and another one is used instead', async () => {
    await using own = await project({})
    const dist = join(own.path, 'dist')
    expect(await node([join(root, 'tools/build.js'), dist])).toMatchObject({ exitCode: 0, stderr: '' })
    const there = join(dist, 'openpgp')
    const published = join(root, 'node_modules/openpgp')
    const { version } = JSON.parse(await readFile(join(published, 'package.json'), 'utf8')) as { version: string }
    expect(await readFile(join(there, 'openpgp.min.mjs'))).toEqual(
      await readFile(join(published, 'dist/node/openpgp.min.mjs')),
    )
    expect(await readFile(join(there, 'LICENSE'))).toEqual(await readFile(join(published, 'LICENSE')))
    expect(await readFile(join(there, 'GPL-3.0.txt'), 'utf8')).toContain('GNU GENERAL PUBLIC LICENSE')
    const notice = await readFile(join(there, 'README.md'), 'utf8')
    expect(notice).toContain(`https://github.com/openpgpjs/openpgpjs/tree/v${version}`)
    expect(await readFile(join(dist, 'licences.txt'), 'utf8')).toContain('OpenPGP.js (LGPL-3.0-or-later)')
    // No chunk has it: its own name for itself is in none of them.
    const chunks = (await readdir(join(dist, 'chunk'))).map(file => readFile(join(dist, 'chunk', file), 'utf8'))
    expect((await Promise.all(chunks)).filter(text => text.includes('BEGIN PGP SIGNED MESSAGE---'))).toEqual([])

    await rename(join(there, 'openpgp.min.mjs'), join(there, 'original.mjs'))
    await writeFile(
      join(there, 'openpgp.min.mjs'),
      "process.stderr.write('a library of my own\\n')\nexport * from './original.mjs'\n",
    )
    const chart = join(own.path, 'web')
    await own.put({ 'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n', 'web/values.yaml': '' })
    const { privateKey } = await generateKey({ userIDs: [{ name: 'x' }], format: 'armored' })
    await own.put({ 'key.asc': privateKey })
    const layout = join(own.path, 'layout')
    const args = ['publish', '--chart', chart, '--outputs', `type=oci,dest=${layout}`, '--no-push']
    const signed = await node([join(dist, 'cli.js'), ...args], {
      OCI_PUBLISH_CHART_SIGN_KEY: join(own.path, 'key.asc'),
    })
    expect(signed.stderr).toContain('a library of my own')
    expect(signed.exitCode).toBe(0)
  }, 60_000)
})

test('a dist/ that is not what the sources build is told file by file, on the oldest Node that is supported', async () => {
  await using own = await project({})
  for (const name of ['tools', 'src', 'package.json', 'LICENSE'])
    await cp(join(root, name), join(own.path, name), { recursive: true })
  await rm(join(own.path, 'node_modules'), { recursive: true })
  await symlink(join(root, 'node_modules'), join(own.path, 'node_modules'))
  // Set methods came with Node 22.
  const old = ['--import', 'data:text/javascript,delete Set.prototype.union']
  const check = (): Promise<Ran> => node([...old, join(own.path, 'tools/check-dist.js')])
  await node([join(own.path, 'tools/build.js'), join(own.path, 'dist'), own.path])
  expect(await check()).toMatchObject({ exitCode: 0, stderr: '' })
  await own.put({ 'dist/openpgp/openpgp.min.mjs': '', 'dist/extra.js': '' })
  await rm(join(own.path, 'dist/licences.txt'))
  const { exitCode, stderr } = await check()
  expect(stderr).toContain(
    ['extra: extra.js', 'missing: licences.txt', 'different: openpgp/openpgp.min.mjs'].join('\n'),
  )
  expect(exitCode).toBe(1)
}, 60_000)
