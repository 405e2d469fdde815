import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from '../src/http/client.ts'
import { InputError } from '../src/errors.ts'
import { parseSigning, type SigningRequest } from '../src/publish/parse-signing.ts'
import type { FieldValues } from '../src/publish/fields.ts'
import { generateCosignKeyPair } from '../src/sign/generate-key-pair.ts'
import { signingDeps } from '../src/wire-signing.ts'
import { tempDir } from './layer/temp-dir.ts'
import { pem, someKeys } from './sign/some-keys.ts'
import { startSigstore } from './support/sigstore/start-sigstore.ts'

function requestOf(values: FieldValues): SigningRequest {
  const { request, problems } = parseSigning(values)
  if (!request || problems.length > 0) throw new InputError(problems)
  return request
}

interface Wired extends AsyncDisposable {
  readonly deps: ReturnType<typeof signingDeps>
  readonly notices: readonly string[]
  readonly secrets: readonly string[]
}

function wired(env: NodeJS.ProcessEnv = {}): Wired {
  const transport = createTransport({ version: '0' })
  const [notices, secrets]: [string[], string[]] = [[], []]
  const onSecret = (secret: string): void => void secrets.push(secret)
  const deps = signingDeps({
    ...{ env, onSecret, aws: { transport, env, onSecret }, bundleFile: undefined, trustedRoot: undefined },
    onNotice: text => void notices.push(text),
    tempDir: '/nowhere',
  })
  return { deps, notices, secrets, [Symbol.asyncDispose]: () => transport.close() }
}

describe('a key', () => {
  test.each(someKeys().map(key => [key.name, key] as const))(
    'of %s signs without any service',
    async (_name, { privateKey, publicKey }) => {
      await using wire = wired()
      const [means] = await wire.deps.openMeans(requestOf({ sign: 'key', 'sign-key': pem(privateKey) }), {})
      expect(means).toMatchObject({ title: 'sign-key', trustedRoot: 'given', verifiedBy: { key: 'cosign.pub' } })
      expect(means?.witnesses).toEqual({ log: undefined, timestamp: undefined })
      const { by } = (await means?.identity({})) ?? { by: undefined }
      expect(by?.publicKey?.equals(publicKey)).toBe(true)
    },
  )

  test.each([
    ['keys/release.key', 'the key ', 'release.pub'],
    ['release.pem', 'sign-key', 'cosign.pub'],
  ])('at %s has its public half where cosign puts it', async (name, title, pub) => {
    using dir = tempDir()
    dir.put({ 'keys/x': '' })
    const path = join(dir.path, name)
    const [key] = someKeys()
    writeFileSync(path, key ? pem(key.privateKey) : '')
    await using wire = wired()
    const [means] = await wire.deps.openMeans(requestOf({ sign: 'key', 'sign-key': path }), {})
    expect(means?.title.startsWith(title)).toBe(true)
    expect(means?.verifiedBy?.key.endsWith(pub)).toBe(true)
  })

  test('with a log of its own is not believed without a trusted root, so no command is made', async () => {
    await using wire = wired()
    const [key] = someKeys()
    const values = { sign: 'key', 'sign-key': key ? pem(key.privateKey) : '', 'rekor-url': 'https://rekor.example.com' }
    const trust = async (more: FieldValues) => (await wire.deps.openMeans(requestOf({ ...values, ...more }), {}))[0]
    expect((await trust({}))?.trustedRoot).toBe('unknown')
    expect((await trust({ 'trusted-root': 'root.json' }))?.trustedRoot).toBe('given')
    expect((await trust({}))?.witnesses.log?.version).toBe(1)
  })

  test('and its password are hidden before the key is read, right or wrong', async () => {
    await using wire = wired()
    const { privateKey } = await generateCosignKeyPair({ passphrase: 'right' })
    const request = requestOf({ sign: 'key', 'sign-key': privateKey, 'sign-password': 'mistyped' })
    await expect(wire.deps.openMeans(request, {})).rejects.toThrow(InputError)
    expect(wire.secrets).toEqual([privateKey.trim(), 'mistyped'])
  })
})

test('every way that fails is told, and not only the first', async () => {
  await using wire = wired()
  const request = requestOf({ sign: 'key, keyless', 'sign-key': 'none.key' })
  const error: unknown = await wire.deps.openMeans(request, {}).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ problems: [{ input: 'sign-key' }, { input: 'sign' }] })
})

describe('an identity', () => {
  test.each([
    ['public', 'public-good', []],
    [undefined, 'public-good', []],
    ['private', 'unknown', []],
    ['internal', 'unknown', []],
  ])('of a repository that is %s is certified where it does not become public', async (visibility, root, notices) => {
    await using sigstore = await startSigstore()
    const token = sigstore.token(visibility === undefined ? {} : { repository_visibility: visibility })
    await using wire = wired({ SIGSTORE_ID_TOKEN: token })
    const [means] = await wire.deps.openMeans(requestOf({ sign: 'keyless' }), {})
    expect(means?.trustedRoot).toBe(root)
    expect(means?.witnesses.log === undefined).toBe(root === 'unknown')
    expect(wire.notices).toEqual(notices)
    expect(wire.secrets).toEqual([token])
    expect(sigstore.requests).toEqual([]) // no certificate before there is something to sign
  })

  test('of a private repository that asks for the public log is told what that shows', async () => {
    await using sigstore = await startSigstore()
    await using wire = wired({ SIGSTORE_ID_TOKEN: sigstore.token({ repository_visibility: 'private' }) })
    await wire.deps.openMeans(requestOf({ sign: 'keyless', sigstore: 'public-good' }), {})
    expect(wire.notices).toEqual([
      expect.stringMatching(/^the public log will show the names of this private repository/),
    ])
  })

  test('has one certificate for all that it signs', async () => {
    await using sigstore = await startSigstore()
    await using wire = wired(sigstore.oidcEnv)
    const values = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile }
    const [means] = await wire.deps.openMeans(requestOf(values), {})
    const all = await Promise.all([means?.identity({}), means?.identity({}), means?.identity({})])
    expect(new Set(all.map(one => one?.by))).toHaveProperty('size', 1)
    expect(sigstore.requests.map(({ service }) => service)).toEqual(['oidc', 'fulcio'])
  })
})

test('a public key is read from a file, a variable, or its own text', async () => {
  using dir = tempDir()
  const [key] = someKeys()
  const text = key ? pem(key.publicKey) : ''
  dir.put({ 'cosign.pub': text })
  await using wire = wired({ BASE_KEY: text })
  for (const given of [join(dir.path, 'cosign.pub'), 'env://BASE_KEY', text]) {
    expect((await wire.deps.readPublicKey(given, {})).equals(key?.publicKey ?? ({} as never))).toBe(true)
  }
})
