import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { checkSbom } from '../../src/artifact/sbom/check-sbom.ts'
import { pushDebian, pushIndex } from '../support/base-images.ts'
import { findPeer, run, skopeoInspectRaw, temporaryDirectory } from '../support/peers.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'

const TYPE = 'application/vnd.cyclonedx+json'
const CLI = join(import.meta.dirname, '../../dist/cli.js')

/** Runs the command line as it ships. */
async function cli(...args: readonly string[]): Promise<string> {
  const settings = { env: { PATH: process.env['PATH'], CI: 'true' }, maxBuffer: 64 << 20 }
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], settings)
  return stdout
}

interface Index {
  readonly manifests: readonly { readonly digest: string }[]
}

interface Component {
  readonly name: string
  readonly version?: string
  readonly purl?: string
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

interface Bom {
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
}

function packagesOf(bom: string, type: string): readonly string[] {
  const { components } = JSON.parse(bom) as Bom
  const found = components.filter(({ purl }) => purl?.startsWith(`pkg:${type}/`))
  return found.map(({ name, version = '' }) => `${name} ${version}`).sort()
}

const APK = 'C:Q1=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\n'

/** Debian, and above it a Go program and apk's database; below the top there was an npm package that is gone. */
async function pushImage(reference: string, folder: string): Promise<void> {
  await pushDebian(reference)
  const layers: readonly Readonly<Record<string, string | { readonly copyOf: string }>>[] = [
    { 'srv/node_modules/gone/package.json': '{"name":"gone","version":"1.0.0"}' },
    {
      'usr/local/bin/crane': { copyOf: findPeer('crane') },
      'lib/apk/db/installed': APK,
      'srv/.wh.node_modules': '',
      'app/node_modules/@a/b/package.json': '{"name":"@a/b","version":"2.0.0"}',
    },
  ]
  for (const [index, layer] of layers.entries()) {
    const root = join(folder, `${index}`)
    for (const [path, content] of Object.entries(layer)) {
      const file = join(root, path)
      await mkdir(dirname(file), { recursive: true })
      if (typeof content === 'string') await writeFile(file, content)
      else await copyFile(content.copyOf, file)
    }
    const tar = `${root}.tar.gz`
    await run('tar', ['-C', root, '-czf', tar, '.'])
    await run('crane', ['append', '--base', reference, '--new_layer', tar, '--new_tag', reference])
  }
}

test('what is found in an image is what dpkg and go say', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  const reference = `${registry.host}/team/app:v1`
  await pushImage(`${registry.directHost}/team/app:v1`, work.path)

  const bom = await cli('sbom', reference)

  expect((await checkSbom(Buffer.from(bom))).problems).toEqual([])
  expect(packagesOf(bom, 'apk')).toEqual(['musl 1.2.5-r0'])
  expect(packagesOf(bom, 'npm')).toEqual(['@a/b 2.0.0'])
  await run('crane', ['export', '--insecure', reference, join(work.path, 'root.tar')])
  await run('tar', ['-C', work.path, '-xf', join(work.path, 'root.tar'), 'var/lib/dpkg'])
  const format = '--showformat=${Package} ${Version} ${db:Status-Status}\\n'
  const listed = await run('dpkg-query', [`--admindir=${join(work.path, 'var/lib/dpkg')}`, format, '--show'])
  const installed = listed
    .trim()
    .split('\n')
    .filter(line => line.endsWith(' installed'))
  expect(installed.length).toBeGreaterThan(50)
  expect(packagesOf(bom, 'deb')).toEqual(installed.map(line => line.replace(/ installed$/, '')).sort())
  const said = (await run('/usr/local/go/bin/go', ['version', '-m', findPeer('crane')])).split('\n')
  const modules = said.flatMap(line => {
    const [, kind, name = '', version = ''] = line.split('\t')
    return kind === 'mod' || kind === 'dep' ? [`${name} ${version === '(devel)' ? '' : version}`] : []
  })
  const [, goVersion = ''] = /go(\d\S*)/.exec(said[0]?.split(': ').at(-1) ?? '') ?? []
  expect(modules.length).toBeGreaterThan(5)
  expect(packagesOf(bom, 'golang')).toEqual([...modules, `stdlib ${goVersion}`].sort())
})

test.each(REGISTRIES)(
  'on $name an attached SBOM is what oras and regctl find and fetch',
  async ({ start, referrers: hasApi }) => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const repository = `${registry.host}/team/app`
    await pushIndex(`${registry.directHost}/team/app:v1`)
    const { manifests } = JSON.parse(await skopeoInspectRaw(`${repository}:v1`)) as Index
    const attach = async (): Promise<readonly string[]> =>
      (await cli('sbom', `${repository}:v1`, '--attach')).trim().split('\n')

    const attached = await attach()

    expect(attached).toHaveLength(2)
    for (const [index, { digest }] of manifests.entries()) {
      const [subject, sbom = ''] = [`${repository}@${digest}`, attached[index]]
      // refreg takes the type of the config for that of the artifact, so there nothing is found by type.
      const byType = hasApi ? [] : ['--artifact-type', TYPE]
      const found = await run('oras', ['discover', '--plain-http', '--format', 'json', ...byType, subject])
      const { referrers } = JSON.parse(found) as { readonly referrers: readonly { readonly reference: string }[] }
      expect(referrers.map(({ reference }) => reference)).toEqual([sbom])
      const host = ['--host', `reg=${registry.host},tls=disabled`]
      const listed = await run('regctl', [...host, 'artifact', 'list', subject, '--format', '{{json .}}'])
      expect(listed).toContain(sbom.slice(sbom.indexOf('sha256:')))
      const folder = join(work.path, `${index}`)
      await run('oras', ['pull', '--plain-http', '--output', folder, sbom])
      const document = await readFile(join(folder, 'sbom.cdx.json'))
      expect((JSON.parse(document.toString()) as Bom).metadata.component).toMatchObject({ version: digest })
    }
    const before = registry.requests.length
    expect(await attach()).toEqual(attached)
    const sent = registry.requests
      .slice(before)
      .filter(({ method, path }) => method !== 'GET' && path.includes('/blobs/'))
    expect(sent.filter(({ method }) => method !== 'HEAD')).toEqual([])
  },
)
