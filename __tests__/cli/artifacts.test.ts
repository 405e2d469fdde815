import type { Attached } from '../../src/artifact/attach.ts'
import type { AttachWords } from '../../src/artifact/attach-request.ts'
import type { Discovered } from '../../src/artifact/discover.ts'
import type { Hanging } from '../../src/content/hanging.ts'
import type { Pulled, PullRequest } from '../../src/artifact/pull.ts'
import { runCli } from '../../src/cli/program.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { formatReference, type Reference } from '../../src/oci/reference.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for'))
const SPDX = 'application/spdx+json'

const of = (text: string, more: Partial<Descriptor> = {}): Descriptor => ({
  ...{ mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(text)), size: text.length },
  ...more,
})

const [index, amd64, sbom, seal] = [of('index', { mediaType: OCI_INDEX }), of('amd64'), of('sbom'), of('seal')]

interface Given {
  readonly attached?: Attached
  readonly found?: Discovered
  readonly pulled?: Pulled
  readonly failure?: Error
}

async function run(line: string, { attached, found, pulled, failure }: Given = {}) {
  const { io, out, err } = fakeIo()
  const seen: { words?: AttachWords; reference?: Reference; request?: PullRequest; values?: FieldValues } = {}
  const answer = <T>(value: T | undefined): Promise<T> =>
    failure || value === undefined ? Promise.reject(failure ?? new Error('not asked for')) : Promise.resolve(value)
  const exitCode = await runCli(line.split(' '), io, {
    env: { CI: 'true' },
    signal: new AbortController().signal,
    version: '1.2.3',
    ...ARTIFACT_PARTS,
    copy: notAsked,
    publish: notAsked,
    locate: () => {
      throw new Error('not asked for')
    },
    attach: words => {
      seen.words = words
      return answer(attached)
    },
    discover: reference => {
      seen.reference = reference
      return answer(found)
    },
    pull: request => {
      seen.request = request
      return answer(pulled)
    },
    wire: ({ values, problems }) => {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

describe('attach', () => {
  const platform = { os: 'linux', architecture: 'amd64' }
  const attached: Attached = {
    place: 'r.example/team/app',
    artifactType: SPDX,
    attachments: [
      { subject: amd64, platform, manifest: sbom, existed: false },
      { subject: index, platform: undefined, manifest: seal, existed: true },
    ],
  }

  test('hands on what was typed, lists parted at commas', async () => {
    const line =
      `attach r.example/team/app:v1 a.json b:text/plain --artifact-type ${SPDX} --platforms linux/amd64,index ` +
      '--platforms all --annotations a=b,c --annotations d=e --username me'
    const { words, values, exitCode } = await run(line, { attached })
    expect({ words, exitCode, values }).toMatchObject({
      exitCode: 0,
      words: {
        subject: 'r.example/team/app:v1',
        files: ['a.json', 'b:text/plain'],
        artifactType: SPDX,
        platforms: ['linux/amd64', 'index', 'all'],
        annotations: ['a=b,c', 'd=e'],
        context: '.',
      },
      values: { registry: 'r.example', username: 'me' },
    })
  })

  test('prints what can be pulled on standard output, and tells the rest on standard error', async () => {
    const { out, err } = await run('attach r.example/team/app:v1 a', { attached })
    expect(out).toBe(`r.example/team/app@${sbom.digest}\nr.example/team/app@${seal.digest}\n`)
    expect(err.replace(/in [0-9.]+ m?s/, 'in 0 s')).toBe(
      [
        `attached ${SPDX} to 1 manifest of r.example/team/app, in 0 s`,
        `  linux/amd64 ${amd64.digest}: ${sbom.digest}`,
        `  ${index.digest}: ${seal.digest} (was there)`,
        '',
      ].join('\n'),
    )
    expect((await run('attach r.example/team/app:v1 a --quiet', { attached })).err).toBe('')
  })

  test('--json has every attachment with its subject', async () => {
    const { out } = await run('attach r.example/team/app:v1 a --json', { attached })
    expect(JSON.parse(out)).toEqual({
      artifactType: SPDX,
      attachments: [
        {
          ...{ ref: `r.example/team/app@${sbom.digest}`, ...sbom, subject: amd64.digest },
          ...{ platform: 'linux/amd64', existed: false },
        },
        { ref: `r.example/team/app@${seal.digest}`, ...seal, subject: index.digest, existed: true },
      ],
    })
  })

  test('nothing to add is no failure', async () => {
    const existing = { ...attached, attachments: attached.attachments.map(one => ({ ...one, existed: true })) }
    const { exitCode, err } = await run('attach r.example/team/app:v1 a', { attached: existing })
    expect(exitCode).toBe(0)
    expect(err).toMatch(/^nothing to add: r.example\/team\/app has it all, /)
  })
})

describe('discover', () => {
  const hanging = (descriptor: Descriptor, more: Partial<Hanging> = {}): Hanging => ({
    ...{ descriptor, by: 'subject', tag: undefined, referrers: [] },
    ...more,
  })
  const tag = `${index.digest.replace(':', '-')}.att`
  const found: Discovered = {
    descriptor: index,
    platform: undefined,
    referrers: [
      hanging({ ...sbom, artifactType: SPDX, annotations: { a: 'b' } }, { referrers: [hanging(seal)] }),
      hanging(seal, { by: 'tag', tag }),
    ],
    manifests: [
      {
        descriptor: amd64,
        platform: { os: 'linux', architecture: 'amd64' },
        referrers: [hanging({ ...seal, artifactType: 'a\n\u001b[2J/b' }), hanging(sbom, { by: 'index' })],
        manifests: [],
      },
    ],
  }

  test('shows a tree, in which nobody can steer the terminal', async () => {
    const { out, exitCode, reference } = await run('discover r.example/team/app:v1', { found })
    expect(exitCode).toBe(0)
    expect(reference && formatReference(reference)).toBe('r.example/team/app:v1')
    expect(out).toBe(
      [
        `r.example/team/app:v1@${index.digest}`,
        `├── ${SPDX}  ${sbom.digest}`,
        `│   └── ${OCI_MANIFEST}  ${seal.digest}`,
        `├── attestation, tag ${tag}  ${seal.digest}`,
        `└── linux/amd64  ${amd64.digest}`,
        `    ├── a\\n\\u001b[2J/b  ${seal.digest}`,
        `    └── attestation in the index  ${sbom.digest}`,
        '',
      ].join('\n'),
    )
  })

  test('--json has the same with annotations, and how each hangs there', async () => {
    const { out } = await run('discover r.example/team/app:v1 --json', { found })
    expect(JSON.parse(out)).toEqual({
      reference: 'r.example/team/app:v1',
      ...index,
      referrers: [
        {
          ...{ ...sbom, artifactType: SPDX, annotations: { a: 'b' }, by: 'subject' },
          referrers: [{ ...seal, annotations: {}, by: 'subject', referrers: [] }],
        },
        { ...seal, annotations: {}, by: 'tag', tag, referrers: [] },
      ],
      manifests: [
        {
          ...{ ...amd64, platform: 'linux/amd64' },
          referrers: [
            { ...seal, artifactType: 'a\n\u001b[2J/b', annotations: {}, by: 'subject', referrers: [] },
            { ...sbom, annotations: {}, by: 'index', referrers: [] },
          ],
        },
      ],
    })
  })

  test('signatures and attestations say what they are, and not only how they are written', async () => {
    const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json'
    const stating = (predicateType?: string): Hanging => {
      const annotations = predicateType === undefined ? {} : { 'dev.sigstore.bundle.predicateType': predicateType }
      return hanging({ ...sbom, artifactType: bundle, annotations })
    }
    const notation = hanging({ ...seal, artifactType: 'application/vnd.cncf.notary.signature' })
    const signature = stating('https://sigstore.dev/cosign/sign/v1')
    const provenance = stating('https://slsa.dev/provenance/v1')
    const elsewhere = hanging({
      ...sbom,
      artifactType: SPDX,
      annotations: { 'dev.sigstore.bundle.predicateType': 'x' },
    })
    const referrers = [signature, provenance, stating(), notation, elsewhere]
    const signed: Discovered = { ...found, referrers, manifests: [] }
    const { out } = await run('discover r.example/team/app:v1', { found: signed })
    expect(out.split('\n').slice(1)).toEqual([
      `├── signature, sigstore bundle  ${sbom.digest}`,
      `├── https://slsa.dev/provenance/v1, sigstore bundle  ${sbom.digest}`,
      `├── ${bundle}  ${sbom.digest}`,
      `├── signature, Notation  ${seal.digest}`,
      `└── ${SPDX}  ${sbom.digest}`,
      '',
    ])
    const json = JSON.parse((await run('discover r.example/team/app:v1 --json', { found: signed })).out) as {
      readonly referrers: readonly { readonly predicateType?: string }[]
    }
    expect(json.referrers.map(({ predicateType }) => predicateType)).toEqual([
      'https://sigstore.dev/cosign/sign/v1',
      'https://slsa.dev/provenance/v1',
      ...[undefined, undefined, undefined],
    ])
  })

  test('what is no reference is a wrong request', async () => {
    expect(await run('discover UPPER/case')).toMatchObject({ exitCode: 2, out: '' })
  })
})

describe('pull', () => {
  const pulled: Pulled = {
    place: 'r.example/app',
    manifest: amd64,
    artifactType: 'a/b',
    files: [
      { path: '/out/a', descriptor: of('a'), isDirectory: false, existed: false },
      { path: '/out/d', descriptor: of('d'), isDirectory: true, existed: true },
    ],
    skipped: [of('wasm', { mediaType: 'application/wasm' })],
  }

  test('hands on what was typed', async () => {
    const line =
      'pull r.example/app:v1 --output out --overwrite --config c.json --platform linux/arm64/v8 --max-size 2TB --max-files 7'
    const { request } = await run(line, { pulled })
    expect(request).toEqual({
      reference: { kind: 'registry', host: 'r.example', repository: 'app', tag: 'v1' },
      platform: { os: 'linux', architecture: 'arm64' },
      ...{ output: 'out', overwrite: true, config: 'c.json' },
      limits: { maxBytes: 2e12, maxFiles: 7 },
    })
    expect((await run('pull r.example/app', { pulled })).request).toMatchObject({
      ...{ output: '.', overwrite: false },
      limits: { maxBytes: 250e9, maxFiles: 100_000 },
    })
    const { err } = await run('pull r.example/app --max-size much --max-files many', { pulled })
    expect(err).toContain('"much" is not a size')
    expect(err).toContain('"many" is not a number')
  })

  test('prints the paths, and tells what was there and what was skipped', async () => {
    const { out, err } = await run('pull r.example/app:v1', { pulled })
    expect(out).toBe('/out/a\n/out/d\n')
    expect(err.replace(/in [0-9.]+ m?s/, 'in 0 s')).toBe(
      `pulled r.example/app@${amd64.digest}, in 0 s\n  2 files, 1 of them there already, 2 B; 1 layer without a title\n`,
    )
  })

  test('--json has every file', async () => {
    const { out } = await run('pull r.example/app:v1 --json', { pulled })
    expect(JSON.parse(out)).toEqual({
      ...{ ref: `r.example/app@${amd64.digest}`, digest: amd64.digest, mediaType: OCI_MANIFEST, artifactType: 'a/b' },
      files: [
        { path: '/out/a', ...of('a'), existed: false },
        { path: '/out/d', ...of('d'), directory: true, existed: true },
      ],
      skipped: [of('wasm', { mediaType: 'application/wasm' })],
    })
  })

  test.each([
    ['a wrong request', 'pull UPPER --platform linux', undefined, 2],
    ['a failure', 'pull r.example/app', new OciPublishError('FILE_EXISTS', 'it is there'), 1],
  ])('the exit code tells %s', async (_name, line, failure, code) => {
    const { exitCode, out } = await run(line, failure && { failure })
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' })
  })
})
