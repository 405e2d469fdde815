import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { InputError } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { chainOf } from '../sign/notation/chains.ts'
import { byKey, image, keyless, putApp, putKey, refusal, SIGNATURE } from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

/** The input's problems, a line each, with what to do. */
async function problemsOf(promise: Promise<unknown>): Promise<readonly string[]> {
  const error = await refusal(promise)
  if (!(error instanceof InputError)) throw error
  return error.problems.map(
    ({ input, problem, hint }) => `${input}: ${problem}${hint === undefined ? '' : ` -> ${hint}`}`,
  )
}

/** It is told on one line, and pastes as it is. */
const YAML = 'permissions: { id-token: write, contents: read }'

describe('a request to sign that cannot be carried out is refused before anything is sent', () => {
  const asked: readonly (readonly [what: string, env: NodeJS.ProcessEnv])[] = [
    ['a job without id-token: write', { GITHUB_ACTIONS: 'true' }],
    ['a pull request from a fork', { GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: 'pull_request' }],
    ['a machine of somebody', {}],
  ]
  test.each(asked)('%s, which is told the line to add', async (_what, env) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const [problem, ...more] = await problemsOf(workshop.publish({ ...image(registry), sign: 'keyless' }, { env }))
    expect(more).toEqual([])
    expect(problem).toMatch(
      /^sign: keyless signing needs an identity token: SIGSTORE_ID_TOKEN is not set, and no ID token/,
    )
    expect(problem).toContain(YAML)
    expect(problem).toContain('Pull requests from forks get no token, whatever the workflow says')
    expect(registry.requests).toEqual([])
  })

  test('GitHub that gives no token, whose words are told', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const env = { ...sigstore.oidcEnv, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of another job' }
    const [problem] = await problemsOf(workshop.publish({ ...image(registry), ...keyless(sigstore) }, { env }))
    expect(problem).toMatch(/no ID token of GitHub: 127\.0\.0\.1:\d+ answered 401 -> give the job /)
    expect(problem).not.toContain('of another job')
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, token: (sigstore: LocalSigstore) => string, says: RegExp]>([
    ['no JWT', () => 'not-a-token', /^sign: SIGSTORE_ID_TOKEN: is not a JWT/],
    [
      'for somebody else',
      sigstore => sigstore.token({ aud: 'vault' }),
      /^sign: SIGSTORE_ID_TOKEN: is for "vault", and/,
    ],
    ['expired', sigstore => sigstore.token({ exp: 1 }), /^sign: SIGSTORE_ID_TOKEN: has expired at 1970-/],
  ])('a token that is %s, and it is not repeated', async (_what, tokenOf, says) => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const token = tokenOf(sigstore)
    const env = { SIGSTORE_ID_TOKEN: token }
    const { problems, events } = await told(workshop, { ...image(registry), ...keyless(sigstore) }, env)
    expect(problems).toEqual([expect.stringMatching(says)])
    expect(JSON.stringify([problems, events])).not.toContain(token)
    expect([...registry.requests, ...sigstore.requests]).toEqual([])
  })

  async function told(workshop: Workshop, values: FieldValues, env: NodeJS.ProcessEnv = {}) {
    const events: unknown[] = []
    const problems = await problemsOf(workshop.publish(values, { env, onEvent: event => events.push(event) }))
    return { problems, events }
  }

  test('the wrong password of a key, and neither it nor the key is repeated', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const pair = await generateCosignKeyPair({ passphrase: 'right' })
    const values = { ...image(registry), sign: 'key', 'sign-key': pair.privateKey, 'sign-password': 'mistyped-hunter2' }
    const { problems, events } = await told(workshop, values)
    expect(problems).toEqual([expect.stringMatching(/^sign-key: .*pass/)])
    expect(JSON.stringify([problems, events])).not.toContain('mistyped-hunter2')
    expect(JSON.stringify([problems, events])).not.toContain(pair.privateKey.split('\n')[1])
    expect(registry.requests).toEqual([])
  })

  const pemOf = (key: { export(options: object): string | Buffer }, type: 'pkcs8' | 'spki'): string =>
    key.export({ type, format: 'pem' }).toString()
  const { privateKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const x25519 = generateKeyPairSync('x25519').privateKey
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey

  test.each<[what: string, key: string, says: RegExp]>([
    ['one that agrees on secrets and cannot sign', pemOf(x25519, 'pkcs8'), /^sign-key: is an X25519 key, which agrees/],
    ['one that is too short', pemOf(short, 'pkcs8'), /^sign-key: is an RSA key of 1024 bits, which is too short/],
    ['the public half', pemOf(createPublicKey(own), 'spki'), /^sign-key: .*public/],
    ['no key', 'nothing-of-the-kind', /^sign-key: is neither a key nor a file that can be read \(ENOENT\)/],
    [
      'a variable that is not set',
      'env://COSIGN_PRIVATE_KEY',
      /^sign-key: the environment variable COSIGN_PRIVATE_KEY is/,
    ],
    ['a service that is not known', 'gcpkms://projects/x', /^sign-key: begins with "gcpkms:\/\/", and no key is read/],
  ])('a key that is %s', async (_what, key, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), sign: 'key', 'sign-key': key }
    expect(await problemsOf(workshop.publish(values))).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, more: FieldValues, says: RegExp]>([
    ['a predicate that is not there', { 'predicate-path': 'none.json' }, /^predicate-path: .*none\.json/],
    ['a predicate that is not JSON', { 'predicate-path': 'text.json' }, /^predicate-path: .*text\.json/],
    ['a predicate that is a list', { 'predicate-path': 'list.json' }, /^predicate-path: .*list\.json/],
    [
      'a type that is none',
      { 'predicate-type': 'vulnerable', 'predicate-path': 'fine.json' },
      /^predicate-type: "vulnerable"/,
    ],
    [
      'a type that signatures have',
      { 'predicate-type': SIGNATURE, 'predicate-path': 'fine.json' },
      /^predicate-type: /,
    ],
  ])('%s', async (_what, more, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    for (const [name, text] of [
      ['text.json', 'no JSON'],
      ['list.json', '[]'],
      ['fine.json', '{}'],
    ] as const)
      writeFileSync(workshop.at(name), text)
    const path = workshop.at(String(more['predicate-path']))
    const values = { ...image(registry), ...byKey(putKey(workshop)), 'predicate-type': 'vuln', ...more }
    const problems = await problemsOf(workshop.publish({ ...values, 'predicate-path': path }))
    expect(problems).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test.each<[what: string, more: FieldValues, says: RegExp]>([
    ['a signing config that is not there', { 'signing-config': 'none.json' }, /^signing-config: .*none\.json/],
    ['a signing config that is none', { 'signing-config': '/dev/null' }, /^signing-config: /],
    ['Rekor 2 without an address', { 'rekor-version': '2' }, /^rekor-url: is missing, and "rekor-version" is 2/],
    [
      'an entry of Rekor 2 for the older form',
      { 'rekor-version': '2', 'rekor-url': 'http://127.0.0.1:1', 'signature-format': 'both' },
      /^rekor-version: signatures of the older form cannot hold the entries of Rekor 2/,
    ],
  ])('%s', async (_what, more, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...byKey(putKey(workshop)), ...more }
    expect(await problemsOf(workshop.publish(values))).toEqual([expect.stringMatching(says)])
    expect(registry.requests).toEqual([])
  })

  test("GitHub's store of attestations outside of GitHub, and without a token", async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const more = { 'github-attestation': 'true', provenance: 'true' }
    const values = { ...image(registry), ...keyless(sigstore, more) }
    const env = sigstore.oidcEnv
    expect(await problemsOf(workshop.publish(values, { env }))).toEqual([
      'github-attestation: is for jobs of GitHub Actions: GITHUB_REPOSITORY is not set',
    ])
    expect(await problemsOf(workshop.publish(values, { env: { ...env, GITHUB_REPOSITORY: 'acme/app' } }))).toEqual([
      'github-attestation: needs github-token -> set "github-token: ${{ github.token }}"',
    ])
    expect(registry.requests).toEqual([])
  })

  test('several things, of the image, of keys, of predicates and of attached files, all told at once', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const { chain } = chainOf()
    const values = {
      ...image(registry, { platforms: 'linux/z80', envs: 'A' }),
      sign: 'key, keyless',
      'sign-key': workshop.at('none.key'),
      'predicate-type': 'vuln',
      'predicate-path': workshop.at('none.json'),
      'notation-key': putKey(workshop).key,
      'notation-chain': chain.map(String).join('\n'),
      attach: `${workshop.at('none.txt')}:text/plain,type=application/vnd.example`,
    }
    const problems = await problemsOf(workshop.publish(values))
    const inputs = new Set(problems.map(problem => problem.split(':')[0]))
    expect(inputs).toEqual(
      new Set(['platforms', 'envs', 'sign-key', 'sign', 'predicate-path', 'notation-chain', 'attach']),
    )
    expect(registry.requests).toEqual([])
  })
})
