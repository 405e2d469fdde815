import fc from 'fast-check'
import { checkPolicy, parsePolicies, parsePolicy } from '../../src/sign/policy.ts'
import { SIGNATURE_PREDICATE } from '../../src/sign/statement.ts'
import { fits, wantedPattern, wantedText } from '../../src/sign/wanted.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const NOTHING = { predicateType: undefined, annotations: {}, trustedRoot: undefined }

test.each([
  ['cosign.pub', { key: 'cosign.pub', ...NOTHING }],
  ['key=keys/team.pem', { key: 'keys/team.pem', ...NOTHING }],
  ['key=env://PUBLIC_KEY', { key: 'env://PUBLIC_KEY', ...NOTHING }],
  ['key=awskms:///alias/release', { key: 'awskms:///alias/release', ...NOTHING }],
  [
    'key="a,b.pub",predicate-type=slsaprovenance1,annotation=env=prod,annotation="note=a, b",trusted-root=root.json',
    {
      key: 'a,b.pub',
      predicateType: 'https://slsa.dev/provenance/v1',
      annotations: { env: 'prod', note: 'a, b' },
      trustedRoot: 'root.json',
    },
  ],
  ['keys/a.pub, predicate-type=signature', { key: 'keys/a.pub', ...NOTHING, predicateType: SIGNATURE_PREDICATE }],
  [
    `identity=me@example.com,issuer=${GITHUB},predicate-type=https://example.com/p/v1`,
    {
      identity: { text: 'me@example.com', pattern: undefined },
      issuer: { text: GITHUB, pattern: undefined },
      ...NOTHING,
      predicateType: 'https://example.com/p/v1',
    },
  ],
  [
    String.raw`identity-regexp="https://github\.com/a/.{1,9}",issuer-regexp=https://[a-z.]+`,
    {
      identity: { text: String.raw`https://github\.com/a/.{1,9}`, pattern: /^(?:https:\/\/github\.com\/a\/.{1,9})$/ },
      issuer: { text: 'https://[a-z.]+', pattern: /^(?:https:\/\/[a-z.]+)$/ },
      ...NOTHING,
    },
  ],
])('%s says whom to trust', (line, policy) => {
  expect(parsePolicy(line, 'verify')).toEqual({ policy, problems: [] })
})

test.each([
  ['', ['"" is not KEY=VALUE', 'key is missing: say whom to trust, by a public key such as cosign.pub']],
  ['key="a', ['a quote is not closed, or text follows it']],
  ['identity=a', ['issuer is missing: without it, whoever issues that name to anybody is believed']],
  ['issuer=a', ['identity is missing: without it, everybody with an account there is believed']],
  ['trusted-root=r.json', ['key is missing: say whom to trust, by a public key such as cosign.pub']],
  ['key=a.pub,identity=b', ['key cannot be had besides an identity: a signature is by one or the other']],
  ['key=a.pub,key=b.pub,trusted-root=', ['key is given twice', 'trusted-root is empty']],
  ['key=gcpkms://x', ['key "gcpkms://" is not known; a key is a path, env://NAME or awskms://…']],
  [
    'key=a,certificate=b,c',
    [expect.stringMatching(/^unknown key "certificate"; known are key, /), '"c" is not KEY=VALUE'],
  ],
  [
    'identity=a,identity-regexp=b,issuer=c,predicate-type=slsa,annotation=x,annotation=y=1,annotation=y=2',
    [
      'identity-regexp cannot be had besides identity',
      expect.stringMatching(/^predicate-type "slsa" is neither a URI nor one of signature, slsaprovenance, /),
      'annotation "x" is not KEY=VALUE',
      'annotation "y" is given twice',
    ],
  ],
  ['identity-regexp=(,issuer=a', [expect.stringMatching(/^identity-regexp "\(" is not a regular expression: /)]],
])('everything that is wrong with %s is told at once', (line, problems) => {
  const parsed = parsePolicy(line, 'verify-base')
  expect(parsed.policy).toBeUndefined()
  expect(new Set(parsed.problems.map(({ input }) => input))).toEqual(new Set(['verify-base']))
  const said = parsed.problems.map(({ problem }) => problem.slice(`"${line}": `.length))
  expect(said).toEqual(problems)
})

test('whoever names no issuer is told the one that GitHub has', () => {
  expect(checkPolicy({ identity: ['a'] }).problems[0]?.hint).toBe(`GitHub's is ${GITHUB}`)
})

test('of several lines all are read, and all problems', () => {
  expect(parsePolicies(['a.pub', 'b.pub'], 'verify')).toMatchObject({
    policies: [{ key: 'a.pub' }, { key: 'b.pub' }],
    problems: [],
  })
  expect(parsePolicies(['a.pub', 'x', 'y'], 'verify')).toMatchObject({ problems: { length: 4 } })
})

test.each([
  ['https://github.com/team/app', 'https://github.com/team/app', true],
  ['https://github.com/team/.*', 'https://github.com/team/app', true],
  ['team', 'https://github.com/team/app', false],
  ['https://github.com/team/.*', 'https://evil.example/?https://github.com/team/app', false],
  ['a|b', 'ab', false],
  ['a|b', 'b', true],
  ['a', 'a\n', false],
  ['a', 'b\na', false],
  ['^a$', 'a', true],
])('the pattern %j is for the whole text: %j fits %j', (pattern, text, expected) => {
  expect(fits(wantedPattern(pattern), text)).toBe(expected)
})

test('a pattern cannot break out of its anchors', () => {
  expect(() => wantedPattern('a)|(?:.*')).toThrow('is not a regular expression')
})

test('a text without a pattern fits itself and nothing else', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (wanted, given) => {
      expect(fits(wantedText(wanted), given)).toBe(wanted === given)
      expect(fits(wantedText(wanted), wanted)).toBe(true)
    }),
  )
})
