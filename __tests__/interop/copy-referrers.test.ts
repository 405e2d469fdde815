import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyImage, type ImageCopy } from '../../src/copy/copy-image.ts'
import { copyTags } from '../../src/copy/copy-tags.ts'
import { parseCopy } from '../../src/copy/request.ts'
import { parseCopyTags } from '../../src/copy/tags-request.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { openWorkshop } from '../publish/workshop.ts'
import { COSIGNS, newKeyPair, openCosign, PASSPHRASE, type CosignBench, type KeyPair } from '../support/cosign.ts'
import { pushIndex } from '../support/base-images.ts'
import { run } from '../support/peers.ts'
import { REGISTRIES, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs, withDeps } from '../support/signing.ts'

/** What `oci-publish copy --referrers` does. */
function copy(
  from: string,
  to: string,
  { referrers = true, platforms = [] as readonly string[] } = {},
): Promise<ImageCopy> {
  return withDeps({}, deps => copyImage(parseCopy({ from, to, platforms, referrers, dryRun: false }), deps))
}

/** The same with `--all-tags`. */
async function copyAll(from: string, to: string): Promise<readonly string[]> {
  const words = { include: [], exclude: [], platforms: [], referrers: true, dryRun: false }
  const { copies, failures } = await withDeps({}, deps => copyTags(parseCopyTags({ from, to, ...words }), deps))
  if (failures.length > 0) throw new AggregateError(failures.map(({ error }) => error))
  return copies.map(({ tag }) => tag)
}

interface Listed {
  readonly digest: string
  readonly referrers?: readonly Listed[]
}

/** What oras finds to refer to something, and to that in turn. Of types and annotations not every list tells alike. */
async function discovered(reference: string): Promise<readonly object[]> {
  const plain = ({ digest, referrers = [] }: Listed): object => ({ digest, referrers: sorted(referrers).map(plain) })
  const printed = await run('oras', ['discover', '--plain-http', '--format', 'json', reference])
  return sorted((JSON.parse(printed) as Partial<Listed>).referrers ?? []).map(plain)
}

function sorted(all: readonly Listed[]): readonly Listed[] {
  return [...all].sort((a, b) => (a.digest < b.digest ? -1 : 1))
}

async function digestOf(reference: string): Promise<string> {
  return (await run('crane', ['digest', '--insecure', reference])).trim()
}

const [withoutLists, , withLists] = REGISTRIES
if (!withoutLists || !withLists) throw new Error('there are fewer registries')
const WAYS = [
  { from: withoutLists, to: withLists },
  { from: withLists, to: withoutLists },
  { from: withoutLists, to: withoutLists },
].map(way => ({ ...way, name: `${way.from.name} to ${way.to.name}` }))

