import { runCli } from '../../src/cli/program.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, layerMediaType } from '../../src/oci/media-type.ts'
import type { Reference } from '../../src/oci/reference.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { sampleReport } from '../tell/sample-report.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

/** A repository that a test fills. */
class Shelf {
  readonly store = new MemoryStore('r.example/app')

  async put(mediaType: string, document: object | string): Promise<Descriptor> {
    const made =
      typeof document === 'string'
        ? { bytes: Buffer.from(document), descriptor: descriptorOf(mediaType, document) }
        : toDocument(mediaType, document)
    await this.store.push(bytesBlob(made))
    return made.descriptor
  }

  async name(name: string, { digest }: Descriptor): Promise<void> {
    const descriptor = await this.store.resolve(digest)
    await this.store.tag({ descriptor, open: () => this.store.open(descriptor) }, [name])
  }

  async image(architecture: string, { config = {}, ...more }: { config?: object; [more: string]: unknown } = {}) {
    const rootfs = { type: 'layers', diff_ids: [layer.digest] }
    const settings = { created: '2026-01-02T03:04:05Z', os: 'linux', architecture, config, rootfs }
    const described = await this.put(OCI_CONFIG, settings)
    return this.manifest(described, [layer], more)
  }

  manifest(config: Descriptor, layers: readonly Descriptor[], more: object = {}, mediaType = OCI_MANIFEST) {
    return this.put(mediaType, { schemaVersion: 2, mediaType, config, layers, ...more })
  }

  index(manifests: readonly Descriptor[], more: object = {}) {
    return this.put(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...more })
  }
}

function descriptorOf(mediaType: string, text: string): Descriptor {
  return { mediaType, digest: digestOf(Buffer.from(text)), size: Buffer.byteLength(text) }
}

const layer = { ...descriptorOf(layerMediaType('oci', 'gzip'), 'a layer'), size: 35_000_000 }

interface Seen {
  exitCode: number
  out: string
  err: string
  reference?: Reference
  values?: FieldValues
}

