import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { ImageCopy } from '../../src/copy/copy-image.ts'
import type { CopyRequest } from '../../src/copy/request.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { multiPlatform } from '../copy/sample.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const { root, blobs } = multiPlatform()
const { descriptor } = root
const [LAYER, ...OTHERS] = blobs.map(blob => blob.descriptor)
if (!LAYER) throw new Error('an image has a layer')

const COPIED: ImageCopy = {
  found: descriptor,
  root: descriptor,
  target: { place: 's.example/b' },
  outcome: {
    result: {
      sent: { descriptors: OTHERS, bytes: 2_500 },
      mounted: { descriptors: [LAYER], bytes: 1_000_000 },
      existing: { descriptors: [], bytes: 0 },
    },
  },
}

interface Given {
  readonly copied?: () => Promise<ImageCopy>
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a command line on a stand-in of the use case. */
async function run(line: string, { copied = () => Promise.resolve(COPIED), signal, env = {} }: Given = {}) {
  const { io, out, err } = fakeIo()
  const seen: { request?: CopyRequest; values?: FieldValues } = {}
  const exitCode = await runCli(line.split(' '), io, {
    env,
    signal: signal ?? new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copyTags: () => Promise.reject(new Error('not asked for')),
    locate: () => ({ source: new MemoryStore(), name: '' }),
    publish: () => Promise.reject(new Error('not asked for')),
    copy: request => {
      seen.request = request
      return copied()
    },
    wire: ({ values, problems }) => {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

test('standard output has the copy with its digest, standard error how it went', async () => {
  const { exitCode, out, err } = await run('copy r.example/a:v1 s.example/b')
  expect(exitCode).toBe(0)
  expect(out).toBe(`s.example/b:v1@${descriptor.digest}\n`)
  expect(err.replace(/in \d.*s\n/, 'in no time\n')).toBe(
    `copied r.example/a:v1: ${descriptor.digest}, in no time\n` +
      `  s.example/b (v1): sent ${OTHERS.length} (2.5 kB), mounted 1 (1.0 MB), already there none\n`,
  )
})

test('without a tag it is said that only the digest leads there', async () => {
  const { out, err } = await run(`copy r.example/a:v1 s.example/b@${descriptor.digest}`)
  expect(out).toBe(`s.example/b@${descriptor.digest}\n`)
  expect(err).toContain('  s.example/b (without a tag, by digest only): sent')
})

test('--json has the same as one object', async () => {
  const { out, err } = await run('copy r.example/a:v1 oci-archive:x.tar:v2 --json --quiet')
  expect(err).toBe('')
  expect(JSON.parse(out)).toEqual({
    ...descriptor,
    refs: [`oci-archive:x.tar:v2@${descriptor.digest}`],
    tags: ['oci-archive:x.tar:v2'],
    from: { name: 'r.example/a:v1', digest: descriptor.digest },
    targets: [
      {
        place: 's.example/b',
        tags: ['v2'],
        sent: { count: OTHERS.length, bytes: 2_500 },
        mounted: { count: 1, bytes: 1_000_000 },
        existing: { count: 0, bytes: 0 },
      },
    ],
    dryRun: false,
  })
})

test('--dry-run says what would be sent', async () => {
  const steps = [
    { do: 'send', descriptor: LAYER, bytes: LAYER.size },
    { do: 'keep', descriptor, bytes: 0 },
  ] as const
  const { request, err, out } = await run('copy r.example/a:v1 s.example/b --dry-run --json', {
    copied: () => Promise.resolve({ ...COPIED, outcome: { steps, tagsNow: new Map([['v1', LAYER.digest]]) } }),
  })
  expect(request?.dryRun).toBe(true)
  expect(err).toMatch(/^would copy .*\n {2}s\.example\/b \(v1\): to send 1 \(\d+ B\), to mount none, already there 1 /)
  expect(JSON.parse(out)).toMatchObject({
    dryRun: true,
    targets: [{ steps, tagSteps: [{ tag: 'v1', do: 'move', from: LAYER.digest }] }],
  })
})

const SIGNATURE: Descriptor = {
  ...descriptor,
  artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  annotations: { 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' },
}
const SIG = `${descriptor.digest.replace(':', '-')}.sig`
const REFERRERS: ImageCopy['referrers'] = [
  { subject: LAYER.digest, descriptor: SIGNATURE, tag: undefined, existed: false },
  { subject: descriptor.digest, descriptor: LAYER, tag: SIG, existed: true },
]

test('--referrers is handed on, and what came along is counted and listed', async () => {
  expect((await run('copy r.example/a:v1 s.example/b')).request?.referrers).toBe(false)
  const { request, out, err } = await run('copy r.example/a:v1 s.example/b --referrers --json', {
    copied: () => Promise.resolve({ ...COPIED, referrers: REFERRERS }),
  })
  expect(request?.referrers).toBe(true)
  expect(err.split('\n').slice(2)).toEqual(['  came along: 2 referrers, 1 there already', ''])
  const { artifactType, mediaType, digest, size } = SIGNATURE
  expect(JSON.parse(out)).toMatchObject({
    targets: [{ referrers: { copied: 1, existing: 1 } }],
    referrers: [
      {
        ...{ mediaType, digest, size, artifactType, predicateType: 'https://sigstore.dev/cosign/sign/v1' },
        ...{ subject: LAYER.digest, existed: false },
      },
      { mediaType: LAYER.mediaType, digest: LAYER.digest, size: LAYER.size, subject: digest, tag: SIG, existed: true },
    ],
  })
})

test('--referrers in a dry run shows each, and what nothing refers to is said to be so', async () => {
  const outcome = { steps: [], tagsNow: new Map() }
  const { err } = await run('copy r.example/a:v1 s.example/b --referrers --dry-run', {
    copied: () => Promise.resolve({ ...COPIED, outcome, referrers: REFERRERS }),
  })
  expect(err.split('\n').slice(2)).toEqual([
    '  would come along: 2 referrers, 1 there already',
    `    signature, sigstore bundle  ${descriptor.digest} on ${LAYER.digest}`,
    `    signature, tag ${SIG}  ${LAYER.digest} on ${descriptor.digest}, there already`,
    '',
  ])
  const none = await run('copy r.example/a:v1 s.example/b --referrers', {
    copied: () => Promise.resolve({ ...COPIED, referrers: [] }),
  })
  expect(none.err).toContain('  nothing refers to it\n')
})

test('platforms are a list, and none is not the default of publish', async () => {
  expect((await run('copy r.example/a:v1 s.example/b')).request?.platforms).toEqual([])
  const { request } = await run('copy r.example/a:v1 s.example/b --platforms linux/amd64,linux/arm64/v8')
  expect(request?.platforms).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ])
})

test('a password without a host is for the only host there is', async () => {
  const { values } = await run('copy r.example/a:v1 oci:out --plain-http r.example --username me', {
    env: { OCI_PUBLISH_PASSWORD: 's3cret' },
  })
  expect(values).toMatchObject({
    images: ['r.example/a'],
    'plain-http': ['r.example'],
    username: 'me',
    password: 's3cret',
  })
})

test.each([
  ['copy r.example/a:v1', "missing required argument 'to'"],
  ['copy r.example/a:v1 s.example/b t.example/c', 'too many arguments'],
  ['copy r.example/A s.example/b:-', 'error: the request is wrong: 2 problems\n  FROM: '],
  ['copy r.example/a s.example/b --platforms linux', '\n  --platforms: unknown platform "linux"'],
  ['copy r.example/a s.example/b --base-image x', "unknown option '--base-image'"],
])('%s: exit code 2, and what is wrong', async (line, message) => {
  const { exitCode, out, err, request } = await run(line)
  expect({ exitCode, out, request }).toEqual({ exitCode: 2, out: '', request: undefined })
  expect(err).toContain(message)
})

test('a failure is 1, Ctrl-C is 130 and says what it left behind', async () => {
  const failed = await run('copy r.example/a s.example/b', {
    copied: () => Promise.reject(new OciPublishError('NOT_FOUND', 'r.example/a has no latest')),
  })
  expect(failed).toMatchObject({ exitCode: 1, out: '', err: 'error: r.example/a has no latest\n' })
  const reason = new Error('stopped by SIGINT')
  const stopped = await run('copy r.example/a s.example/b', {
    copied: () => Promise.reject(reason),
    signal: AbortSignal.abort(reason),
  })
  expect(stopped).toMatchObject({
    exitCode: 130,
    err: 'stopped by SIGINT: the tag moves last, so it does not point at half an image\n',
  })
})
