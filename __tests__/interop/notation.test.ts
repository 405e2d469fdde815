import { createPrivateKey, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { composeArtifact } from '../../src/artifact/artifact.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import type { ReferrerLister, Target } from '../../src/content/ports.ts'
import { createTransport } from '../../src/http/client.ts'
import { openLayout } from '../../src/layout/directory.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { composeNotationArtifact } from '../../src/sign/notation/artifact.ts'
import { attachNotation, type AttachNotationOptions } from '../../src/sign/notation/attach.ts'
import { readChain, thumbprintsOf } from '../../src/sign/notation/chain.ts'
import { signNotation, type NotationOptions } from '../../src/sign/notation/signature.ts'
import { pushIndex } from '../support/base-images.ts'
import { run, temporaryDirectory, type TemporaryDirectory } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type RunningRegistry } from '../support/registries.ts'

const NOTATION = 'application/vnd.cncf.notary.signature'
const SUBJECT = '/C=US/ST=WA/O=Acme/CN=Signer'
const IDENTITY = 'x509.subject: C=US, ST=WA, O=Acme'

interface Signer extends Pick<NotationOptions, 'key' | 'chain'> {
  /** PEM file of the root. */
  readonly root: string
}

const KINDS = {
  ES256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ES384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ES512: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  PS256: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  PS384: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  PS512: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
} as const

type Kind = keyof typeof KINDS

