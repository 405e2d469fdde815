import type { Case, Trouble } from '../case.ts'
import type { Fault, Match } from '../server/fault.ts'

const BLOB: Match = { method: 'GET', path: '/blobs/sha' }
const MANIFEST: Match = { method: 'GET', path: '/manifests/' }
const HEAD: Match = { method: 'HEAD', path: '/manifests/' }
const ANY_MANIFEST: Match = { path: '/manifests/' }

const ALWAYS = { times: Infinity } as const
const WRONG = { digestHeader: `sha256:${'0'.repeat(64)}` } as const

function pull(name: string, troubles: readonly Trouble[], more: Partial<Case> = {}): Case {
  return { name, personality: 'spec', job: 'pull', troubles, expect: 'done', ...more }
}

const one = (match: Match, fault: Fault): readonly Trouble[] => [{ match, fault }]

export const READ_FAULTS: readonly Case[] = [
  pull('a download that is cut', one({ ...BLOB, nth: 2 }, { cutResponseAfter: 9_000 })),
  pull('a download that is cut three times', one({ ...BLOB, times: 3 }, { cutResponseAfter: 9_000 })),
  pull('a download whose answer is lost', one(BLOB, { lostAnswer: true })),
  pull('a download that is not answered', one(BLOB, { hang: true }), { slow: true }),
  pull('503, downloading', one(BLOB, { status: 503 })),
  pull('429 with Retry-After, downloading', one(BLOB, { status: 429, headers: { 'retry-after': '1' } })),
  pull('a blob that is too short', one(BLOB, { truncateTo: 5_000 }), { expect: 'either' }),
  pull('a blob with a wrong byte', one(BLOB, { damaged: true }), { expect: 'either' }),
  pull('a blob that is wrong every time', one({ ...BLOB, ...ALWAYS }, { damaged: true }), { expect: 'error' }),
  pull('a blob that is wrong under a header that says so', one({ ...BLOB, ...ALWAYS }, WRONG), { expect: 'either' }),
  pull('a blob that is not there', one({ ...BLOB, ...ALWAYS }, { status: 404 }), { expect: 'error' }),
  pull('a token that ends before a download', one({ ...BLOB, nth: 2 }, { expireTokens: true })),
  pull('a manifest that is cut', one(MANIFEST, { cutResponseAfter: 50 })),
  pull('a manifest that is too short', one(MANIFEST, { truncateTo: 50 }), { expect: 'either' }),
  pull('a manifest with a wrong byte', one({ ...MANIFEST, nth: 2 }, { damaged: true }), { expect: 'either' }),
  pull('manifests that are wrong every time', one({ ...MANIFEST, ...ALWAYS }, { damaged: true }), { expect: 'error' }),
  pull('500, reading a manifest', one(ANY_MANIFEST, { status: 500 })),
  pull('a lost answer, reading a manifest', one(ANY_MANIFEST, { lostAnswer: true })),
  pull('another digest than that of the manifest, by HEAD', one(HEAD, WRONG), { expect: 'either' }),
  pull('another digest than that of the manifest, by GET', one(MANIFEST, WRONG), { expect: 'either' }),
  pull('no digests in headers', [], { options: { digestHeader: false } }),
  pull('a tag that moves while it is read', one({ ...ANY_MANIFEST, nth: 2 }, { moveTag: 'v1' }), { expect: 'done' }),
  pull('a tag that is sent on to another origin', one(MANIFEST, { redirect: 'elsewhere' }), { expect: 'either' }),
  pull('downloads from another origin that are cut', one({ ...BLOB, nth: 2 }, { lostAnswer: true }), {
    options: { blobsElsewhere: true },
  }),
  pull('a tag that there is not', one({ ...ANY_MANIFEST, ...ALWAYS }, { status: 404 }), { expect: 'error' }),
  pull('a wrong password, reading', [], { stranger: true, expect: 'error' }),
  {
    name: 'a copy whose source is cut',
    ...{ personality: 'spec', job: 'copy', expect: 'done' },
    troubles: [{ at: 'source', match: { ...BLOB, times: 2 }, fault: { cutResponseAfter: 9_000 } }],
  },
  {
    name: 'a copy whose source is damaged',
    ...{ personality: 'spec', job: 'copy', expect: 'error' },
    troubles: [{ at: 'source', match: { ...BLOB, ...ALWAYS }, fault: { damaged: true } }],
  },
  {
    name: 'a copy whose source and target are cut',
    ...{ personality: 'spec', job: 'copy', expect: 'done' },
    troubles: [
      { at: 'source', match: { ...BLOB, times: 2 }, fault: { cutResponseAfter: 9_000 } },
      { match: { path: /[/]blobs[/]uploads[/][^/?]+/, times: 2 }, fault: { cutRequestAfter: 5_000 } },
    ],
  },
]
