import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generateKey } from 'openpgp'
import { startSpecRegistry, type SpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { distFile, runAction, runNode, sandbox, type Ran } from '../action/dist-run.ts'
import { startMoto, type Moto } from '../cloud/moto.ts'
import { startStandIn } from '../cloud/stand-in.ts'
import { findPeer, run } from '../support/peers.ts'
import { startProxyServer } from '../support/proxy-server.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

/*
 * Whatever is loaded late, run from dist/ as it ships: what the tests of src/ load is not what the bundler made of it. Each
 * run tells which chunks it has loaded, and the last test fails for a chunk that none of them did.
 */

/** Chunks of packages that nothing we do can load, and why. */
const NEVER_LOADED: Readonly<Record<string, string>> = {
  bowser: 'the AWS SDK reads user agents of browsers with it',
  'event-streams': 'of streams of events, which ECR, KMS and STS have not',
}

const ROOT = join(import.meta.dirname, '../..')
const REGION = 'eu-west-1'
const ACCOUNT = '123456789012'
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'key', AWS_EC2_METADATA_DISABLED: 'true' }
const PASSPHRASE = 'correct horse ü'

const NODES = [
  ['20', findPeer('node20')],
  ['24', join(ROOT, 'node_modules/node/bin/node')],
] as const

