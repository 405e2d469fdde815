import { flipped } from '../sign/tampered.ts'
import { nameOf, NOT_REFUSED, publishAt, refusalOf, type Image } from '../support/bundle-on-image.ts'
import { openCosign, type CosignBench, type Trust } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, wholeSeconds as now } from '../support/signing.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IDENTITY = `https://github.com/${WORKFLOW}`
const OTHER_CERTIFICATE = 'the signature does not fit the certificate'

const sentence = (text: string | RegExp): unknown => (typeof text === 'string' ? text : expect.stringMatching(text))

describe('a signature in the older form is refused, by cosign as by us, when somebody changed', () => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let sigstore: LocalSigstore
  let trust: Extract<Trust, { identity: string }>
  let policy: string

  beforeAll(async () => {
    registry = await startRegistry({ referrers: true })
    cosign = await openCosign()
    sigstore = await startSigstore({ rekor: 1, tsa: false, now })
    trust = { identity: IDENTITY, issuer: GITHUB_ISSUER, trustedRoot: sigstore.trustedRootFile }
    policy = `identity=${IDENTITY},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`
  })

  afterAll(async () => {
    await sigstore.close()
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  const signed = async (content: string): Promise<Image> => {
    const image = await publishAt(registry, content)
    const values = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile, 'signature-format': 'legacy' }
    await signWithUs(nameOf(image), values, { env: sigstore.oidcEnv })
    return image
  }
  const signaturesOf = ({ host, repository, subject }: Image): string =>
    `${host}/${repository}:${subject.digest.replace(':', '-')}.sig`

  const expectRefused = async (image: Image, because: string | RegExp): Promise<void> => {
    for (const program of ['cosign2', 'cosign3'] as const) {
      await expect(cosign.verify(program, nameOf(image), trust)).rejects.toThrow(/exit code/)
    }
    expect(await refusalOf(nameOf(image), policy)).toEqual(sentence(because))
  }

  test('nothing: it is verified', async () => {
    const image = await signed('x')
    for (const program of ['cosign2', 'cosign3'] as const) await cosign.verify(program, nameOf(image), trust)
    expect(await refusalOf(nameOf(image), policy)).toBe(NOT_REFUSED)
  })

  test('the subject', async () => {
    const [image, other] = [await publishAt(registry, 'x'), await signed('another')]
    await run('crane', ['copy', signaturesOf(other), signaturesOf(image)])
    await expectRefused(image, /^the signature is about sha256:\w+, not sha256:\w+$/)
  })

  test.each<readonly [string, string, (value: string) => string, string | RegExp]>([
    [
      'the signature',
      'dev.cosignproject.cosign/signature',
      value => flipped(Buffer.from(value, 'base64')).toString('base64'),
      OTHER_CERTIFICATE,
    ],
    [
      'the promise of the log',
      'dev.sigstore.cosign/bundle',
      value => {
        const bundle = JSON.parse(value) as { readonly SignedEntryTimestamp: string }
        const SignedEntryTimestamp = flipped(Buffer.from(bundle.SignedEntryTimestamp, 'base64')).toString('base64')
        return JSON.stringify({ ...bundle, SignedEntryTimestamp })
      },
      "the log entry's promise (SET) is not that of the log about this entry",
    ],
  ])('%s', async (_, annotation, change, because) => {
    const image = await signed('x')
    const manifest = JSON.parse(await run('crane', ['manifest', signaturesOf(image)])) as {
      readonly mediaType: string
      readonly layers: readonly { annotations: Record<string, string> }[]
    }
    for (const { annotations } of manifest.layers) annotations[annotation] = change(annotations[annotation] ?? '')
    const url = `http://${signaturesOf(image).replace(/\/(.*):/, '/v2/$1/manifests/')}`
    const headers = { 'content-type': manifest.mediaType }
    const { status } = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(manifest) })
    expect(status).toBe(201)
    await expectRefused(image, because)
  })
})
