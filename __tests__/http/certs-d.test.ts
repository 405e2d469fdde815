import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { certificateFolders, readCertificates } from '../../src/http/certs-d.ts'
import { createTransport } from '../../src/http/client.ts'
import { startFaultServer } from '../support/fault-server.ts'
import { TLS_IDENTITY } from '../support/tls-identity.ts'

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'certs-d-'))
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
}

const folders = (): readonly string[] => [join(root, 'home'), join(root, 'etc')]
const read = (url: string): ReturnType<typeof readCertificates> => readCertificates(folders(), new URL(url))

describe('readCertificates()', () => {
  test('finds nothing where there is nothing, which is the rule', () => {
    expect(read('https://reg.example.com/')).toEqual({ ca: [], client: [] })
  })

  test('trusts the authorities of every folder of the host, and of no other host', async () => {
    await write({
      'home/reg.example.com/ca.crt': 'mine',
      'etc/reg.example.com/a.crt': 'theirs',
      'etc/reg.example.com/note.txt': 'nothing',
      'etc/reg.example.com:5000/ca.crt': 'of another port',
      'etc/other.example.com/ca.crt': 'of another host',
    })
    expect(read('https://reg.example.com/')).toEqual({ ca: ['mine', 'theirs'], client: [] })
    expect(read('https://reg.example.com:5000/').ca).toEqual(['of another port'])
  })

  test('knows a host by its port, even when that is the usual one', async () => {
    await write({ 'etc/reg.example.com:443/ca.crt': 'one' })
    expect(read('https://reg.example.com/').ca).toEqual(['one'])
  })

  test("shows the user's own client certificates before those of the machine", async () => {
    await write({
      'home/h/client.cert': 'cert',
      'home/h/client.key': 'key',
      'etc/h/client.cert': 'other',
      'etc/h/client.key': 'other key',
    })
    expect(read('https://h/').client).toEqual([{ cert: 'cert', key: 'key' }])
  })

  test('a certificate without its key is an error that names the file', async () => {
    await write({ 'etc/h/client.cert': 'cert' })
    expect(() => read('https://h/')).toThrow(
      `${join(root, 'etc/h/client.cert')}: this certificate cannot be used: it has no client.key beside it; ` +
        'a file of an authority ends in .crt',
    )
  })

  test('a file in the place of a folder is nothing', async () => {
    await write({ 'etc/h': 'file' })
    expect(read('https://h/')).toEqual({ ca: [], client: [] })
  })
})

test('the folders are those of docker and podman, the own ones first', () => {
  expect(certificateFolders({ HOME: '/home/me' })).toEqual([
    '/home/me/.docker/certs.d',
    '/home/me/.config/docker/certs.d',
    '/home/me/.config/containers/certs.d',
    '/etc/docker/certs.d',
    '/etc/containers/certs.d',
  ])
  expect(certificateFolders({ HOME: '/home/me', XDG_CONFIG_HOME: '/cfg' })).toContain('/cfg/containers/certs.d')
  expect(certificateFolders({})).toEqual(['/etc/docker/certs.d', '/etc/containers/certs.d'])
})

describe('a transport', () => {
  const tls = { ...TLS_IDENTITY, ca: TLS_IDENTITY.cert, requestCert: true, rejectUnauthorized: false }

  test('trusts and shows what is kept for the host, without being told', async () => {
    let shown = ''
    await using server = await startFaultServer(
      [
        {
          handle: ({ socket }, response) => {
            const peer = socket as unknown as { getPeerCertificate: () => { subject?: { CN: string } } }
            shown = peer.getPeerCertificate().subject?.CN ?? 'nobody'
            response.end()
          },
        },
      ],
      { tls },
    )
    await write({
      [`.docker/certs.d/${server.host}/ca.crt`]: TLS_IDENTITY.cert,
      [`.docker/certs.d/${server.host}/client.cert`]: TLS_IDENTITY.cert,
      [`.docker/certs.d/${server.host}/client.key`]: TLS_IDENTITY.key,
    })
    const client = createTransport({ version: '1', env: { HOME: root } })
    const response = await client.request({ method: 'GET', url: server.url })
    await response.discard()
    await client.close()
    expect(response.status).toBe(200)
    expect(shown).toBe('test only')
  })

  test('says which host has a certificate that is none, and asks nobody', async () => {
    await using server = await startFaultServer([], { tls })
    await write({ [`etc/${server.host}/ca.crt`]: TLS_IDENTITY.cert, [`etc/${server.host}/x.cert`]: 'x' })
    await write({ [`etc/${server.host}/x.key`]: 'x' })
    const client = createTransport({ version: '1', tls: { folders: folders() } })
    await expect(client.request({ method: 'GET', url: server.url })).rejects.toMatchObject({
      code: 'INVALID_CERTIFICATE',
      message: expect.stringContaining(`${server.host}: this certificate cannot be used`) as string,
    })
    await client.close()
    expect(server.seen).toEqual([])
  })
})
