import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '../peers.ts'
import { canonical } from './log.ts'

/** A repository of The Update Framework on loopback, with a trusted root. Gone at the end of the block. */
export interface TufServer extends AsyncDisposable {
  readonly url: string
  readonly rootPath: string
  /** By path; may be changed. */
  readonly files: Map<string, Buffer>
  /** Paths in the order in which they were asked for. */
  readonly requests: readonly string[]
}

const TARGET = 'trusted_root.json'

export async function startTufRepository(trustedRoot: unknown): Promise<TufServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: spki.subarray(-32).toString('hex') } }
  const keyid = sha256(Buffer.from(canonical(key)))
  const role = { keyids: [keyid], threshold: 1 }
  const signed = (type: string, more: object): Buffer => {
    const expires = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '')
    const about = { _type: type, spec_version: '1.0.31', version: 1, expires, ...more }
    const sig = sign(null, Buffer.from(canonical(about)), privateKey).toString('hex')
    return Buffer.from(JSON.stringify({ signed: about, signatures: [{ keyid, sig }] }))
  }
  const target = Buffer.from(JSON.stringify(trustedRoot))
  const roles = { root: role, timestamp: role, snapshot: role, targets: role }
  const root = signed('root', { consistent_snapshot: true, keys: { [keyid]: key }, roles })
  const targets = { [TARGET]: { length: target.byteLength, hashes: { sha256: sha256(target) } } }
  const files = new Map([
    ['/timestamp.json', signed('timestamp', { meta: { 'snapshot.json': { version: 1 } } })],
    ['/1.snapshot.json', signed('snapshot', { meta: { 'targets.json': { version: 1 } } })],
    ['/1.targets.json', signed('targets', { targets })],
    [`/targets/${sha256(target)}.${TARGET}`, target],
  ])
  const requests: string[] = []
  const server = createServer(({ url = '' }, response) => {
    requests.push(url)
    const file = files.get(url)
    response.writeHead(file ? 200 : 404).end(file)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const directory = await temporaryDirectory()
  const rootPath = join(directory.path, 'root.json')
  await writeFile(rootPath, root)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    rootPath,
    files,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await directory[Symbol.asyncDispose]()
    },
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
