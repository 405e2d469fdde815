import { mkdir } from 'node:fs/promises'
import { writeLayout } from '../../../conformance/sample.ts'
import type { Case } from '../../../conformance/case.ts'
import type { Ended } from '../../../conformance/client.ts'
import { realClock } from '../../../conformance/clock.ts'
import { RULES } from '../../../conformance/judge/judge.ts'
import { runCase, type Verdict } from '../../../conformance/run-case.ts'
import { DONE, OCTETS, copied, plainClient, type Io } from '../plain-client.ts'

type Behaviour = (io: Io) => Promise<Ended>

async function verdictOn(behave: Behaviour, more: Partial<Case>): Promise<Verdict> {
  const one: Case = { name: 'a case', personality: 'spec', job: 'push', shape: 'image', expect: 'done', ...more }
  return await runCase(plainClient(behave), one, { seed: 1, clock: realClock, limitMs: 10_000 })
}

const then =
  (ended: Ended, ...steps: readonly ((io: Io) => Promise<unknown>)[]): Behaviour =>
  async io => {
    for (const step of steps) await step(io)
    return ended
  }
const push = (io: Io): Promise<void> => io.push()
const pull = (io: Io): Promise<void> => io.pull()
const times = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < count; i++) await work()
}
const failed = (output: string): Ended => ({ exitCode: 1, output })
const PULL = { job: 'pull' } as const

/** Sends every blob in two chunks. */
const inChunks =
  (range: (half: number) => string, last: 'newest' | 'oldest') =>
  async ({ parts, open, ask }: Io): Promise<void> => {
    for (const [digest, bytes] of (await parts()).blobs) {
      const first = await open()
      const half = bytes.byteLength >> 1
      const headers = { ...OCTETS, 'content-range': range(half) }
      const answer = await ask(first, { method: 'PATCH', headers, body: copied(bytes.subarray(0, half)) })
      const newest = answer.headers.get('location') ?? first
      const location = last === 'newest' ? newest : first
      await ask(`${location}&digest=${digest}`, { method: 'PUT', headers: OCTETS, body: copied(bytes.subarray(half)) })
    }
  }

const tagOnly = async ({ parts, putManifest }: Io): Promise<void> => {
  const { manifests } = await parts()
  for (const manifest of manifests) await putManifest('v1', manifest)
}

const ROWS: readonly (readonly [rule: string, client: string, behave: Behaviour, more?: Partial<Case>])[] = [
  ['ends', 'never ends', then({ exitCode: undefined, output: '' })],
  ['does what can be done, and says so where it cannot', 'gives up', then(failed('no'))],
  [
    'does what can be done, and says so where it cannot',
    'is content with what cannot be',
    then(DONE, push),
    { expect: 'error' },
  ],
  ['publishes all or nothing', 'says that it pushed, and did not', then(DONE)],
  ['publishes all or nothing', 'pushes the tag alone', then(DONE, tagOnly), { options: { missingContent: 'taken' } }],
  [
    'publishes all or nothing',
    'leaves the tag at another digest',
    then(DONE, async ({ parts, pushBlobs, putManifest }) => {
      await pushBlobs()
      const [manifest] = (await parts()).manifests
      if (manifest) await putManifest('v1', { ...manifest, bytes: Buffer.concat([manifest.bytes, Buffer.from(' ')]) })
    }),
  ],
  ['writes all or nothing', 'says that it pulled, and did not', then(DONE), PULL],
  [
    'writes all or nothing',
    'lists what it did not pull',
    then(DONE, async ({ job, ask, base }) => {
      const head = await ask(`${base}/manifests/v1`, { method: 'HEAD' })
      const digest = head.headers.get('docker-content-digest') ?? ''
      const root = { mediaType: head.headers.get('content-type') ?? '', digest, size: 1 }
      if (job.do !== 'pull') return
      await mkdir(job.layout.path)
      await writeLayout(job.layout.path, { root, blobs: new Map(), manifests: [] }, 'v1')
    }),
    PULL,
  ],
  ['loses nothing that refers to an image', 'says that it attached, and did not', then(DONE), { job: 'attach' }],
  ['loses nothing that refers to an image', 'says that it signed, and did not', then(DONE), { job: 'sign' }],
  [
    'loses nothing that refers to an image',
    'takes what is there for what is listed',
    then(DONE),
    { job: 'copy-referrers', shape: 'signed', before: 'same', unlisted: true },
  ],
  ['says what went wrong', 'fails in silence', then(failed('\n'))],
  [
    'fails in words',
    'fails with a stack',
    then(failed('oh\n    at push (file:///client.js:1:2)')),
    { expect: 'error' },
  ],
  [
    'sends blobs as application/octet-stream',
    'sends text',
    then(
      DONE,
      async ({ parts, putBlob }) => {
        for (const [digest, bytes] of (await parts()).blobs) await putBlob(digest, { body: copied(bytes) })
      },
      tagOnly,
    ),
  ],
  [
    'says how long a blob is',
    'sends a stream',
    then(
      DONE,
      async ({ parts, putBlob }) => {
        for (const [digest, bytes] of (await parts()).blobs) {
          const body = new Blob([copied(bytes)]).stream()
          await putBlob(digest, { headers: OCTETS, body, duplex: 'half' })
        }
      },
      tagOnly,
    ),
  ],
  [
    'keeps Content-Range and Content-Length together',
    'says a byte too many',
    then(
      DONE,
      inChunks(half => `0-${half}`, 'newest'),
    ),
  ],
  [
    'follows the newest Location',
    'goes back to the first Location',
    then(
      DONE,
      inChunks(half => `0-${half - 1}`, 'oldest'),
    ),
  ],
  [
    'sends the bytes that it names',
    'sends others',
    then(DONE, async ({ parts, putBlob }) => {
      for (const [digest] of (await parts()).blobs) await putBlob(digest, { headers: OCTETS, body: 'others' })
    }),
  ],
  ['pushes nothing before what it needs', 'pushes manifests first', then(DONE, tagOnly, push)],
  [
    'pushes nothing before what it needs',
    'does so where nobody minds',
    then(DONE, tagOnly, push),
    { options: { missingContent: 'taken' } },
  ],
  [
    'moves no tag but its own',
    'moves latest as well',
    then(DONE, push, async ({ parts, putManifest }) => {
      for (const manifest of (await parts()).manifests) await putManifest('latest', manifest)
    }),
  ],
  ['ends the uploads that it began', 'opens one too many', then(DONE, ({ open }) => open(), push)],
  [
    'comes back no sooner than Retry-After says',
    'comes back at once',
    then(
      DONE,
      async ({ ask, base }) => {
        await times(2, () => ask(`${base}/manifests/v1`, { method: 'HEAD' }))
      },
      push,
    ),
    { troubles: [{ match: { method: 'HEAD' }, fault: { status: 429, headers: { 'retry-after': '1' } } }] },
  ],
  [
    'takes a final answer for one',
    'asks the same five times',
    then(
      DONE,
      async ({ parts, putManifest }) => {
        for (const one of (await parts()).manifests) {
          await times(5, () => putManifest('v1', { ...one, bytes: Buffer.from('no') }))
        }
      },
      push,
    ),
  ],
  [
    'asks no more than it takes',
    'asks a hundred times',
    then(
      DONE,
      async ({ ask }) => {
        await times(100, () => ask('/v2/'))
      },
      push,
    ),
  ],
  ['sends no more than it takes', 'sends all twice', then(DONE, ({ pushBlobs }) => pushBlobs(), push)],
  ['sends no more than it takes', 'sends what is there', then(DONE, push), { before: 'same', sendsNothing: true }],
  [
    'shows credentials to no other origin',
    'sends them along',
    then(DONE, async io => {
      await io.pull()
      const [digest = ''] = (await io.parts()).blobs.keys()
      const sent = await io.ask(`${io.base}/blobs/${digest}`)
      await io.ask(sent.headers.get('location') ?? '')
    }),
    { ...PULL, options: { blobsElsewhere: true } },
  ],
  [
    'asks for no right to write that it does not need',
    'asks for more',
    then(DONE, ({ token }) => token('repository:team/app:pull,push'), pull),
    PULL,
  ],
  [
    'asks for no right to read that it does not need',
    'asks for another repository',
    then(DONE, ({ token }) => token('repository:team/other:pull'), push),
  ],
  ['prints no secret', 'prints the password', async io => ({ ...(await then(DONE, push)(io)), output: io.password })],
]

