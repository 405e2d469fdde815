import { ecrCredentials } from '../../src/cloud/ecr.ts'
import { OciPublishError } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository, type RegistryRepository } from '../../src/registry/registry.ts'
import { blobOf } from '../registry/client.ts'
import { scripted, type Said, type ScriptedTransport, type Seen } from '../registry/scripted.ts'
import { fakeEcr, tokenFor, type FakeEcr } from './fake-ecr.ts'

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const PUBLIC = 'public.ecr.aws'
const HOURS_MS = 12 * 3_600_000
const EXPIRED = JSON.stringify({
  errors: [{ code: 'DENIED', message: 'Your authorization token has expired. Reauthenticate and try again.' }],
})
const DENIED = JSON.stringify({
  errors: [{ code: 'DENIED', message: 'User: arn:aws:sts::1:x is not authorized to perform: ecr:PutImage' }],
})
const challenge: Said = { status: 401, headers: { 'www-authenticate': `Basic realm="https://${HOST}/"` } }
const blob = blobOf(new TextEncoder().encode('layer'))

interface Push {
  readonly to: RegistryRepository
  readonly transport: ScriptedTransport
  readonly api: FakeEcr
  /** Passwords by which something was asked, in order. */
  readonly shown: () => readonly (string | undefined)[]
}

interface Ecr {
  /** What a token is answered that is not, or no more, the right one. */
  readonly refuse: Said
  /** Requests that the first token is good for. */
  readonly good?: number
  /** Whether AWS has another token than the first. */
  readonly renews?: boolean
}

/** A registry of ECR that takes `secret-1` for so many requests and `secret-2` from then on, and stores one blob. */
function ecr({ refuse, good = 0, renews = true }: Ecr): Push {
  let [shownFirst, stored, made] = [0, false, 0]
  const transport = scripted(request => {
    const password = passwordOf(request)
    if (password === undefined) return challenge
    if (password === 'secret-1' && ++shownFirst > good) return request.method === 'HEAD' ? bodiless(refuse) : refuse
    switch (request.method) {
      case 'HEAD':
        return stored ? { status: 200, headers: { 'content-length': '5' } } : { status: 404 }
      case 'POST':
        return { status: 202, headers: { location: `https://${HOST}/v2/team/app/blobs/uploads/1` } }
      default:
        stored = true
        return { status: 201, headers: { 'docker-content-digest': digestOf(request.body ?? new Uint8Array()) } }
    }
  })
  const api = fakeEcr({
    token: () => {
      made++
      return Promise.resolve(tokenFor(`secret-${renews ? made : 1}`, HOURS_MS))
    },
  })
  const credentials = ecrCredentials({
    open: () => Promise.resolve(api),
    hasIdentity: () => Promise.resolve(true),
    onSecret: () => undefined,
    now: () => 0,
  })
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([credentials]) })
  const to = openRepository({ host: HOST, repository: 'team/app' }, { hosts, side: 'target' })
  return { to, transport, api, shown: () => transport.seen.map(passwordOf) }
}

function passwordOf({ headers }: Seen): string | undefined {
  const [, encoded = ''] = (headers['authorization'] ?? '').split(' ')
  return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8').replace('AWS:', '')
}

const bodiless = (said: Said): Said => ({ ...said, body: '' })

describe('a push goes on with another token when the first is over', () => {
  test.each<[string, Said]>([
    ['with 403 and the words of ECR', { status: 403, body: EXPIRED }],
    ['with 401', challenge],
    ['with 401 and no challenge', { status: 401, body: EXPIRED }],
  ])('%s', async (_how, refuse) => {
    // HEAD, POST with the first token; the layer itself is refused.
    const { to, transport, api, shown } = ecr({ refuse, good: 2 })
    await to.push(blob)
    expect(transport.seen.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'POST', 'PUT', 'PUT'])
    expect(shown()).toEqual([undefined, 'secret-1', 'secret-1', 'secret-1', 'secret-2'])
    expect(transport.seen.at(-1)?.body).toEqual(new TextEncoder().encode('layer'))
    expect(api.asked).toEqual(['token', 'token'])
  })

  test('which a HEAD is told without a word', async () => {
    const { to, shown, api } = ecr({ refuse: { status: 403, body: EXPIRED } })
    await to.push(blob)
    expect(shown()).toEqual([undefined, 'secret-1', 'secret-2', 'secret-2', 'secret-2'])
    expect(api.asked).toEqual(['token', 'token'])
  })

  test('once for all layers that are under way', async () => {
    const { to, api, shown } = ecr({ refuse: { status: 403, body: EXPIRED }, good: 8 })
    const blobs = Array.from({ length: 6 }, (_, i) => blobOf(new TextEncoder().encode(`layer ${i}`)))
    await Promise.all(blobs.map(one => to.push(one)))
    expect(api.asked).toEqual(['token', 'token'])
    expect(new Set(shown())).toEqual(new Set([undefined, 'secret-1', 'secret-2']))
  })
})

test('a refusal is final, and sent once, when AWS has no other token', async () => {
  const { to, transport, api } = ecr({ refuse: { status: 403, body: EXPIRED }, good: 2, renews: false })
  await expect(to.push(blob)).rejects.toMatchObject({
    hint: expect.stringContaining('the token of ECR is valid for twelve hours') as string,
  })
  expect(transport.seen.filter(({ method }) => method === 'PUT')).toHaveLength(1)
  expect(api.asked).toEqual(['token', 'token'])
})

test('a right that the role lacks is told as it is, and AWS is not asked for a token because of it', async () => {
  const { to, transport, api } = ecr({ refuse: { status: 403, body: DENIED }, good: 2 })
  const error = await to.push(blob).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OciPublishError)
  expect((error as Error).message).toContain('is not authorized to perform: ecr:PutImage')
  expect(transport.seen.filter(({ method }) => method === 'PUT')).toHaveLength(1)
  expect(api.asked).toEqual(['token'])
})

test("ECR Public's token service is shown another token when the first is over", async () => {
  let made = 0
  const api = fakeEcr({ token: () => Promise.resolve(tokenFor(`secret-${++made}`, HOURS_MS)) })
  const transport = scripted(request => {
    if (new URL(request.url).pathname === '/token/') {
      return passwordOf(request) === 'secret-1' ? { status: 401 } : { status: 200, body: '{"token":"t"}' }
    }
    if (request.headers['authorization'] === 'Bearer t') return { status: 200, headers: { 'content-length': '5' } }
    return {
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="https://${PUBLIC}/token/",service="${PUBLIC}"` },
    }
  })
  const credentials = ecrCredentials({
    open: () => Promise.resolve(api),
    hasIdentity: () => Promise.resolve(true),
    onSecret: () => undefined,
    now: () => 0,
  })
  const hosts = new RegistryHosts({ transport, credentials })
  await openRepository({ host: PUBLIC, repository: 'alias/app' }, { hosts, side: 'target' }).push(blob)
  expect(api.asked).toEqual(['token', 'token'])
})
