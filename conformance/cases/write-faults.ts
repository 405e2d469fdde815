import type { Case, Trouble } from '../case.ts'
import type { Fault, Match } from '../server/fault.ts'

/** Requests, however a client goes about it: a chunk, or all in one. */
const CHECK: Match = { method: 'HEAD', path: '/blobs/' }
const START: Match = { method: 'POST', path: '/blobs/uploads/' }
const SEND: Match = { path: /[/]blobs[/]uploads[/][^/?]+/ }
const CHILD: Match = { method: 'PUT', path: /[/]manifests[/]sha256:/ }
const TAG: Match = { method: 'PUT', path: /[/]manifests[/](?!sha256[:-])/ }
const TOKEN: Match = { path: '/token' }

const ALWAYS = { times: Infinity } as const

const ONCE: readonly (readonly [what: string, fault: Fault])[] = [
  ['408', { status: 408 }],
  ['429 and no word when to come back', { status: 429, early: true }],
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '1' }, body: tooMany() }],
  ['500', { status: 500 }],
  [
    '502 from a proxy that speaks HTML',
    { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>502</h1>' },
  ],
  ['503', { status: 503 }],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '1' } }],
  ['504', { status: 504 }],
  ['520 from Cloudflare', { status: 520 }],
  ['a connection that is reset', { reset: true }],
  ['a lost answer', { lostAnswer: true }],
]

const SOME: readonly string[] = ['429 with Retry-After', '500', '503', 'a connection that is reset', 'a lost answer']

function push(name: string, troubles: readonly Trouble[], more: Partial<Case> = {}): Case {
  return { name, personality: 'spec', job: 'push', troubles, expect: 'done', ...more }
}

const one = (match: Match, fault: Fault): readonly Trouble[] => [{ match, fault }]

/** One request of a push fails once: nobody may notice. */
const FAIL_ONCE: readonly Case[] = [
  ...ONCE.map(([what, fault]) => push(`${what}, sending a blob`, one(SEND, fault))),
  ...(
    [
      ['looking for a blob', CHECK],
      ['opening an upload', START],
      ['pushing the manifest of a platform', CHILD],
      ['moving the tag', TAG],
      ['getting a token', TOKEN],
    ] as const
  ).flatMap(([where, match]) =>
    ONCE.filter(([what]) => SOME.includes(what)).map(([what, fault]) => push(`${what}, ${where}`, one(match, fault))),
  ),
]

/** Uploads that go wrong on the way. */
const UPLOADS: readonly Case[] = [
  push('an upload that is cut at its beginning', one(SEND, { cutRequestAfter: 0 })),
  push('an upload that is cut in the middle', one({ ...SEND, nth: 2 }, { cutRequestAfter: 7_000 })),
  push('an upload that is cut three times', one({ ...SEND, times: 3 }, { cutRequestAfter: 9_000 })),
  push('the same, where a session does not survive it', one({ ...SEND, times: 2 }, { cutRequestAfter: 9_000 }), {
    personality: 'zot',
  }),
  push('the same, where a session is stale after it', one({ ...SEND, times: 2 }, { cutRequestAfter: 9_000 }), {
    personality: 'distribution-2.8',
  }),
  push('the same at ecr', one({ ...SEND, times: 2 }, { cutRequestAfter: 9_000 }), { personality: 'ecr' }),
  push('a session that is forgotten', one(SEND, { forgetUploads: true })),
  push('a token that ends in the middle of an upload', one(SEND, { expireTokens: true })),
  push('a token that ends before the tag moves', one(TAG, { expireTokens: true })),
  push('a slow answer', one(SEND, { slowMs: 300 })),
  push('no answer at all', one(SEND, { hang: true }), { slow: true }),
  push('a proxy that takes no more than 5.5 MiB at a time', [], {
    shape: 'large',
    options: { maxBodyBytes: 5_767_168 },
  }),
  push('the same in front of ghcr', [], {
    ...{ personality: 'ghcr', shape: 'large', options: { maxBodyBytes: 5_767_168 } },
    expect: 'either',
  }),
]

