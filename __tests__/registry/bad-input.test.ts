import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { createTransport } from '../../src/http/client.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { failuresOf } from '../../src/tell/failure.ts'
import { startFaultServer } from '../support/fault-server.ts'
import { scripted, type Said, type Silence } from './scripted.ts'

// Everything that users meet when a publication is refused, each with what is said and what to do, in one table.

const blobOf = (text: string, mediaType: string): Blob => {
  const bytes = new TextEncoder().encode(text)
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}
const layer = blobOf('layer', 'application/x')
const manifest = blobOf('{}', OCI_MANIFEST)
const SESSION: Said = { status: 202, headers: { location: '/v2/team/app/blobs/uploads/1' } }
const said = (status: number, code: string, message: string): Said => ({
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
})
const page = { 'content-type': 'text/html' }

const push = (target: Target): Promise<unknown> => target.push(layer)
const pushManifest = (target: Target): Promise<unknown> => target.push(manifest)
const tag = (target: Target): Promise<unknown> => target.tag(manifest, ['v1'])

interface Row {
  readonly host?: string
  readonly work?: (target: Target) => Promise<unknown>
  /** Method that is refused; every other request is answered as by a registry without content. */
  readonly method?: string
  readonly answer: Said | Silence
  readonly message: string
  readonly hint: string
}

const ROWS: Readonly<Record<string, Row>> = {
  'a repository that is missing': {
    answer: said(404, 'NAME_UNKNOWN', 'repository name not known to registry'),
    message: 'could not start to push blob sha256:',
    hint: 'this registry does not create repositories on push: create "team/app" first',
  },
  'a repository of ECR that is missing': {
    host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    answer: said(404, 'NAME_UNKNOWN', "The repository with name 'team/app' does not exist in the registry"),
    message: '404 NAME_UNKNOWN',
    hint: 'aws ecr create-repository --repository-name team/app --region eu-west-1',
  },
  'a push that GHCR does not permit': {
    host: 'ghcr.io',
    answer: said(403, 'DENIED', 'permission_denied: write_package'),
    message: '403 DENIED permission_denied: write_package',
    hint: 'give the job "permissions: packages: write"',
  },
  'a push that is not permitted elsewhere': {
    answer: said(403, 'DENIED', 'access denied'),
    message: '403 DENIED access denied',
    hint: 'the credentials of inputs may not push to reg.example.com/team/app: give them the right to write',
  },
  'a quota that is spent': {
    answer: said(403, 'DENIED', 'requested storage exceeds the quota of the project'),
    message: '403 DENIED requested storage exceeds the quota',
    hint: 'there is no room left for reg.example.com/team/app: delete old images, or have the quota raised',
  },
  'a request that is too large (413)': {
    method: 'PUT',
    answer: { status: 413, headers: page, body: '<title>413 Request Entity Too Large</title>' },
    message: '413 Request Entity Too Large',
    hint: 'a proxy in front of the registry limits the size of a request: raise it (nginx: client_max_body_size 0)',
  },
  'a tag that is immutable': {
    work: tag,
    method: 'PUT',
    answer: said(400, 'TAG_INVALID', "The image tag 'v1' already exists and cannot be overwritten"),
    message: 'cannot be overwritten',
    hint: 'choose a new tag, or set "on-existing-tag: skip"',
  },
  'credentials that have expired': {
    answer: {
      ...said(401, 'UNAUTHORIZED', 'the token has expired'),
      headers: { 'www-authenticate': 'Basic realm="r"' },
    },
    message: '401 UNAUTHORIZED the token has expired',
    hint: 'the credentials have expired: make new ones, or run "docker login reg.example.com" again',
  },
  'a certificate that nobody trusts': {
    answer: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', retriable: false },
    message: 'could not ',
    hint: '/etc/docker/certs.d/reg.example.com/ca.crt',
  },
  'a realm that points elsewhere': {
    answer: {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="https://169.254.169.254/token",service="r"' },
    },
    message:
      'reg.example.com wants credentials sent to https://169.254.169.254/token, which is refused: 169.254.169.254 is',
    hint: 'nothing was sent there: is this the registry that is meant?',
  },
  'a Location that points elsewhere': {
    answer: { status: 202, headers: { location: 'https://10.0.0.1/upload' } },
    message: 'wants the blob sent to https://10.0.0.1/upload, which is refused: 10.0.0.1 is a private address',
    hint: 'nothing was sent there: the registry, or the proxy in front of it, has to name itself',
  },
  'a manifest that a registry finds too large': {
    work: pushManifest,
    method: 'PUT',
    answer: said(413, 'MANIFEST_INVALID', 'too large'),
    message: 'could not push manifest sha256:',
    hint: 'registries take manifests of up to 4 MiB: fewer layers, shorter annotations, or an index in parts',
  },
  'HTML in the place of an answer': {
    answer: { status: 200, headers: page, body: '<title>Sign in</title>' },
    message: '200 Sign in',
    hint: 'reg.example.com answered with a web page: is it a registry, or does a proxy or a login page answer in its place?',
  },
}

test.each(Object.entries(ROWS))('%s is said to be that, with what to do', async (_name, row) => {
  const { host = 'reg.example.com', work = push, method = 'POST', answer, message, hint } = row
  const transport = scripted(request => {
    if (request.method === method) return answer
    if (request.method === 'HEAD') return { status: 404 }
    return request.method === 'POST' ? SESSION : { status: 201 }
  })
  const credentials = givenCredentials([{ registry: host, username: 'u', password: 'p', from: 'inputs' }])
  const deps = { hosts: new RegistryHosts({ transport, credentials }), side: 'target', random: () => 0 } as const
  const target = openRepository({ host, repository: 'team/app' }, { ...deps, sleep: () => Promise.resolve() })
  const error = await work(target).catch((thrown: unknown) => thrown)
  // As the user reads it, whichever error of a chain knows what to do.
  const [failure] = failuresOf(error)
  expect(failure).toMatchObject({ unexpected: false })
  const told = [failure?.message, ...(failure?.causes ?? [])].join(' ')
  expect(told).toContain(message)
  expect(failure?.hint).toContain(hint)
})

test('a manifest over 4 MiB that is read is said to be that, with what to do', async () => {
  const large = { status: 200, headers: { 'content-type': OCI_MANIFEST }, body: new Uint8Array((4 << 20) + 1) }
  await using registry = await startFaultServer([{ status: 405 }, large])
  const transport = createTransport({ version: '0' })
  const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
  const source = openRepository({ host: registry.host, repository: 'team/app' }, { hosts, side: 'source' })
  await expect(source.resolve('v1')).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: expect.stringMatching(
      /^127\.0\.0\.1:\d+\/team\/app: could not read manifest v1: .*4194304 bytes/,
    ) as string,
    hint: 'registries take manifests of up to 4 MiB: fewer layers, shorter annotations, or an index in parts',
  })
  await transport.close()
})
