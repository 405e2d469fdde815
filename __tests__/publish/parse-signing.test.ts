import fc from 'fast-check'
import type { FieldValues } from '../../src/publish/fields.ts'
import { parseSigning } from '../../src/publish/parse-signing.ts'

const KEY = { 'sign-key': 'cosign.key' }
const KEYLESS = { sign: 'keyless' }

function problemsOf(values: FieldValues): readonly string[] {
  return parseSigning(values).problems.map(({ input, problem, hint }) =>
    [`${input}: ${problem}`, ...(hint === undefined ? [] : [hint])].join(' -> '),
  )
}

test.each<[what: string, values: FieldValues, ways: readonly string[]]>([
  ['the identity of the job', KEYLESS, ['keyless']],
  ['a key alone, which says that it is to be signed with', KEY, ['key']],
  ['a key that is asked for', { sign: 'key', ...KEY }, ['key']],
  ['a key of KMS', { sign: 'awskms:///alias/release' }, ['awskms:///alias/release']],
  ['several, each once', { sign: 'keyless, key\nkeyless', ...KEY }, ['keyless', 'key']],
])('signs with %s', (_what, values, ways) => {
  const { request, problems } = parseSigning(values)
  expect(problems).toEqual([])
  expect(request?.with).toEqual(ways)
})

test.each<[what: string, values: FieldValues]>([
  ['nothing is asked for', {}],
  ...['false', 'none', 'no', 'off', 'False'].map((word): [string, FieldValues] => [
    `sign is "${word}"`,
    { sign: word },
  ]),
  ['sign is false, though there is a key, as a matrix of jobs has it', { sign: 'false', ...KEY }],
])('nothing is signed where %s', (_what, values) => {
  expect(parseSigning(values)).toEqual({ request: undefined, problems: [], notices: [] })
})

const NO_SIGNER =
  'is signed, and nothing says what with -> add "sign: keyless", with "permissions: { id-token: write }" in the job, or "sign: key" with sign-key'

test.each<[what: string, values: FieldValues, says: readonly string[]]>([
  [
    'key without a key',
    { sign: 'key' },
    ['sign-key: is missing, and "sign" says key -> set "sign-key: ${{ secrets.COSIGN_PRIVATE_KEY }}", or a path'],
  ],
  [
    'a secret that is empty, as in a pull request from a fork',
    { sign: 'key', 'sign-key': '' },
    ['sign-key: is missing, and "sign" says key -> set "sign-key: ${{ secrets.COSIGN_PRIVATE_KEY }}", or a path'],
  ],
  [
    'a key that nothing signs with',
    { ...KEYLESS, ...KEY },
    ['sign-key: is given, but "sign" says keyless -> add key to "sign", or leave sign-key out'],
  ],
  [
    'a word that is no way to sign, with every other that is not',
    { sign: 'keyles, cosign, key', ...KEY },
    [
      'sign: "keyles" is not keyless, key, or the address of a key such as awskms:///alias/release',
      'sign: "cosign" is not keyless, key, or the address of a key such as awskms:///alias/release',
    ],
  ],
  ['provenance without a signer', { provenance: 'true' }, [`provenance: ${NO_SIGNER}`]],
  [
    'all that is signed without a signer',
    {
      provenance: 'true',
      'github-attestation': 'true',
      'predicate-type': 'vuln',
      'predicate-path': 'scan.json',
      'sign-annotations': 'a=b',
    },
    ['provenance', 'github-attestation', 'predicate-type', 'predicate-path', 'sign-annotations'].map(
      input => `${input}: ${NO_SIGNER}`,
    ),
  ],
  [
    'provenance for Notation, which signs no attestations',
    { provenance: 'true', 'notation-key': 'k', 'notation-chain': 'c' },
    [`provenance: ${NO_SIGNER}`],
  ],
  [
    "nothing for GitHub's store",
    { ...KEYLESS, 'github-attestation': 'true' },
    ['github-attestation: there is nothing to attest -> add "provenance: true"'],
  ],
  [
    'attestations at GitHub by a key, which nobody there verifies',
    { sign: 'key', ...KEY, provenance: 'true', 'github-attestation': 'true' },
    ['github-attestation: GitHub keeps what the identity of a job has signed -> add keyless to "sign"'],
  ],
  [
    'a key of Notation without its chain',
    { 'notation-key': 'k' },
    ['notation-chain: is missing, and notation-key is given: signatures of the Notary Project need both'],
  ],
  [
    'a chain of Notation without its key',
    { 'notation-chain': 'c' },
    ['notation-key: is missing, and notation-chain is given: signatures of the Notary Project need both'],
  ],
  [
    'several things, all of them told at once',
    {
      sign: 'cosing',
      'signature-format': 'old',
      provenance: 'perhaps',
      'sign-annotations': 'a',
      'rekor-version': '3',
      'fulcio-url': 'fulcio.example.com',
      'rekor-url': 'ftp://rekor.example.com',
      'tsa-url': 'javascript:alert(1)',
      sigstore: 'mine',
      'notation-key': 'k',
    },
    [
      'sign: "cosing" is not keyless, key, or the address of a key such as awskms:///alias/release',
      'provenance: "perhaps" is not true or false',
      'signature-format: "old" is not one of bundle, legacy, both',
      `sign-annotations: ${NO_SIGNER}`,
      'notation-chain: is missing, and notation-key is given: signatures of the Notary Project need both',
      'sign-annotations: "a" is not KEY=VALUE',
      'sigstore: "mine" is not one of auto, public-good, github',
      'fulcio-url: "fulcio.example.com" is not an address such as https://sigstore.example.com',
      'rekor-url: "ftp://rekor.example.com" is not an address such as https://sigstore.example.com',
      'rekor-version: "3" is not one of 1, 2',
      'tsa-url: "javascript:alert(1)" is not an address such as https://sigstore.example.com',
    ],
  ],
  [
    'services that a token would be sent to in the clear',
    {
      sign: 'keyless',
      'fulcio-url': 'http://fulcio.example.com:5555',
      'tsa-url': 'http://10.0.0.1/tsa',
      'rekor-url': 'http://127.0.0.1:3000',
    },
    [
      'fulcio-url: "http://fulcio.example.com:5555" would show tokens and signatures to everybody on the way -> use https, or name fulcio.example.com:5555 in plain-http',
      'tsa-url: "http://10.0.0.1/tsa" would show tokens and signatures to everybody on the way -> use https, or name 10.0.0.1 in plain-http',
    ],
  ],
])('refuses %s', (_what, values, says) => {
  expect(problemsOf(values).toSorted()).toEqual(says.toSorted())
})

