import { mkdir, readFile, readlink, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pushIndex } from '../support/base-images.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { runCli } from '../support/published.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'
import { CYCLONEDX_DOCUMENT, SPDX_DOCUMENT } from '../artifact/sbom-documents.ts'

const SPDX = 'application/spdx+json'

interface Attachments {
  readonly artifactType: string
  readonly attachments: readonly {
    readonly ref: string
    readonly digest: string
    readonly subject: string
    readonly platform?: string
    readonly existed: boolean
  }[]
}

interface Hanging {
  readonly digest: string
  readonly artifactType?: string
  readonly annotations: Readonly<Record<string, string>>
  readonly by: string
  readonly tag?: string
  readonly referrers: readonly Hanging[]
}

interface Discovered {
  readonly digest: string
  readonly platform?: string
  readonly referrers: readonly Hanging[]
  readonly manifests: readonly Discovered[]
}

/** Runs a command with `--json`; what was printed is the report. */
async function ours<T>(cwd: string, ...args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runCli([...args, '--json'], { cwd })
  if (exitCode !== 0) throw new Error(`oci-publish ${args.join(' ')}: ${exitCode}\n${stderr}`)
  return JSON.parse(stdout) as T
}

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
}

/** What is in a folder: files with their content, links with where they point. */
async function read(root: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`
    else if (entry.isFile()) found[name] = await readFile(path, 'utf8')
  }
  return found
}

/** Digests of what hangs on a manifest, as others see it. */
async function orasReferrers(reference: string): Promise<readonly string[]> {
  const out = await run('oras', ['discover', '--plain-http', '--format', 'json', '--depth', '1', reference])
  return (JSON.parse(out) as { referrers?: readonly Hanging[] }).referrers?.map(({ digest }) => digest) ?? []
}

async function regctlReferrers(reference: string): Promise<readonly string[]> {
  const host = `reg=${reference.slice(0, reference.indexOf('/'))},tls=disabled`
  const out = await run('regctl', ['--host', host, 'artifact', 'list', reference, '--format', '{{json .Descriptors}}'])
  return (JSON.parse(out) as readonly Hanging[] | null)?.map(({ digest }) => digest) ?? []
}

describe.each(REGISTRIES)('on $name', ({ start }) => {
  test('an SBOM attached to every platform is found there by oras, regctl and discover, and is attached once', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const image = `${registry.host}/team/app`
    await pushIndex(`${registry.directHost}/team/app:v1`)
    await write(work.path, { 'sbom.spdx.json': SPDX_DOCUMENT })
    const attach = ['attach', `${image}:v1`, 'sbom.spdx.json', '--artifact-type', SPDX, '--platforms', 'all']
    const { attachments } = await ours<Attachments>(work.path, ...attach)
    expect(attachments.map(({ platform, existed }) => ({ platform, existed }))).toEqual([
      { platform: 'linux/amd64', existed: false },
      { platform: 'linux/arm64', existed: false },
    ])
    for (const { subject, digest, ref } of attachments) {
      expect(await orasReferrers(`${image}@${subject}`)).toEqual([digest])
      expect(await regctlReferrers(`${image}@${subject}`)).toEqual([digest])
      const out = join(work.path, digest.slice(-8))
      await run('oras', ['pull', '--plain-http', '-o', out, ref])
      expect(await read(out)).toEqual({ 'sbom.spdx.json': SPDX_DOCUMENT })
    }

    const found = await ours<Discovered>('/', 'discover', `${image}:v1`)
    expect(found.referrers).toEqual([])
    expect(
      found.manifests.map(({ platform, referrers }) => ({ platform, on: referrers.map(one => one.digest) })),
    ).toEqual(attachments.map(({ platform, digest }) => ({ platform, on: [digest] })))
    expect(found.manifests[0]?.referrers[0]).toMatchObject({ artifactType: SPDX, by: 'subject', referrers: [] })

    const seen = registry.requests.length
    const again = await ours<Attachments>(work.path, ...attach)
    expect(again.attachments.map(({ existed }) => existed)).toEqual([true, true])
    expect(registry.requests.slice(seen).filter(({ method }) => method === 'PUT' || method === 'POST')).toEqual([])
  })

  test('what oras attaches is shown with what oras attaches to that, beside a signature of cosign', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const image = `${registry.host}/team/app`
    await pushIndex(`${registry.directHost}/team/app:v1`)
    await write(work.path, { 'report.txt': 'all is well\n' })
    const attach = async (subject: string, type: string): Promise<string> => {
      const args = ['attach', '--plain-http', '--format', 'json', '--artifact-type', type, '-a', 'who=oras']
      const out = await run('oras', [...args, subject, 'report.txt'], { cwd: work.path })
      return (JSON.parse(out) as { digest: string }).digest
    }
    const report = await attach(`${image}:v1`, 'application/vnd.example.report')
    const seal = await attach(`${image}@${report}`, 'application/vnd.example.seal')
    const index = (await run('crane', ['digest', '--insecure', `${image}:v1`])).trim()
    const tag = `${index.replace(':', '-')}.sig`
    await run('crane', ['tag', '--insecure', `${image}@${report}`, tag])

    const { referrers } = await ours<Discovered>('/', 'discover', `${image}:v1`)
    expect(referrers).toHaveLength(2)
    expect(referrers[0]).toMatchObject({
      ...{ digest: report, artifactType: 'application/vnd.example.report', by: 'subject' },
      referrers: [{ digest: seal, artifactType: 'application/vnd.example.seal', referrers: [] }],
    })
    expect(referrers[0]?.annotations['who']).toBe('oras')
    expect(referrers[1]).toMatchObject({ digest: report, by: 'tag', tag })
    const tree = await runCli(['discover', `${image}:v1`], { cwd: '/' })
    expect(tree.stdout.split('\n').slice(0, 4)).toEqual([
      `${image}:v1@${index}`,
      `├── application/vnd.example.report  ${report}`,
      `│   └── application/vnd.example.seal  ${seal}`,
      `├── signature, tag ${tag}  ${report}`,
    ])
  })

  test('files and directories arrive byte for byte: from us with oras, from oras with us', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const image = `${registry.host}/team/app`
    await pushIndex(`${registry.directHost}/team/app:v1`)
    const files = {
      'one.txt': 'one\n',
      'deep/down/two.json': '{}',
      'dir/a': 'a\n',
      'dir/sub/b with space': 'b\n',
      'dir/sub/ünï': 'not ASCII\n',
      'dir/empty': '',
    }
    await write(work.path, files)
    await symlink('../a', join(work.path, 'dir/sub/link'))
    const expected = { ...files, 'dir/sub/link': '-> ../a' }
    const args = ['one.txt', 'deep/down/two.json:application/json', 'dir']
    const type = ['--artifact-type', 'application/vnd.example.files']

    const { attachments } = await ours<Attachments>(work.path, 'attach', `${image}:v1`, ...args, ...type)
    await run('oras', ['pull', '--plain-http', '-o', join(work.path, 'by-oras'), attachments[0]?.ref ?? ''])
    expect(await read(join(work.path, 'by-oras'))).toEqual(expected)

    await run('oras', ['push', '--plain-http', ...type, `${image}:files`, ...args], { cwd: work.path })
    for (const ref of [`${image}:files`, attachments[0]?.ref ?? '']) {
      const out = join(work.path, `by-us-${ref.length}`)
      const { files: pulled } = await ours<{ files: readonly object[] }>(work.path, 'pull', ref, '--output', out)
      expect(pulled).toHaveLength(3)
      expect(await read(out)).toEqual(expected)
    }
  })
})

test('a chart of helm is pulled as the package that helm made', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  const { path: cwd } = work
  await run('helm3', ['create', 'demo'], { cwd })
  await run('helm3', ['package', 'demo', '--version', '1.2.3+build.7'], { cwd })
  await run('helm3', ['push', '--plain-http', 'demo-1.2.3+build.7.tgz', `oci://${registry.host}/charts`], { cwd })
  const { stdout } = await runCli(['pull', `${registry.host}/charts/demo:1.2.3_build.7`, '--output', 'out'], { cwd })
  expect(stdout).toBe(`${join(cwd, 'out/demo-1.2.3+build.7.tgz')}\n`)
  const [made, pulled] = await Promise.all(['.', 'out'].map(dir => readFile(join(cwd, dir, 'demo-1.2.3+build.7.tgz'))))
  expect(pulled).toEqual(made)
})

test('what is attached in a layout is found there by oras, and what oras attaches there by us', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  const { path: cwd } = work
  await pushIndex(`${registry.directHost}/team/app:v1`)
  await runCli(['copy', `${registry.host}/team/app:v1`, 'oci:out'], { cwd })
  await write(cwd, { 'app.cdx.json': CYCLONEDX_DOCUMENT, 'more.txt': 'more\n' })
  const { artifactType, attachments } = await ours<Attachments>(cwd, 'attach', 'oci:out', 'app.cdx.json')
  expect(artifactType).toBe('application/vnd.cyclonedx+json')
  await run('oras', ['attach', '--oci-layout', '--artifact-type', 'a/b', 'out:v1', 'more.txt'], { cwd })
  const seen = await run('oras', ['discover', '--oci-layout', '--format', 'json', 'out:v1'], { cwd })
  const { referrers } = JSON.parse(seen) as Discovered
  expect(referrers.map(one => one.digest)).toContain(attachments[0]?.digest)
  // The layout is of one image still, whatever hangs on it.
  const found = await ours<Discovered>(cwd, 'discover', 'oci:out')
  expect(found.referrers.map(one => one.digest).sort()).toEqual(referrers.map(one => one.digest).sort())
})