describe.each(WAYS)('from $name', ({ from, to }) => {
  let source: RunningRegistry
  let target: RunningRegistry
  let cosign: CosignBench
  let pair: KeyPair
  let report: PublishReport
  let here: string
  let there: string

  /** By tag and by digest, the index and each platform. */
  const namesAt = (image: string): readonly string[] =>
    [':v1', ...[report, ...report.platforms].map(({ digest }) => `@${digest}`)].map(name => `${image}${name}`)

  beforeAll(async () => {
    source = await from.start()
    target = await to.start()
    cosign = await openCosign()
    pair = await newKeyPair(cosign.path)
    here = `${source.host}/team/app`
    there = `${target.host}/promoted/app`
    using workshop = openWorkshop()
    workshop.put({ 'app/hello': 'x' })
    const image = { images: `${here}:v1`, platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }
    const more = { provenance: 'true', sbom: 'true', 'signature-format': 'both' }
    report = (await workshop.publish({ ...image, ...more, ...pair.signs })).report
    await copy(`${here}:v1`, there)
  })

  afterAll(async () => {
    await cosign[Symbol.asyncDispose]()
    await target[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
  })

  test.each(COSIGNS)('%s verifies the copy: its tag, its index and each platform', async program => {
    for (const name of namesAt(there)) {
      expect(await cosign.verify(program, name, { key: pair.pub })).not.toEqual([])
    }
  })

  test.each(COSIGNS)('%s reads the provenance of the copy', async program => {
    const stated = await cosign.verifyAttestation(program, `${there}:v1`, 'slsaprovenance1', { key: pair.pub })
    expect(stated[0]?.subject.map(({ digest }) => `sha256:${digest['sha256'] ?? ''}`)).toContain(report.digest)
  })

  test('the older form comes along under its tag', async () => {
    for (const { digest } of [report, ...report.platforms]) {
      const tag = `${digest.replace(':', '-')}.sig`
      expect(await digestOf(`${there}:${tag}`)).toBe(await digestOf(`${here}:${tag}`))
    }
  })

  test('we verify it', async () => {
    const { verified } = await verifyWithUs(`${there}:v1`, `key=${pair.pub}`)
    expect(verified).not.toEqual([])
  })

  test('oras discovers the same there as here, of the index and of each platform', async () => {
    for (const [i, name] of namesAt(there).entries()) {
      const found = await discovered(name)
      expect(found.length).toBeGreaterThan(0)
      expect(found).toEqual(await discovered(namesAt(here)[i] ?? ''))
    }
  })

  test('the tag is what was written last, and a second copy writes nothing', async () => {
    const writes = (since = 0): readonly string[] =>
      target.requests
        .slice(since)
        .filter(({ method }) => method !== 'GET' && method !== 'HEAD')
        .map(({ method, path }) => `${method} ${path}`)
    const image = `${target.host}/once/app`
    const mark = target.requests.length
    await copy(`${here}:v1`, image)
    expect(writes(mark).at(-1)).toBe('PUT /v2/once/app/manifests/v1')
    const again = target.requests.length
    const { referrers = [] } = await copy(`${here}:v1`, image)
    expect(writes(again)).toEqual([])
    expect(referrers.length).toBeGreaterThan(5)
    expect(referrers.every(({ existed }) => existed)).toBe(true)
  })

  test('without --referrers it is a copy without a signature', async () => {
    const image = `${target.host}/bare/app`
    await copy(`${here}:v1`, image, { referrers: false })
    await expect(cosign.verify('cosign3', `${image}:v1`, { key: pair.pub })).rejects.toThrow('no signatures found')
  })

  test('of one platform the signature of that comes along, and the new index has none', async () => {
    const image = `${target.host}/arm/app`
    const { root } = await copy(`${here}:v1`, image, { platforms: ['linux/arm64'] })
    const arm64 = report.platforms.find(({ platform }) => platform === 'linux/arm64')?.digest ?? ''
    await cosign.verify('cosign3', `${image}@${arm64}`, { key: pair.pub })
    await expect(cosign.verify('cosign3', `${image}@${root.digest}`, { key: pair.pub })).rejects.toThrow(
      'no signatures found',
    )
  })

  test.each(['oci:carried', 'oci-archive:carried.tar'])(
    'by way of %s it is verified where it arrives',
    async layout => {
      const [kind = '', name = ''] = layout.split(':')
      const carried = `${kind}:${join(cosign.path, name)}`
      const image = `${target.host}/${kind}/app`
      await copy(`${here}:v1`, carried)
      await copy(`${carried}:v1`, image)
      for (const one of namesAt(image)) await cosign.verify('cosign3', one, { key: pair.pub })
      for (const [i, one] of namesAt(image).entries()) {
        expect(await discovered(one)).toEqual(await discovered(namesAt(here)[i] ?? ''))
      }
    },
  )

  test('every tag with --all-tags, and no list of referrers as if it were an image', async () => {
    const image = `${target.host}/all/app`
    expect(await copyAll(here, image)).toEqual(['v1'])
    for (const program of COSIGNS) await cosign.verify(program, `${image}:v1`, { key: pair.pub })
    // What is signed at the target is still listed after the next copy.
    const other = await newKeyPair(cosign.path, `other-${to.name.replaceAll(/\W/g, '')}`)
    await signWithUs(`${image}:v1`, other.signs)
    await copyAll(here, image)
    await cosign.verify('cosign3', `${image}:v1`, { key: other.pub })
    await cosign.verify('cosign3', `${image}:v1`, { key: pair.pub })
  })

  test('what cosign signs and attests, and what oras attaches to an attachment, comes along', async () => {
    const image = `${source.host}/other/app`
    await pushIndex(`${source.directHost}/other/app:v1`)
    await writeFile(join(cosign.path, 'report.txt'), 'all is well\n')
    const attach = async (subject: string, type: string): Promise<string> => {
      const args = ['attach', '--plain-http', '--format', 'json', '--artifact-type', type, subject, 'report.txt']
      return (JSON.parse(await run('oras', args, { cwd: cosign.path })) as { digest: string }).digest
    }
    const attached = await attach(`${image}:v1`, 'application/vnd.example.report')
    const env = { COSIGN_PASSWORD: PASSPHRASE }
    const key = ['--key', pair.key, '--tlog-upload=false', '-y']
    const digest = await digestOf(`${image}:v1`)
    // The older form of both, one recursively: a signature for each platform.
    await cosign.run('cosign2', ['sign', ...key, '-r', `${image}@${digest}`], env)
    await cosign.run('cosign2', ['sign', ...key, `${image}@${attached}`], env)
    await cosign.run('cosign3', ['sign', ...key, '--use-signing-config=false', `${image}@${attached}`], env)

    const copied = `${target.host}/others/app`
    await copy(`${image}:v1`, copied)
    for (const program of COSIGNS) await cosign.verify(program, `${copied}:v1`, { key: pair.pub })
    const arm64 = (await run('crane', ['digest', '--insecure', '--platform', 'linux/arm64', `${copied}:v1`])).trim()
    await cosign.verify('cosign2', `${copied}@${arm64}`, { key: pair.pub })
    await cosign.verify('cosign3', `${copied}@${attached}`, { key: pair.pub })
    const tag = `${attached.replace(':', '-')}.sig`
    expect(await digestOf(`${copied}:${tag}`)).toBe(await digestOf(`${image}:${tag}`))
    expect(await discovered(`${copied}:v1`)).toEqual(await discovered(`${image}:v1`))
  })
})

test('on olareg, whose lists lose what is pushed side by side, none of 14 signatures is lost, nor those of another run', async () => {
  const olareg = REGISTRIES.find(({ name }) => name === 'olareg')
  if (!olareg) throw new Error('there are fewer registries')
  await using source = await withLists.start()
  await using target = await olareg.start()
  await using cosign = await openCosign()
  const image = `${source.host}/team/app`
  await pushIndex(`${source.directHost}/team/app:v1`)
  for (let n = 0; n < 14; n++) {
    const file = join(cosign.path, `note-${n}.txt`)
    await writeFile(file, `note ${n}\n`)
    const args = [
      'attach',
      '--plain-http',
      '--disable-path-validation',
      '--artifact-type',
      `text/n${n}`,
      `${image}:v1`,
      file,
    ]
    await run('oras', args)
  }
  const copied = `${target.host}/team/app`
  await copy(`${image}:v1`, `${copied}:v1`)
  expect(await discovered(`${copied}:v1`)).toHaveLength(14)
  const pairs = await Promise.all(['one', 'two', 'three'].map(name => newKeyPair(cosign.path, `olareg-${name}`)))
  await Promise.all(pairs.map(pair => signWithUs(`${copied}:v1`, pair.signs)))
  for (const pair of pairs) await cosign.verify('cosign3', `${copied}:v1`, { key: pair.pub })
  expect(await discovered(`${copied}:v1`)).toHaveLength(17)
})