/** A key, a root, and the certificate that the root issues for the key, by openssl as docs/notation.md has it. */
async function signerOf(directory: string, kind: Kind, extendedKeyUsage = 'codeSigning'): Promise<Signer> {
  const at = (name: string): string => join(directory, `${kind}-${extendedKeyUsage}-${name}`)
  const openssl = (...args: readonly string[]): Promise<string> => run('openssl', args, { cwd: directory })
  const config = ['[dn]', '[root]', 'basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
  const leaf = ['[leaf]', 'keyUsage=critical,digitalSignature', `extendedKeyUsage=${extendedKeyUsage}`]
  await writeFile(at('openssl.cnf'), [...['[req]', 'distinguished_name=dn'], ...config, ...leaf, ''].join('\n'))
  const [key, root, rootKey] = [at('key.pem'), at('root.pem'), at('root-key.pem')]
  await openssl('genpkey', ...KINDS[kind], '-out', key)
  await openssl('genpkey', ...KINDS.ES256, '-out', rootKey)
  const days = ['-days', '30', '-config', at('openssl.cnf')]
  await openssl('req', '-x509', '-key', rootKey, '-subj', '/CN=Test Root', '-extensions', 'root', ...days, '-out', root)
  await openssl('req', '-new', '-key', key, '-subj', SUBJECT, '-config', at('openssl.cnf'), '-out', at('csr.pem'))
  const issue = [
    '-CA',
    root,
    '-CAkey',
    rootKey,
    '-CAcreateserial',
    '-extfile',
    at('openssl.cnf'),
    '-extensions',
    'leaf',
  ]
  await openssl('x509', '-req', '-in', at('csr.pem'), ...issue, '-days', '20', '-out', at('leaf.pem'))
  const [leafPem, rootPem, keyPem] = await Promise.all([at('leaf.pem'), root, key].map(path => readFile(path, 'utf8')))
  return { key: createPrivateKey(keyPem ?? ''), chain: readChain(`${leafPem}${rootPem}`, 'chain.pem'), root }
}

const now = (): number => Math.floor(Date.now() / 1000)
const AGENT = 'oci-publish/0.0.0'

type Place = Target & ReferrerLister

interface Opened extends AsyncDisposable {
  readonly registry: RunningRegistry
  readonly place: Place
  readonly directory: string
  /** `127.0.0.1:port/team/app` */
  readonly image: string
  /** Of an index. */
  readonly subject: Descriptor
}

/** A registry with an index of two platforms that others have made, and our own client of it. */
async function open(start: () => Promise<RunningRegistry>): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await start())
  const { path: directory }: TemporaryDirectory = stack.use(await temporaryDirectory())
  const transport = createTransport({ version: '0' })
  stack.defer(() => transport.close())
  const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
  const place = openRepository({ host: registry.host, repository: 'team/app' }, { hosts, side: 'target' })
  await pushIndex(`${registry.directHost}/team/app:v1`)
  const subject = await place.resolve('v1')
  const opened = stack.move()
  const image = `${registry.host}/team/app`
  return { registry, place, directory, image, subject, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function attach(
  { place, subject }: Pick<Opened, 'place' | 'subject'>,
  signer: Signer,
  options: Partial<AttachNotationOptions> = {},
): Promise<{ readonly descriptor: Descriptor; readonly existed: boolean }> {
  const { key, chain } = signer
  const attached = await attachNotation(place, subject, { key, chain, now: now(), agent: AGENT, ...options })
  await place.close?.()
  return attached
}

/** What the library of notation says: the payload, or the failure. */
async function verify(reference: string, root: string, identity = IDENTITY): Promise<string> {
  return run('notation-verify', ['--plain-http', '--trust', root, '--identity', identity, reference])
}

async function discovered(reference: string): Promise<readonly { digest: string; artifactType?: string }[]> {
  const out = await run('oras', ['discover', '--plain-http', '--format', 'json', reference])
  return (JSON.parse(out) as { referrers?: readonly { digest: string; artifactType?: string }[] }).referrers ?? []
}

/** Pushes a signature whose envelope was changed after it was made. */
async function pushChanged(
  { place, subject }: Opened,
  { key, chain }: Signer,
  change: (jws: string) => string,
  signed: Descriptor = subject,
): Promise<void> {
  const jws = Buffer.from(await signNotation(signed, { key, chain, signingTime: now() })).toString()
  const bytes = Buffer.from(change(jws))
  await pushArtifact(
    place,
    composeNotationArtifact(bytes, subject, { thumbprints: thumbprintsOf(chain), created: now() }),
  )
  await place.close?.()
}

describe.each(REGISTRIES)('on $name', ({ start, name }) => {
  test('notation believes what we sign, of an index and of a manifest in it', async () => {
    await using opened = await open(start)
    const { place, directory, image, subject } = opened
    const kinds: readonly Kind[] =
      name === 'refreg' ? (Object.keys(KINDS) as Kind[]) : ['ES256', 'ES384', 'PS256', 'PS384']
    for (const kind of kinds) {
      const signer = await signerOf(directory, kind)
      const { descriptor, existed } = await attach(opened, signer, { annotations: { kind }, expirySeconds: 3600 })
      expect(existed).toBe(false)
      const { mediaType, digest, size } = subject
      expect(JSON.parse(await verify(`${image}@${digest}`, signer.root))).toEqual({
        targetArtifact: { mediaType, digest, size, annotations: { kind } },
      })
      expect(await discovered(`${image}@${digest}`)).toContainEqual(
        expect.objectContaining({ digest: descriptor.digest, artifactType: NOTATION }),
      )
    }
    const child = (await run('crane', ['digest', '--insecure', '--platform', 'linux/arm64', `${image}:v1`])).trim()
    const signer = await signerOf(directory, 'ES256')
    await attach({ place, subject: await place.resolve(child) }, signer)
    await verify(`${image}@${child}`, signer.root)
  })

  test('signing twice leaves one signature', async () => {
    await using opened = await open(start)
    const { directory, image, subject } = opened
    const signer = await signerOf(directory, 'ES256')
    const first = await attach(opened, signer)
    const again = await attach(opened, signer)
    expect(again).toMatchObject({ existed: true, descriptor: { digest: first.descriptor.digest } })
    const found = await discovered(`${image}@${subject.digest}`)
    expect(found.map(({ digest }) => digest)).toEqual([first.descriptor.digest])
    expect(await run('oras', ['discover', '--plain-http', `${image}:v1`])).toContain(NOTATION)
  })
})

describe('notation refuses', () => {
  test('whoever is not in the trust store, or is somebody else', async () => {
    await using opened = await open(startRegistry)
    const { directory, image, subject } = opened
    const reference = `${image}@${subject.digest}`
    const [signer, other] = [await signerOf(directory, 'ES256'), await signerOf(directory, 'ES384')]
    await expect(verify(reference, signer.root)).rejects.toThrow('no signature is associated')
    await attach(opened, signer)
    await expect(verify(reference, other.root)).rejects.toThrow('does not contain any trusted certificate')
    await expect(verify(reference, signer.root, 'x509.subject: C=US, ST=WA, O=Other')).rejects.toThrow(
      'does not match the X.509 trusted identities',
    )
    await verify(reference, signer.root)
  })

  test.each<[string, (jws: string, subject: Descriptor) => string]>([
    [
      'a payload that was changed',
      (jws, subject) => {
        const parts = JSON.parse(jws) as { payload: string }
        const targetArtifact = {
          mediaType: subject.mediaType,
          digest: subject.digest,
          size: subject.size,
          annotations: { a: 'b' },
        }
        return JSON.stringify({
          ...parts,
          payload: Buffer.from(JSON.stringify({ targetArtifact })).toString('base64url'),
        })
      },
    ],
    ['a signature that was changed', jws => jws.replace(/"signature":"..../, '"signature":"AAAA')],
  ])('%s, and we sign anew beside it', async (_name, change) => {
    await using opened = await open(startRegistry)
    const { directory, image, subject } = opened
    const signer = await signerOf(directory, 'ES256')
    await pushChanged(opened, signer, jws => change(jws, subject))
    const reference = `${image}@${subject.digest}`
    await expect(verify(reference, signer.root)).rejects.toThrow('signature is invalid')
    expect((await attach(opened, signer)).existed).toBe(false)
    await verify(reference, signer.root)
  })

  test('a signature of the wrong media type, which is why ours comes from the registry', async () => {
    await using opened = await open(startRegistry)
    const { directory, image, subject } = opened
    const signer = await signerOf(directory, 'ES256')
    const guessed = { ...subject, mediaType: OCI_MANIFEST }
    await pushChanged(opened, signer, jws => jws, guessed)
    const reference = `${image}@${subject.digest}`
    await expect(verify(reference, signer.root)).rejects.toThrow('content descriptor mismatch')
    expect((await attach({ ...opened, subject: guessed }, signer)).existed).toBe(false)
    await verify(reference, signer.root)
  })

  test('the certificate of a web server, which we refuse before', async () => {
    await using opened = await open(startRegistry)
    const { place, directory, image, subject } = opened
    const server = await signerOf(directory, 'ES256', 'serverAuth')
    const seen = opened.registry.requests.length
    await expect(attach(opened, server)).rejects.toThrow(
      'certificate 1 (C=US, ST=WA, O=Acme, CN=Signer): it is made for serverAuth',
    )
    expect(opened.registry.requests.length).toBe(seen)

    // What a tool without the check would leave: all is right but the certificate.
    const good = await signerOf(directory, 'ES256')
    const jws = Buffer.from(await signNotation(subject, { ...good, signingTime: now() })).toString()
    const parts = JSON.parse(jws) as { readonly payload: string; readonly protected: string }
    const input = Buffer.from(`${parts.protected}.${parts.payload}`)
    const signature = sign('sha256', input, { key: server.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    const header = { x5c: server.chain.map(({ raw }) => raw.toString('base64')) }
    const bytes = Buffer.from(JSON.stringify({ ...parts, signature, header }))
    await pushArtifact(place, composeNotationArtifact(bytes, subject, { thumbprints: [], created: now() }))
    await place.close?.()
    await expect(verify(`${image}@${subject.digest}`, server.root)).rejects.toThrow('must not contain ServerAuth')
  })
})

test('a signature in the form of the draft, by its artifact type, is believed by notation and known to us', async () => {
  await using opened = await open(startRegistry)
  const { place, directory, image, subject } = opened
  const signer = await signerOf(directory, 'ES256')
  const jws = await signNotation(subject, { ...signer, signingTime: now() })
  const { blobs } = composeNotationArtifact(jws, subject, { thumbprints: [], created: 0 })
  const layers = blobs.filter(({ descriptor }) => descriptor.mediaType === 'application/jose+json')
  await pushArtifact(place, composeArtifact({ artifactType: NOTATION, layers, subject }))
  await place.close?.()
  await verify(`${image}@${subject.digest}`, signer.root)
  expect((await attach(opened, signer)).existed).toBe(true)
})

test('a layout is signed as well, and keeps its signature when it is copied to a registry', async () => {
  await using opened = await open(startRegistry)
  const { directory, image, subject } = opened
  const layout = join(directory, 'layout')
  await run('oras', ['cp', '--from-plain-http', '--to-oci-layout', `${image}:v1`, `${layout}:v1`])
  const signer = await signerOf(directory, 'ES256')
  const place = openLayout(layout)
  expect((await attach({ place, subject }, signer)).existed).toBe(false)
  expect((await attach({ place, subject }, signer)).existed).toBe(true)
  const check = ['--trust', signer.root, '--identity', IDENTITY]
  expect(await run('notation-verify', [...check, '--layout', layout, subject.digest])).toContain(subject.digest)

  const copied = `${image}-copy`
  await run('oras', ['cp', '-r', '--from-oci-layout', '--to-plain-http', `${layout}:v1`, `${copied}:v1`])
  await verify(`${copied}@${subject.digest}`, signer.root)
})