describe('a signature in the older form alone', () => {
  const legacy = { ...KEYLESS, 'signature-format': 'legacy' }

  test.each<[what: string, more: FieldValues]>([
    ['a provenance', { provenance: 'true' }],
    ['an SBOM', { sbom: 'true' }],
    ['a predicate', { 'predicate-type': 'vuln', 'predicate-path': 'scan.json' }],
  ])('would be ignored beside %s, so there are both, which is told', (_what, more) => {
    const { request, notices } = parseSigning({ ...legacy, ...more })
    expect(request?.format).toBe('both')
    expect(notices).toEqual([expect.stringContaining('signature-format is "both" instead of "legacy": ')])
  })

  test('is what there is where nothing is attested', () => {
    expect(parseSigning(legacy)).toMatchObject({ request: { format: 'legacy' }, notices: [] })
  })
})

test('a password that is empty is one, and differs from none', () => {
  const values = { sign: 'key', ...KEY }
  expect(parseSigning(values).request?.password).toBeUndefined()
  expect(parseSigning({ ...values, 'sign-password': '' }).request?.password).toBe('')
})

test('a key and a password are taken to the letter, lines and spaces and all', () => {
  const key = '-----BEGIN PRIVATE KEY-----\n  #a\n\n-----END PRIVATE KEY-----\n'
  const { request } = parseSigning({ sign: 'key', 'sign-key': key, 'sign-password': ' # x, y ' })
  expect(request).toMatchObject({ key, password: ' # x, y ' })
})

test('annotations may have "=" in their values', () => {
  const { request } = parseSigning({ ...KEYLESS, 'sign-annotations': 'build=1\nurl=https://example.com/?a=b' })
  expect(request?.annotations).toEqual({ build: '1', url: 'https://example.com/?a=b' })
})

test('whatever is typed, it is understood or refused, and no secret is repeated', () => {
  const inputs = ['sign', 'signature-format', 'provenance', 'predicate-type', 'sigstore', 'rekor-version', 'fulcio-url']
  const text = fc.oneof(fc.string(), fc.constantFrom('keyless', 'key', 'true', 'both', '2', 'https://x.example'))
  const typed = fc.dictionary(fc.constantFrom(...inputs), text)
  const secret = fc.stringMatching(/^[a-z]{24}$/)
  fc.assert(
    fc.property(typed, secret, secret, (values, key, password) => {
      const given = { ...values, 'sign-key': key, 'sign-password': password } as FieldValues
      const { request, problems, notices } = parseSigning(given)
      const told = JSON.stringify({ problems, notices })
      expect(told).not.toContain(key)
      expect(told).not.toContain(password)
      const isUnderstood = request !== undefined && request.with.length > 0
      expect(problems.length > 0 || request === undefined || isUnderstood).toBe(true)
      expect(['bundle', 'legacy', 'both']).toContain(request?.format ?? 'bundle')
    }),
  )
})
