import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/errors.ts'
import { loadTrustedRoot } from '../../src/sigstore/trusted-roots.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../support/peers.ts'
import { startTufRepository } from '../support/sigstore/tuf-repository.ts'
import { failureOf } from './client.ts'

let work: TemporaryDirectory

beforeEach(async () => {
  work = await temporaryDirectory()
})

afterEach(async () => {
  await work[Symbol.asyncDispose]()
})

const rootOf = (uri: string): unknown => ({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  certificateAuthorities: [{ uri }],
})
const PUBLIC = rootOf('https://fulcio.sigstore.dev')
const GITHUB = rootOf('https://fulcio.githubapp.com')
const OWN = rootOf('https://ca.test')

const fileOf = async (text: string): Promise<string> => {
  const path = join(work.path, 'root.json')
  await writeFile(path, text)
  return path
}

const load = (wishes: Partial<Parameters<typeof loadTrustedRoot>[0]>): ReturnType<typeof loadTrustedRoot> =>
  loadTrustedRoot({ instance: 'own', tempDir: work.path, ...wishes })

describe('of a file', () => {
  test('it is taken as it is, however it is printed', async () => {
    const text = JSON.stringify(OWN, null, 2)
    const path = await fileOf(text)
    const { bytes, where } = await load({ path })
    expect([Buffer.from(bytes).toString(), where]).toEqual([text, `trusted root ${path}`])
  })

  test.each([
    ['public-good', PUBLIC],
    ['github', GITHUB],
    ['own', OWN],
  ] as const)('of the lines that gh writes the one of %s is taken', async (instance, root) => {
    const path = await fileOf(`${[PUBLIC, GITHUB, OWN].map(one => JSON.stringify(one)).join('\n')}\n`)
    const { bytes } = await load({ path, instance })
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(root)
  })

  test('where no line is of the instance, that is said', async () => {
    const path = await fileOf(`${JSON.stringify(PUBLIC)}\n${JSON.stringify(OWN)}\n`)
    expect(await failureOf(load({ path, instance: 'github' }))).toMatchObject({
      code: 'TRUSTED_ROOT_FAILED',
      message: `trusted root ${path}: none of its 2 lines has the certificate authority of github`,
    })
  })

  test('a file that is not there is named', async () => {
    const path = join(work.path, 'missing.json')
    const failure = await failureOf(load({ path }))
    expect(failure).toMatchObject({ code: 'TRUSTED_ROOT_FAILED' })
    expect(messageOf(failure)).toContain(`trusted root ${path}: could not be read: ENOENT`)
  })
})

describe('without a file', () => {
  test.each([
    ['github', "the trusted root of GitHub's own sigstore has to be given", 'gh attestation trusted-root >'],
    ['own', 'the trusted root of a sigstore of your own has to be given', 'cosign trusted-root create'],
  ] as const)('that of %s has to be given, and how is said', async (instance, message, hint) => {
    const failure = await failureOf(load({ instance }))
    expect(failure).toMatchObject({ code: 'TRUSTED_ROOT_FAILED', message })
    expect(failure).toMatchObject({ hint: expect.stringContaining(hint) as unknown })
  })

  test('it comes from a signed repository', async () => {
    await using tuf = await startTufRepository(OWN)
    const { bytes, where } = await load({ tuf })
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(OWN)
    expect(where).toBe(`trusted root of ${new URL(tuf.url).host}`)
  })

  test('a root that somebody left where ours would lie is no anchor of trust', async () => {
    await using tuf = await startTufRepository(OWN)
    await using evil = await startTufRepository(rootOf('https://ca.evil'))
    const name = encodeURIComponent(new URL(evil.url).host)
    for (const place of [work.path, join(work.path, 'sigstore'), join(work.path, 'tuf-')]) {
      await mkdir(join(place, name, 'targets'), { recursive: true })
      await copyFile(evil.rootPath, join(place, name, 'root.json'))
    }
    const failure = await failureOf(load({ tuf: { url: evil.url, rootPath: tuf.rootPath } }))
    expect(messageOf(failure)).toMatch(/^could not get the trusted root of .*: timestamp was signed by 0\/1 keys$/)
  })

  test('nobody waits for a repository that does not answer once the run is stopped', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await using tuf = await startTufRepository(OWN)
    const { port } = server.address() as AddressInfo
    const [stopped, reason] = [new AbortController(), new Error('enough')]
    server.once('request', () => {
      stopped.abort(reason)
    })
    const wishes = { instance: 'own', tempDir: work.path, tuf: { ...tuf, url: `http://127.0.0.1:${port}` } } as const
    await expect(loadTrustedRoot(wishes, stopped)).rejects.toBe(reason)
    server.close()
    server.closeAllConnections()
  })

  test('its directory is for nobody else, and another one each time', async () => {
    await using tuf = await startTufRepository(OWN)
    await load({ tuf })
    await load({ tuf })
    const names = (await readdir(work.path)).filter(one => one.startsWith('tuf-'))
    expect(names).toHaveLength(2)
    for (const name of names) expect((await stat(join(work.path, name))).mode & 0o777).toBe(0o700)
  })

  test('one that was tampered with is not believed', async () => {
    await using tuf = await startTufRepository(OWN)
    const [path = ''] = [...tuf.files.keys()].filter(one => one.startsWith('/targets/'))
    const bytes = tuf.files.get(path) ?? Buffer.alloc(0)
    tuf.files.set(path, Buffer.from(bytes.toString().replace('ca.test', 'ca.evil')))
    const failure = await failureOf(load({ tuf }))
    expect(failure).toMatchObject({ code: 'TRUSTED_ROOT_FAILED' })
    expect(messageOf(failure)).toContain(`could not get the trusted root of ${new URL(tuf.url).host}: `)
  })

  test('one that others have signed is not believed', async () => {
    await using tuf = await startTufRepository(OWN)
    await using other = await startTufRepository(OWN)
    const failure = await failureOf(load({ tuf: { url: tuf.url, rootPath: other.rootPath } }))
    expect(messageOf(failure)).toMatch(/^could not get the trusted root of .*: timestamp was signed by 0\/1 keys$/)
  })

  test('a repository that is down is named, with what to do instead', async () => {
    const tuf = await startTufRepository(OWN)
    const { url } = tuf
    await using root = await startTufRepository(OWN)
    await tuf[Symbol.asyncDispose]()
    const failure = await failureOf(load({ tuf: { url, rootPath: root.rootPath } }))
    expect(messageOf(failure)).toContain(`could not get the trusted root of ${new URL(url).host}: `)
    expect(failure).toMatchObject({ hint: expect.stringContaining('name a file in "trusted-root"') as unknown })
  })
})