async function run(line: string, { store }: Shelf, env: NodeJS.ProcessEnv = {}, stdin = ''): Promise<Seen> {
  const { io, out, err } = fakeIo({ stdin })
  const seen: { reference?: Reference; values?: FieldValues } = {}
  const exitCode = await runCli(['inspect', ...line.split(' ')], io, {
    env,
    signal: new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    publish: () => Promise.resolve(sampleReport()),
    copyTags: () => Promise.reject(new Error('not asked for')),
    locate: reference => {
      seen.reference = reference
      return { source: store, name: reference.kind === 'registry' ? (reference.tag ?? 'latest') : 'latest' }
    },
    wire({ values, problems }) {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

const SETTINGS = {
  User: '1000:1000',
  WorkingDir: '/srv',
  Entrypoint: ['/bin/app', 'two words'],
  Cmd: ['serve'],
  Env: ['PATH=/bin', 'X=1'],
  ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
  StopSignal: 'SIGINT',
  Labels: { a: 'b' },
}

/** Two platforms with an attestation, an artifact, something strange and something that is not there. */
async function everything(): Promise<{ shelf: Shelf; digests: Record<string, string> }> {
  const shelf = new Shelf()
  const annotations = { title: 'app' }
  const amd64 = await shelf.image('amd64', { annotations: { ...annotations, of: 'amd64' }, config: SETTINGS })
  const arm64 = await shelf.image('arm64', { annotations })
  const empty = await shelf.put('application/vnd.oci.empty.v1+json', '{}')
  const statement = {
    ...descriptorOf('application/vnd.in-toto+json', 'statement'),
    annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' },
  }
  const attestation = await shelf.manifest(await shelf.put(OCI_CONFIG, {}), [statement])
  const artifactType = 'application/spdx+json'
  const artifact = await shelf.manifest(empty, [descriptorOf(artifactType, 'an SBOM')], {
    artifactType,
    subject: amd64,
  })
  const strange = descriptorOf('application/x-strange', 'strange')
  const missing = descriptorOf(OCI_MANIFEST, 'not here')
  const unknown = { os: 'unknown', architecture: 'unknown' }
  const index = await shelf.index(
    [
      { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
      arm64, // without a platform: its config has it
      {
        ...attestation,
        platform: unknown,
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': amd64.digest,
        },
      },
      artifact,
      strange,
      { ...missing, platform: { os: 'linux', architecture: 's390x' } },
    ],
    { annotations },
  )
  await shelf.name('v1', index)
  const all = { index, amd64, arm64, attestation, artifact, strange, missing }
  return { shelf, digests: Object.fromEntries(Object.entries(all).map(([name, { digest }]) => [name, digest])) }
}

describe('for people', () => {
  test('an index: platforms with what they run, attestations and artifacts as what they are', async () => {
    const { shelf, digests } = await everything()
    const { exitCode, out, err } = await run('r.example/app:v1', shelf)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip'
    expect(out).toBe(`r.example/app:v1
  digest       ${digests['index']}
  type         index of 2 platforms, application/vnd.oci.image.index.v1+json
  size         1.7 kB
  annotations  title=app

linux/amd64
  digest       ${digests['amd64']}
  size         35 MB with config and 1 layer
  annotations  of=amd64
  created      2026-01-02T03:04:05Z
  user         1000:1000
  workdir      /srv
  entrypoint   ["/bin/app","two words"]
  cmd          ["serve"]
  env          PATH=/bin
               X=1
  ports        8080/tcp, 53/udp
  stop signal  SIGINT
  labels       a=b
  layers       ${layer.digest}   35 MB  ${gzip}

linux/arm64
  digest       ${digests['arm64']}
  size         35 MB with config and 1 layer
  created      2026-01-02T03:04:05Z
  layers       ${layer.digest}   35 MB  ${gzip}

attestation of linux/amd64
  digest       ${digests['attestation']}
  size         559 B
  predicates   https://slsa.dev/provenance/v1

artifact application/spdx+json
  digest       ${digests['artifact']}
  size         683 B with config and 1 layer
  subject      ${digests['amd64']}
  config       sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a     2 B  application/vnd.oci.empty.v1+json
  layers       ${digestOf(Buffer.from('an SBOM'))}     7 B  application/spdx+json

application/x-strange
  digest       ${digests['strange']}
  size         7 B

linux/s390x, which is not here
  digest       ${digests['missing']}
  size         8 B
`)
  })

  test('one platform of it', async () => {
    const { shelf, digests } = await everything()
    const { out } = await run('r.example/app:v1 --platform linux/arm64', shelf)
    expect(out).toContain(`  digest       ${digests['arm64']}\n  type         image for linux/arm64, ${OCI_MANIFEST}\n`)
    expect(out).not.toContain(digests['amd64'])
  })

  test('an index within an index', async () => {
    const shelf = new Shelf()
    const inner = await shelf.index([await shelf.image('amd64')])
    await shelf.name('v1', await shelf.index([inner]))
    const { out } = await run('r.example/app:v1', shelf)
    expect(out).toContain(`\nindex of 1 platform\n  digest       ${inner.digest}\n`)
    expect(out).toContain('\nlinux/amd64\n')
  })

  test("what an image says of itself can not steer the user's terminal", async () => {
    const shelf = new Shelf()
    const labels = { '\u001b[2J': 'a\nlinux/evil' }
    await shelf.name('v1', await shelf.image('amd64', { config: { Labels: labels } }))
    const { out } = await run('r.example/app:v1', shelf)
    expect(out).not.toContain('\u001b')
    expect(out).not.toMatch(/^linux\/evil/m)
  })
})

describe('for programs', () => {
  test('--json is one object with the same, without what is absent', async () => {
    const { shelf, digests } = await everything()
    const { out } = await run('r.example/app:v1 --json', shelf)
    const found = JSON.parse(out) as { manifests: readonly object[] }
    expect(found).toMatchObject({
      reference: 'r.example/app:v1',
      kind: 'index',
      mediaType: OCI_INDEX,
      digest: digests['index'],
      annotations: { title: 'app' },
    })
    expect(found).not.toHaveProperty('subject')
    expect(found.manifests).toMatchObject([
      {
        kind: 'image',
        digest: digests['amd64'],
        platform: 'linux/amd64',
        config: {
          mediaType: OCI_CONFIG,
          created: '2026-01-02T03:04:05Z',
          user: '1000:1000',
          workdir: '/srv',
          entrypoint: ['/bin/app', 'two words'],
          cmd: ['serve'],
          env: ['PATH=/bin', 'X=1'],
          ports: ['8080/tcp', '53/udp'],
          stopSignal: 'SIGINT',
          labels: { a: 'b' },
        },
        layers: [{ digest: layer.digest, size: 35_000_000 }],
      },
      { kind: 'image', platform: 'linux/arm64', annotations: { title: 'app' } },
      { kind: 'attestation', of: digests['amd64'], predicateTypes: ['https://slsa.dev/provenance/v1'] },
      { kind: 'artifact', artifactType: 'application/spdx+json', subject: { digest: digests['amd64'] } },
      { kind: 'other', digest: digests['strange'] },
      { kind: 'missing', digest: digests['missing'], platform: 'linux/s390x' },
    ])
  })

  test('--raw is the manifest byte for byte, even one that nobody can read', async () => {
    const shelf = new Shelf()
    const text = '{ "schemaVersion" : 2,\r\n\t"ü": nonsense }\n\n'
    await shelf.name('v1', await shelf.put(DOCKER_MANIFEST, text))
    expect(await run('r.example/app:v1 --raw', shelf)).toMatchObject({ exitCode: 0, out: text })
    const parsed = await run('r.example/app:v1', shelf)
    expect(parsed).toMatchObject({ exitCode: 1, out: '' })
    expect(parsed.err).toContain('not JSON')
  })

  test('--raw with a platform is the manifest of that platform', async () => {
    const { shelf, digests } = await everything()
    const { out } = await run('r.example/app:v1 --raw --platform linux/amd64', shelf)
    expect(digestOf(Buffer.from(out))).toBe(digests['amd64'])
  })

  test('--config is the config byte for byte', async () => {
    const shelf = new Shelf()
    const text = `{"os":"linux","architecture":"arm64",  "rootfs":{"type":"layers","diff_ids":[]}}\n`
    await shelf.name('v1', await shelf.manifest(await shelf.put(OCI_CONFIG, text), []))
    expect((await run('r.example/app:v1 --config', shelf)).out).toBe(text)
  })
})

describe('what goes wrong', () => {
  test.each([
    [
      'a platform that is not there, and those that are',
      '--platform linux/386',
      'lacks linux/386; it has linux/amd64, linux/arm64, linux/s390x',
    ],
    [
      'a config of several platforms',
      '--config',
      '--platform: --config is of one platform; there are linux/amd64, linux/arm64',
    ],
    ['two forms at once', '--raw --json', '--raw: cannot be had together with --json'],
    ['what is no platform', '--platform amd64', '--platform: unknown platform "amd64"'],
  ])('%s is exit code 2', async (_name, flags, message) => {
    const { exitCode, out, err } = await run(`r.example/app:v1 ${flags}`, (await everything()).shelf)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain(message)
  })

  test('a reference that is none is exit code 2, before anything is asked', async () => {
    const { exitCode, err, out } = await run('r.example/App', new Shelf())
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain('REFERENCE: "r.example/App" is not an image reference')
  })

  test('a tag that is not there is exit code 1', async () => {
    const { exitCode, out, err } = await run('r.example/app:v2', (await everything()).shelf)
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
    expect(err).toBe('error: r.example/app has no "v2"\n')
  })

  test('indexes that multiply are an end, not an endless loop', async () => {
    const shelf = new Shelf()
    let index = await shelf.index([await shelf.image('amd64')])
    for (let depth = 0; depth < 6; depth++) index = await shelf.index(Array<Descriptor>(10).fill(index))
    await shelf.name('v1', index)
    const { exitCode, err } = await run('r.example/app:v1', shelf)
    expect(exitCode).toBe(1)
    expect(err).toContain('more than 2,000 manifests')
  })
})

describe('connections', () => {
  test('a password without a registry is for the host of the reference', async () => {
    const env = { OCI_PUBLISH_USERNAME: 'me', OCI_PUBLISH_PASSWORD: 's3cret' }
    const { shelf } = await everything()
    expect((await run('r.example/app:v1', shelf, env)).values).toEqual({
      registry: 'r.example',
      username: 'me',
      password: 's3cret',
    })
    const elsewhere = { ...env, OCI_PUBLISH_REGISTRY: 'other.example' }
    expect((await run('r.example/app:v1', shelf, elsewhere)).values).toMatchObject({ registry: 'other.example' })
  })

  test('the flags of publish', async () => {
    const { shelf } = await everything()
    const line = 'r.example/app:v1 --username me --password-stdin --plain-http r.example'
    expect((await run(line, shelf, {}, 's3cret\n')).values).toEqual({
      registry: 'r.example',
      username: 'me',
      password: 's3cret',
      'plain-http': ['r.example'],
    })
  })

  test.each<[string, Reference]>([
    ['oci:out', { kind: 'oci', path: 'out' }],
    ['oci-archive:app.tar:v1', { kind: 'oci-archive', path: 'app.tar', name: 'v1' }],
  ])('%s needs none', async (text, reference) => {
    const shelf = new Shelf()
    await shelf.name('latest', await shelf.image('amd64'))
    expect(await run(text, shelf)).toMatchObject({ exitCode: 0, reference, values: {} })
  })
})