describe('a client that does all as it should is not blamed', () => {
  test.each([
    ['pushes', push, {}],
    ['pushes an index', push, { shape: 'index' }],
    ['pulls', pull, PULL],
    ['pulls what is kept elsewhere', pull, { ...PULL, options: { blobsElsewhere: true } }],
  ] as const)('when it %s', async (_name, work, more) => {
    expect(await verdictOn(then(DONE, work), more)).toMatchObject({ result: 'pass', findings: [] })
  })
})

describe('a client that breaks a rule is found out', () => {
  test.each(ROWS.map(([rule, client, behave, more = {}]) => [rule, client, behave, more] as const))(
    '%s: one that %s',
    async (rule, _client, behave, more) => {
      const { findings, result } = await verdictOn(behave, more)
      const level = RULES.find(({ name }) => name === rule)?.level
      expect(findings.map(finding => [finding.level, finding.rule])).toContainEqual([level, rule])
      expect(level === 'should' || result === 'fail').toBe(true)
    },
  )

  test('by every rule that there is', () => {
    expect(new Set(ROWS.map(([rule]) => rule))).toEqual(new Set(RULES.map(({ name }) => name)))
  })
})

describe('a client is not blamed for what a fault did to it', () => {
  test.each<readonly [string, Behaviour, Partial<Case>]>([
    [
      'blobs that show late, and a manifest that is tried until they do',
      then(
        DONE,
        ({ pushBlobs }) => pushBlobs(),
        async io => {
          await times(6, () => tagOnly(io))
        },
      ),
      {
        troubles: [
          { match: { method: 'PUT', path: '/blobs/uploads/' }, fault: { lagReads: 5 } },
          { match: { method: 'GET', path: '/none' }, fault: { reset: true } },
        ],
      },
    ],
    [
      'an upload that is said to be gone, and begun again',
      then(
        DONE,
        async ({ parts, putBlob }) => {
          const [first] = (await parts()).blobs
          if (first) await putBlob(first[0], { headers: OCTETS, body: copied(first[1]) })
        },
        push,
      ),
      { troubles: [{ match: { method: 'PUT' }, fault: { status: 404 } }] },
    ],
    [
      'a tag that somebody else moves just before',
      then(DONE, push),
      { troubles: [{ match: { method: 'PUT', path: '/manifests/v1' }, fault: { moveTag: 'other' } }] },
    ],
  ])('%s', async (_name, behave, more) => {
    expect(await verdictOn(behave, more)).toMatchObject({ result: 'pass', findings: [] })
  })
})
