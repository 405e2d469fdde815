import { generateKeyPairSync } from 'node:crypto'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { InputError, messageOf } from '../../src/errors.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { onBase, pushOs, putProject, writes } from './project.ts'
import { byKey, keyless, putKey, refusal, type KeyFiles } from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

interface Shop extends AsyncDisposable {
  readonly registry: SpecRegistry
  readonly workshop: Workshop
  readonly key: KeyFiles
  readonly base: string
}

/** A project, and `base/os:1` that nobody has signed yet. */
async function openShop(): Promise<Shop> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startSpecRegistry())
  const workshop = stack.use(openWorkshop())
  putProject(workshop)
  await pushOs(registry)
  const opened = stack.move()
  const key = putKey(workshop)
  const base = `${registry.host}/base/os:1`
  return { registry, workshop, key, base, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

test('a base that is signed by the key is built on, by the digest that was verified', async () => {
  await using shop = await openShop()
  const { registry, workshop, key, base } = shop
  const { report: signed } = await workshop.sign({ reference: base }, byKey(key))
  const { report, events } = await workshop.publish(onBase(registry, undefined, { 'verify-base': `key=${key.pub}` }))
  expect(report.base).toEqual({ name: base, digest: signed.root.digest })
  const told = events.flatMap(event => (event.type === 'notice' ? event.text : []))
  expect(told).toContainEqual(
    expect.stringMatching(`^${RegExp.escape(`${base} at ${signed.root.digest} is signed by the key `)}`),
  )
})

test('a base that is signed in the older form is built on', async () => {
  await using shop = await openShop()
  const { registry, workshop, key, base } = shop
  await workshop.sign({ reference: base }, byKey(key, { 'signature-format': 'legacy' }))
  const values = onBase(registry, undefined, { 'verify-base': key.pub })
  await expect(workshop.publish(values)).resolves.toBeDefined()
})

test('a base that is signed by an identity is built on, and who that is, is told', async () => {
  await using shop = await openShop()
  await using sigstore = await startSigstore()
  const { registry, workshop, base } = shop
  await workshop.sign({ reference: base }, keyless(sigstore), { env: sigstore.oidcEnv })
  const who = `identity=https://github.com/${WORKFLOW},issuer=${GITHUB_ISSUER}`
  const values = onBase(registry, undefined, { 'verify-base': who, 'trusted-root': sigstore.trustedRootFile })
  const { events } = await workshop.publish(values)
  const told = events.flatMap(event => (event.type === 'notice' ? event.text : []))
  expect(told).toContainEqual(
    expect.stringContaining(` is signed by https://github.com/${WORKFLOW} (issuer ${GITHUB_ISSUER})`),
  )
})

test('of several whom the user trusts, one is enough', async () => {
  await using shop = await openShop()
  const { registry, workshop, key, base } = shop
  const other = putKey(workshop, 'other')
  await workshop.sign({ reference: base }, byKey(key))
  const values = onBase(registry, undefined, { 'verify-base': `key=${other.pub}\nkey=${key.pub}` })
  await expect(workshop.publish(values)).resolves.toBeDefined()
})

describe('before anything is built or sent, a base is refused that', () => {
  /** Content of the base was not read, nothing was written. */
  function expectUntouched({ registry }: Shop, mark: number): void {
    expect(writes(registry, mark)).toEqual([])
    const blobs = registry.requests.slice(mark).filter(({ path }) => path.includes('/base/os/blobs/'))
    expect(blobs).toEqual([])
  }

  test('nobody has signed; how to sign it is told', async () => {
    await using shop = await openShop()
    const mark = shop.registry.requests.length
    const values = onBase(shop.registry, undefined, { 'verify-base': `key=${shop.key.pub}` })
    const error = await refusal(shop.workshop.publish(values))
    expect(error).toMatchObject({ code: 'NOT_SIGNED', hint: expect.stringContaining('oci-publish sign ') as string })
    expect(messageOf(error)).toMatch(/\/base\/os@sha256:\w+ is not signed: no bundle /)
    expectUntouched(shop, mark)
  })

  test('somebody else has signed', async () => {
    await using shop = await openShop()
    const { registry, workshop, key, base } = shop
    await workshop.sign({ reference: base }, byKey(putKey(workshop, 'other')))
    const mark = registry.requests.length
    const error = await refusal(workshop.publish(onBase(registry, undefined, { 'verify-base': `key=${key.pub}` })))
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(messageOf(error)).toMatch(/\/base\/os@sha256:\w+: no signature of it is to be trusted: /)
    expect(registry.requests.slice(mark).filter(({ method }) => method === 'PUT')).toEqual([])
    expect(writes(registry, mark)).toEqual([])
  })

  test('is only attested by the key', async () => {
    await using shop = await openShop()
    const { registry, workshop, key, base } = shop
    workshop.put({ 'scan.json': '{"scanner": {}}' })
    const predicate = { 'predicate-type': 'vuln', 'predicate-path': `${workshop.context}/scan.json` }
    await workshop.sign({ reference: base, signature: false }, byKey(key, predicate))
    const error = await refusal(workshop.publish(onBase(registry, undefined, { 'verify-base': `key=${key.pub}` })))
    expect(error).toMatchObject({ code: 'NOT_SIGNED' })
    expect(messageOf(error)).toContain('others state https://cosign.sigstore.dev/attestation/vuln/v1')
  })

  test('has annotations other than those that are asked for', async () => {
    await using shop = await openShop()
    const { registry, workshop, key, base } = shop
    await workshop.sign({ reference: base }, byKey(key, { 'sign-annotations': 'stage=test' }))
    const policy = (stage: string) =>
      onBase(registry, undefined, { 'verify-base': `key=${key.pub},annotation=stage=${stage}` })
    await expect(workshop.publish(policy('test'))).resolves.toBeDefined()
    expect(await refusal(workshop.publish(policy('production')))).toMatchObject({ code: 'VERIFICATION_FAILED' })
  })
})

test('a tag that moves once it is verified changes nothing: what was verified is built on', async () => {
  await using shop = await openShop()
  const { registry, workshop, key, base } = shop
  const { report: signed } = await workshop.sign({ reference: base }, byKey(key))
  // Somebody points the tag at another image while the signatures are looked at.
  registry.fail({ method: 'GET', path: '/base/os/referrers/' }, { moveTag: '1' })
  const { report } = await workshop.publish(onBase(registry, undefined, { 'verify-base': `key=${key.pub}` }))
  expect(report.base?.digest).toBe(signed.root.digest)
  expect(registry.tags('base/os').get('1')).not.toBe(signed.root.digest)
})

test.each<[what: string, line: string, says: RegExp]>([
  ['a word that is none', 'signer=me', /^verify-base: "signer=me": unknown key "signer"; known are key, identity/],
  ['an identity without its issuer', 'identity=a@example.com', /^verify-base: .*issuer is missing: without it/],
  ['an issuer without an identity', `issuer=${GITHUB_ISSUER}`, /^verify-base: .*identity is missing: without it/],
])('%s is refused before any registry is asked', async (_what, line, says) => {
  await using shop = await openShop()
  const mark = shop.registry.requests.length
  const error = await refusal(shop.workshop.publish(onBase(shop.registry, undefined, { 'verify-base': line })))
  expect(error).toBeInstanceOf(InputError)
  expect(messageOf(error)).toMatch(says)
  expect(shop.registry.requests.slice(mark)).toEqual([])
})

test('a public key that is none is told with what it is', async () => {
  await using shop = await openShop()
  const { registry, workshop, base, key } = shop
  await workshop.sign({ reference: base }, byKey(key))
  const pem = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const values = onBase(registry, undefined, { 'verify-base': 'key=env://BASE_KEY' })
  const mark = registry.requests.length
  const error = await refusal(workshop.publish(values, { env: { BASE_KEY: pem } }))
  expect(messageOf(error)).toContain('is an X25519 key, which agrees on secrets')
  expect(writes(registry, mark)).toEqual([])
})
