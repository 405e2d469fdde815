import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from '../../src/http/client.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { composeBundle, parseBundle, type ParsedBundle } from '../../src/sign/bundle.ts'
import { signEnvelope } from '../../src/sign/envelope.ts'
import { serializeStatement, signatureStatement, SIGNATURE_PREDICATE } from '../../src/sign/statement.ts'
import { readIdentityToken } from '../../src/sigstore/identity-token.ts'
import { keylessIdentity } from '../../src/sigstore/keyless.ts'
import { witnessesOf } from '../../src/sigstore/witnesses.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const transport = createTransport({ version: '0' })
const BLOB = Buffer.from('a file')
const PREDICATE = 'https://example.test/predicate'

afterAll(() => transport.close())

/** cosign's verdict over a bundle. */
async function cosignVerifies(
  cosign: 'cosign2' | 'cosign3',
  bundle: Uint8Array,
  sigstore: LocalSigstore,
  type: string,
): Promise<void> {
  await using work = await temporaryDirectory()
  const [bundlePath, blobPath] = [join(work.path, 'bundle.json'), join(work.path, 'blob')]
  await writeFile(bundlePath, bundle)
  await writeFile(blobPath, BLOB)
  const who = ['--certificate-identity', `https://github.com/${WORKFLOW}`, '--certificate-oidc-issuer', GITHUB_ISSUER]
  const stamped = sigstore.tsaUrl === undefined ? [] : ['--use-signed-timestamps']
  const older = cosign === 'cosign2' ? ['--new-bundle-format', ...stamped] : []
  const what = ['--bundle', bundlePath, '--trusted-root', sigstore.trustedRootFile, '--type', type, blobPath]
  await run(cosign, ['verify-blob-attestation', ...older, ...who, ...what], { env: { HOME: work.path } })
}

/** A bundle that cosign made with the services of a sigstore. */
async function cosignAttests(sigstore: LocalSigstore): Promise<Uint8Array> {
  await using work = await temporaryDirectory()
  const path = (name: string): string => join(work.path, name)
  await writeFile(path('blob'), BLOB)
  await writeFile(path('predicate.json'), '{}')
  const where = ['--signing-config', sigstore.signingConfigFile, '--trusted-root', sigstore.trustedRootFile]
  const what = ['--type', PREDICATE, '--predicate', path('predicate.json'), '--bundle', path('bundle.json')]
  const token = ['--identity-token', sigstore.token()]
  const args = ['attest-blob', '-y', ...token, ...where, ...what, path('blob')]
  await run('cosign3', args, { env: { HOME: work.path } })
  return await readFile(path('bundle.json'))
}

test.each([
  [1, true, 'cosign2'],
  [1, false, 'cosign2'],
  [2, true, 'cosign2'],
  [1, true, 'cosign3'],
  [1, false, 'cosign3'],
  [2, true, 'cosign3'],
] as const)('what Rekor %i testified, with timestamp: %p, is enough for %s', async (rekor, tsa, cosign) => {
  await using sigstore = await startSigstore({ rekor, tsa })
  const { fulcioUrl, rekorUrl: url, tsaUrl } = sigstore
  const token = readIdentityToken(sigstore.token(), 'a token', Date.now())
  const keyless = await keylessIdentity({ transport, fulcioUrl, token: () => Promise.resolve(token) })
  const { signer, by } = await keyless.identity()
  const witnesses = witnessesOf({ log: { url, version: rekor }, tsaUrl }, { transport })
  const statement = serializeStatement(signatureStatement([digestOf(BLOB)]))
  let bundle: Uint8Array = Buffer.alloc(0)
  // The third has other entries on both sides of it in the tree.
  for (let entries = 1; entries <= 3; entries++) {
    const envelope = await signEnvelope(statement, signer)
    const entry = await witnesses.log?.record({ kind: 'dsse', envelope, by })
    const timestamp = await witnesses.timestamp?.(envelope.signature)
    const [logEntries, timestamps] = [entry ? [entry] : [], timestamp ? [timestamp] : []]
    bundle = composeBundle({ envelope, by, logEntries, timestamps })
  }
  await expect(cosignVerifies(cosign, bundle, sigstore, SIGNATURE_PREDICATE)).resolves.toBeUndefined()
})

describe.each([1, 2] as const)('with Rekor %i', rekor => {
  test('cosign signs with the services of the tests, and verifies that', async () => {
    await using sigstore = await startSigstore({ rekor })
    const bundle = await cosignAttests(sigstore)
    await expect(cosignVerifies('cosign3', bundle, sigstore, PREDICATE)).resolves.toBeUndefined()
    const services = sigstore.requests.map(({ service }) => service)
    expect([...new Set(services)].sort()).toEqual(['fulcio', 'rekor', 'tsa'])
  })

  test('an answer of the log becomes the entry that cosign makes of it', async () => {
    await using sigstore = await startSigstore({ rekor })
    const made = parseBundle(await cosignAttests(sigstore), 'bundle')
    const entry = await recordAgain(made, sigstore)
    expect([normal(entry)]).toEqual(made.logEntries.map(normal))
  })
})

/** What our client makes of the answer that cosign got. */
async function recordAgain(
  { envelope, certificate, logEntries }: ParsedBundle,
  sigstore: LocalSigstore,
): Promise<unknown> {
  if (!certificate) throw new Error('the bundle has no certificate')
  const { rekorUrl: url, rekorVersion: version } = sigstore
  const { log } = witnessesOf({ log: { url, version }, tsaUrl: undefined }, { transport })
  const sent = sigstore.requests.find(({ service }) => service === 'rekor')
  if (version === 1) {
    const again = await fetch(`${url}/api/v1/log/entries`, { method: 'POST', body: sent?.body ?? null })
    const found = await fetch(new URL(again.headers.get('location') ?? '', url))
    sigstore.fail('rekor', { status: 201, body: Buffer.from(await found.arrayBuffer()) })
  } else {
    // It shows an entry once; cosign keeps it as it is but for what says nothing.
    const answer = { integratedTime: '0', inclusionPromise: null, ...logEntries[0] }
    sigstore.fail('rekor', { status: 201, body: JSON.stringify(answer) })
  }
  return log?.record({ kind: 'dsse', envelope, by: { certificate, chain: [] } })
}

/** Zeros may be left out in protojson. */
function normal(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const said = Object.entries(value).filter(([, one]) => one !== '0' && one !== null && !isEmpty(one))
  return Object.fromEntries(said.map(([name, one]) => [name, normal(one)]))
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