/** What registries say of places and names. */
const SAID: readonly Case[] = [
  push('a relative Location', one({ ...START, ...ALWAYS }, { location: 'relative' })),
  push('an absolute Location', one({ ...START, ...ALWAYS }, { location: 'absolute' })),
  push('a Location at another origin', one(START, { location: 'elsewhere' }), { expect: 'either' }),
  push('a Location in a private network', one({ ...START, ...ALWAYS }, { location: 'private' }), {
    ...{ expect: 'error', slow: true },
  }),
  push('no Location', one({ ...START, ...ALWAYS }, { location: 'none' }), { expect: 'error' }),
  push('a signed Location', [], { options: { signedLocations: true } }),
  push(
    'a token service that sends clients to another origin',
    one({ ...TOKEN, ...ALWAYS }, { redirect: 'elsewhere' }),
    {
      expect: 'error',
    },
  ),
  push('a registry that does not say what it took', [], { options: { digestHeader: false } }),
  push('another digest than that of the blob', one(SEND, { digestHeader: `sha256:${'0'.repeat(64)}` }), {
    expect: 'either',
  }),
  push('another digest than that of the manifest', one(CHILD, { digestHeader: `sha256:${'0'.repeat(64)}` }), {
    expect: 'either',
  }),
  push(
    'a manifest that cannot be asked for by HEAD',
    one({ method: 'HEAD', path: '/manifests/', ...ALWAYS }, { status: 405 }),
  ),
  push('a token service that knows no OAuth', [], {
    auth: { oauth: { status: 405, code: 'UNSUPPORTED', message: 'GET only' } },
  }),
  push('a realm without a host', [], { auth: { realm: 'relative' } }),
]

/** Storage that is behind, and others who push. */
const OTHERS: readonly Case[] = [
  push('a blob that shows late', one(SEND, { lagReads: 2 })),
  push('a manifest that shows late', one(CHILD, { lagReads: 2 })),
  push('a tag that shows late', one(TAG, { lagReads: 2 })),
  push('a tag that somebody else has just pushed', one(TAG, { moveTag: 'v1' })),
  push('a registry that takes manifests of what it has not', [], { options: { missingContent: 'taken' } }),
  {
    name: 'a source whose tag moves under us',
    ...{ personality: 'spec', job: 'copy', expect: 'done' },
    troubles: [{ at: 'source', match: { path: '/manifests/', nth: 2 }, fault: { moveTag: 'v1' } }],
  },
]

/** What does not pass: to be told, and not to be tried for ever. */
const FINAL: readonly Case[] = [
  push('no right to push', one({ ...START, ...ALWAYS }, { status: 403, body: error('DENIED', 'no push access') }), {
    expect: 'error',
  }),
  push('a full quota', one({ ...TAG, ...ALWAYS }, { status: 403, body: error('DENIED', 'quota exceeded') }), {
    expect: 'error',
  }),
  push(
    'a manifest that is refused',
    one({ ...CHILD, ...ALWAYS }, { status: 400, body: error('MANIFEST_INVALID', 'no') }),
    {
      expect: 'error',
    },
  ),
  push(
    'the manifest of the tag refused',
    one({ ...TAG, ...ALWAYS }, { status: 400, body: error('MANIFEST_INVALID', 'no') }),
    {
      expect: 'error',
    },
  ),
  push('a wrong password', [], { stranger: true, expect: 'error' }),
  push('a wrong password where passwords are asked for', [], { personality: 'ecr', stranger: true, expect: 'error' }),
  push('a repository that there is not', [], { personality: 'ecr', options: { repositories: [] }, expect: 'error' }),
  push('a token that does not allow it', [], { auth: { grants: () => ['pull'] }, expect: 'error' }),
  push('a registry that answers HTML', one({ ...ALWAYS }, { status: 200, headers: HTML(), body: '<html></html>' }), {
    expect: 'error',
  }),
  push('a registry that is down', one({ ...SEND, ...ALWAYS }, { status: 503 }), { expect: 'error', slow: true }),
  push('a registry that dies before the tag', one({ ...TAG, ...ALWAYS }, { reset: true }), {
    expect: 'error',
    slow: true,
  }),
]

export const WRITE_FAULTS: readonly Case[] = [...FAIL_ONCE, ...UPLOADS, ...SAID, ...OTHERS, ...FINAL]

function error(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] })
}

function tooMany(): string {
  return error('TOOMANYREQUESTS', 'rate exceeded')
}

function HTML(): Record<string, string> {
  return { 'content-type': 'text/html' }
}