describe.each(NODES)('dist/ on Node %s', (major, node) => {
  let home: string
  let coverage: string
  let registry: SpecRegistry
  let sigstore: LocalSigstore
  let moto: Moto
  let env: Readonly<Record<string, string>>
  const commands = new Set<string>()

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'dist-features-'))
    coverage = join(home, 'coverage')
    for (const name of ['runner-temp', 'work']) await mkdir(join(home, name))
    registry = await startSpecRegistry({})
    sigstore = await startSigstore({ rekor: 1, now: () => new Date(Math.floor(Date.now() / 1000) * 1000) })
    moto = await startMoto()
    env = { PATH: process.env['PATH'] ?? '', HOME: home, CI: 'true', NODE_V8_COVERAGE: coverage }
    await put({ 'site/index.html': 'x' })
    await ok(['publish', '--layers', 'site/:/srv/', '--images', image('app'), '--tags', 'v1'])
  })

  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
    await moto[Symbol.asyncDispose]()
    rmSync(home, { recursive: true })
  })

  const image = (name: string): string => `${registry.host}/team/${name}`
  const at = (name: string): string => join(home, 'work', name)

  async function put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(at(name)), { recursive: true })
      await writeFile(at(name), text)
    }
  }

  async function cli(args: readonly string[], more: NodeJS.ProcessEnv = {}, stdin?: string): Promise<Ran> {
    const settings = { cwd: join(home, 'work'), env: { ...env, ...more }, ...(stdin !== undefined && { stdin }) }
    commands.add(args[0] ?? '')
    const ran = await runNode(node, [distFile('cli.js'), ...args], settings)
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/is not a function|is not a constructor|of undefined|a bug/)
    return ran
  }

  async function ok(args: readonly string[], more: NodeJS.ProcessEnv = {}, stdin?: string): Promise<Ran> {
    const ran = await cli(args, more, stdin)
    if (ran.exitCode !== 0) throw new Error(`${args.join(' ')}: ${ran.exitCode ?? ''}\n${ran.stderr}${ran.stdout}`)
    return ran
  }

  test('is the Node that it says', async () => {
    expect((await runNode(node, ['--version'], { env })).stdout).toMatch(new RegExp(`^v${major}[.]`))
  })

  test('an image with layers of gzip and of zstd, and its SBOM; on Node 20, which has no zstd, that is told', async () => {
    const args = ['publish', '--layers', 'site/:/srv/', '--images', image('sbom'), '--tags', 'v1', '--sbom']
    await ok(args)
    const zstd = await cli([...args, '--compression', 'zstd'])
    expect(zstd.exitCode).toBe(major === '20' ? 1 : 0)
    expect(major === '20' ? zstd.stderr : 'compressed by zstd').toContain('zstd')
    expect((await ok(['discover', `${image('sbom')}:v1`])).stdout).toContain('application/vnd.cyclonedx+json')
  })

  test.each(['tags', 'inspect', 'discover'])('%s', async command => {
    const reference = command === 'tags' ? image('app') : `${image('app')}:v1`
    expect((await ok([command, reference])).stdout).not.toBe('')
  })

  test('plan', async () => {
    const args = ['--layers', 'site/:/srv/', '--images', image('planned'), '--tags', 'v1']
    expect((await ok(['plan', ...args])).stdout).toContain('v1')
    expect([...registry.tags('team/planned').keys()]).toEqual([])
  })

  test('copy to a layout and back', async () => {
    await ok(['copy', `${image('app')}:v1`, 'oci:copied:v1'])
    await ok(['copy', 'oci:copied:v1', `${image('copied')}:v1`])
    expect(registry.tags('team/copied')).toEqual(registry.tags('team/app'))
  })

  test('an SBOM: generated, checked against its schema in every version, attached', async () => {
    const { stdout } = await ok(['sbom', `${image('app')}:v1`])
    const bom = JSON.parse(stdout) as { readonly specVersion: string }
    expect(bom.specVersion).toBe('1.6')
    for (const specVersion of ['1.4', '1.5', '1.6', '1.7']) {
      const file = `${specVersion}.cdx.json`
      await put({ [file]: JSON.stringify({ bomFormat: 'CycloneDX', specVersion, version: 1, components: [] }) })
      await ok(['attach', `${image('app')}:v1`, file])
      await put({ [file]: JSON.stringify({ bomFormat: 'CycloneDX', specVersion, version: 'one' }) })
      expect((await cli(['attach', `${image('app')}:v1`, file])).stderr).toContain('version must be integer')
    }
    await put({ 'x.spdx.json': '{"spdxVersion": "SPDX-2.3"}' })
    expect((await cli(['attach', `${image('app')}:v1`, 'x.spdx.json'])).stderr).toContain('x.spdx.json')
    await ok(['sbom', '--attach', `${image('app')}:v1`])
  })

  test('files as an artifact, a module of WASM, a model, a zip for OpenTofu; and pulled', async () => {
    await put({ 'a.txt': 'a', 'tofu/main.tf': '# x\n', 'model.gguf': 'GGUF' })
    await writeFile(at('hello.wasm'), Buffer.from('0061736d01000000', 'hex'))
    await writeFile(at('component.wasm'), Buffer.from('0061736d0d000100', 'hex'))
    await ok(['artifact', 'push', image('files'), 'a.txt', '--tags', 'v1', '--artifact-type', 'application/vnd.x'])
    await ok(['pull', `${image('files')}:v1`, '--output', 'pulled'])
    expect(await readFile(at('pulled/a.txt'), 'utf8')).toBe('a')
    for (const [preset, file] of [
      ['opentofu', 'tofu'],
      ['wasm', 'component.wasm'],
      ['modelpack', 'model.gguf'],
    ] as const) {
      await ok(['publish', '--files', file, '--artifact-preset', preset, '--images', image(preset), '--tags', 'v1'])
    }
    await ok(['pull', `${image('opentofu')}:v1`, '--output', 'tofu-pulled'])
  })

  test('a chart whose dependencies come from an http repository, signed with PGP; helm verifies it', async () => {
    await put({
      'lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.5.0\ntype: library\n',
      'web/Chart.yaml': '',
    })
    await run('helm4', ['package', 'lib'], { cwd: at('.'), env: { HOME: home } })
    const bytes = await readFile(at('lib-1.5.0.tgz'))
    const digest = createHash('sha256').update(bytes).digest('hex')
    const index = `apiVersion: v1\nentries:\n  lib:\n  - version: 1.5.0\n    digest: ${digest}\n    urls: [lib-1.5.0.tgz]\n`
    const repository: Server = createServer(({ url }, response) => {
      response.end(url === '/index.yaml' ? index : bytes)
    }).listen(0, '127.0.0.1')
    await once(repository, 'listening')
    const { port } = repository.address() as AddressInfo
    const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: 'ci' }], format: 'object' })
    await put({
      'web/Chart.yaml': `apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- {name: lib, version: ^1, repository: "http://127.0.0.1:${port}"}\n`,
      'key.asc': privateKey.armor(),
    })
    await writeFile(at('keyring.gpg'), publicKey.write())
    try {
      const signing = { OCI_PUBLISH_CHART_SIGN_KEY: 'key.asc' }
      await ok(['publish', '--chart', 'web', '--chart-dependencies', 'update', '--images', image('charts')], signing)
    } finally {
      repository.close()
    }
    const args = ['pull', `oci://${image('charts')}/web`, '--version', '0.1.0', '--plain-http', '--verify']
    await run('helm4', [...args, '--keyring', at('keyring.gpg')], { cwd: at('.'), env: { HOME: home } })
    expect(existsSync(at('web-0.1.0.tgz'))).toBe(true)
  })

  test('an encrypted key of cosign: made, signed with, verified', async () => {
    const secret = { COSIGN_PASSWORD: PASSPHRASE, OCI_PUBLISH_SIGN_PASSWORD: PASSPHRASE }
    await ok(['generate-key-pair', '--output-key-prefix', 'cosign'], secret)
    await ok(['sign', `${image('app')}:v1`, '--key', 'cosign.key'], secret)
    await ok(['sign', `${image('app')}:v1`, '--key', 'cosign.key', '--signature-format', 'legacy'], secret)
    expect((await ok(['verify', `${image('app')}:v1`, '--key', 'cosign.pub'])).stdout).toContain('sha256:')
    await put({ 'review.json': '{"approved": true}' })
    const predicate = ['--predicate-type', 'https://example.com/review/v1', '--predicate-path', 'review.json']
    await ok(['attest', `${image('app')}:v1`, '--key', 'cosign.key', ...predicate], secret)
    await ok(['copy', `${image('app')}:v1`, 'oci:verified:v1', '--verify', 'key=cosign.pub'])
    const base = ['publish', '--layers', 'site/:/x/', '--base-image', `${image('app')}:v1`, '--images', image('on')]
    await ok([...base, '--tags', 'v1', '--verify-base', 'key=cosign.pub'])
  })

  test('keyless, with provenance; and verified', async () => {
    const services = [
      ...['--fulcio-url', sigstore.fulcioUrl, '--rekor-url', sigstore.rekorUrl, '--tsa-url', sigstore.tsaUrl ?? ''],
      ...['--trusted-root', sigstore.trustedRootFile],
    ]
    const args = [
      'publish',
      '--layers',
      'site/:/srv/',
      '--images',
      image('keyless'),
      '--tags',
      'v1',
      '--sign',
      'keyless',
    ]
    await ok([...args, '--provenance', ...services], { SIGSTORE_ID_TOKEN: sigstore.token() })
    const who = ['--certificate-identity', `https://github.com/${WORKFLOW}`]
    const verify = ['verify', `${image('keyless')}:v1`, ...who, '--certificate-oidc-issuer', GITHUB_ISSUER]
    await ok([...verify, '--trusted-root', sigstore.trustedRootFile])
    await ok([...verify, '--trusted-root', sigstore.trustedRootFile, '--type', 'slsaprovenance1'])
    // Without one, the root comes from sigstore's repository, which cannot be reached from here.
    const away = { HTTPS_PROXY: 'http://127.0.0.1:1', NODE_USE_ENV_PROXY: '1' }
    const refused = await cli(verify, away)
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr).toContain('trusted root')
  })

  test('a signature of the Notary Project', async () => {
    const openssl = (...args: readonly string[]): Promise<string> => run('openssl', args, { cwd: at('.') })
    await put({
      'x.cnf':
        '[req]\ndistinguished_name=dn\n[dn]\n[e]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n',
    })
    const subject = ['-subj', '/C=US/ST=WA/O=Acme/CN=Signer', '-config', 'x.cnf', '-extensions', 'e']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'notation.pem']
    await openssl('req', '-x509', ...key, ...subject, '-days', '20', '-out', 'notation-chain.pem')
    await ok(['sign', `${image('app')}:v1`, '--notation-key', 'notation.pem', '--notation-chain', 'notation-chain.pem'])
    expect((await ok(['discover', `${image('app')}:v1`])).stdout).toContain('signature, Notation')
  })

  test('a key of AWS KMS', async () => {
    const aws = { ...KEYS, AWS_ENDPOINT_URL: moto.url, AWS_REGION: REGION }
    const answer = await fetch(moto.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'TrentService.CreateKey',
        authorization: `AWS4-HMAC-SHA256 Credential=A/20260101/${REGION}/kms/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    })
    const { KeyMetadata } = (await answer.json()) as { readonly KeyMetadata: { readonly KeyId: string } }
    const key = `awskms:///${KeyMetadata.KeyId}`
    await ok(['sign', `${image('app')}:v1`, '--key', key], aws)
    expect((await ok(['verify', `${image('app')}:v1`, '--key', key], aws)).stdout).toContain('sha256:')
  })

  describe('registries of AWS', () => {
    const ECR = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`
    const PUBLIC = 'public.ecr.aws'

    /** A registry at the real name, behind a proxy for which every name is that registry. */
    async function publishTo(
      host: string,
      password: string,
      aws: Readonly<Record<string, string>>,
    ): Promise<readonly string[]> {
      const names = `subjectAltName=DNS:${ECR},DNS:${PUBLIC}`
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'tls.pem']
      const certificate = ['-subj', '/CN=x', '-addext', names, '-days', '20', '-out', 'tls-chain.pem']
      await run('openssl', ['req', '-x509', ...key, ...certificate], { cwd: at('.') })
      const tls = { key: readFileSync(at('tls.pem')), cert: readFileSync(at('tls-chain.pem')) }
      const auth: SpecRegistryOptions['auth'] = { scheme: 'basic', username: 'AWS', password }
      await using there = await startSpecRegistry({ tls, auth })
      await using proxy = await startProxyServer(there.url.port === '' ? 443 : Number(there.url.port))
      await ok(['publish', '--layers', 'site/:/srv/', '--images', `${host}/team/app`, '--tags', 'v1'], {
        ...{ ...KEYS, ...aws, HTTPS_PROXY: proxy.url.href, NO_PROXY: '127.0.0.1' },
        NODE_EXTRA_CA_CERTS: at('tls-chain.pem'),
      })
      return [...there.tags('team/app').keys()]
    }

    test('ECR, with the token that its API gives', async () => {
      expect(await publishTo(ECR, `${ACCOUNT}-auth-token`, { AWS_ENDPOINT_URL: moto.url })).toEqual(['v1'])
    })

    test('ECR, as a role that is assumed', async () => {
      const role = { AWS_ENDPOINT_URL: moto.url, OCI_PUBLISH_ROLE_TO_ASSUME: `arn:aws:iam::${ACCOUNT}:role/publish` }
      expect(await publishTo(ECR, `${ACCOUNT}-auth-token`, role)).toEqual(['v1'])
    })

    test('ECR Public', async () => {
      const token = { authorizationToken: btoa('AWS:public'), expiresAt: 4e9 }
      await using api = await startStandIn(() => [200, { authorizationData: token }])
      expect(await publishTo(PUBLIC, 'public', { AWS_ENDPOINT_URL_ECR_PUBLIC: api.url })).toEqual(['v1'])
    })
  })

  test('credentials in YAML', async () => {
    await using locked = await startSpecRegistry({ auth: { scheme: 'bearer', username: 'ci', password: 'swordfish' } })
    const auth = `- registry: ${locked.host}\n  username: ci\n  password: swordfish\n`
    const args = ['publish', '--layers', 'site/:/srv/', '--images', `${locked.host}/team/app`, '--tags', 'v1']
    await ok(args, { OCI_PUBLISH_REGISTRY_AUTH: auth })
    expect([...locked.tags('team/app').keys()]).toEqual(['v1'])
  })

  test('the cache of GitHub, as the action has it', async () => {
    const asked: string[] = []
    const service = createServer((request, response) => {
      asked.push(request.url ?? '')
      request
        .resume()
        .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":false}'))
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    try {
      // A home of its own: a cache that holds something is not restored.
      await using box = await sandbox()
      const cache = { ACTIONS_RESULTS_URL: `http://127.0.0.1:${port}/`, ACTIONS_RUNTIME_TOKEN: 'x.e30.x' }
      const ran = await runAction(
        node,
        { images: image('action'), tags: 'v1', layers: 'assets/:/srv/' },
        { ...box, env: { ...box.env, ...cache, ACTIONS_CACHE_SERVICE_V2: 'true', NODE_V8_COVERAGE: coverage } },
      )
      expect(ran).toMatchObject({ exitCode: 0 })
      expect(ran.stdout).not.toMatch(/is not a function|is not a constructor/)
      expect(asked).toEqual(expect.arrayContaining([expect.stringContaining('GetCacheEntryDownloadURL')]))
    } finally {
      service.closeAllConnections()
      service.close()
    }
  })

  test('every command was run by one of these tests', async () => {
    const { stdout } = await runNode(node, [distFile('cli.js'), '--help'], { env })
    const listed = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^  ([a-z][a-z-]*) /gm)].map(([, name]) => name)
    expect(listed).toContain('publish')
    expect(listed.filter(name => name !== undefined && name !== 'help' && !commands.has(name))).toEqual([])
  })

  // The last one: it looks at what all of those above have loaded.
  test('every chunk of dist/ was loaded by one of these tests, so that what ships is what is tested', () => {
    const loaded = new Set<string>()
    for (const file of readdirSync(coverage)) {
      const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
        readonly result: readonly { readonly url: string }[]
      }
      for (const { url } of result) loaded.add(url.replace(/^.*\/dist\//, ''))
    }
    const chunks = [
      ...readdirSync(join(ROOT, 'dist/chunk')).map(file => `chunk/${file}`),
      ...['openpgp/openpgp.min.mjs', 'main.js', 'cli.js'],
    ]
    const missed = chunks.filter(chunk => !loaded.has(chunk))
    const isExcused = (chunk: string): boolean =>
      Object.keys(NEVER_LOADED).some(name => chunk.startsWith(`chunk/${name}-`))
    expect(missed.filter(chunk => !isExcused(chunk))).toEqual([])
    // An excuse that is not needed hides the next chunk of that name.
    expect(missed.filter(isExcused)).toHaveLength(Object.keys(NEVER_LOADED).length)
  })
})
