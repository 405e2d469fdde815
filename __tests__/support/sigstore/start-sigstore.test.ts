import { githubIdToken } from '../../../src/cloud/github-id-token.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { identityOf } from '../../../src/sign/certificate.ts'
import { signEnvelope } from '../../../src/sign/envelope.ts'
import { serializeStatement, signatureStatement } from '../../../src/sign/statement.ts'
import { identityToken } from '../../../src/sigstore/identity-token.ts'
import { keylessIdentity } from '../../../src/sigstore/keyless.ts'
import { witnessesOf } from '../../../src/sigstore/witnesses.ts'
import { verifyBundle } from '../../sigstore/bundles.ts'
import { client } from '../../sigstore/client.ts'
import { startSigstore } from './start-sigstore.ts'

const WEEK_MS = 7 * 24 * 3600 * 1000

test.each([1, 2] as const)(
  'a job signs with its own token, and what it signed last week verifies (Rekor %i)',
  async rekor => {
    const now = (): number => Date.now() - WEEK_MS
    await using sigstore = await startSigstore({ rekor, now: () => new Date(now()), claims: { event_name: 'release' } })
    await using http = client()
    const { transport } = http
    const onSecret = (): void => undefined
    const ask = (audience: string): Promise<string> =>
      githubIdToken(audience, { env: sigstore.oidcEnv, transport, onSecret })
    const token = (): ReturnType<typeof identityToken> => identityToken({ env: {}, githubIdToken: ask, onSecret, now })
    const keyless = await keylessIdentity({ transport, fulcioUrl: sigstore.fulcioUrl, token, now })
    const { signer, by } = await keyless.identity()
    if (!by.certificate) throw new Error('there is no certificate')
    expect(identityOf(by.certificate).buildTrigger).toBe('release')
    expect(Date.parse(by.certificate.validTo)).toBeLessThan(Date.now())

    const { rekorUrl: url, tsaUrl } = sigstore
    const witnesses = witnessesOf({ log: { url, version: rekor }, tsaUrl }, { transport, now })
    const envelope = await signEnvelope(
      serializeStatement(signatureStatement([digestOf(Buffer.from('image'))])),
      signer,
    )
    const entry = await witnesses.log?.record({ kind: 'dsse', envelope, by })
    const timestamp = await witnesses.timestamp?.(envelope.signature)
    const parts = { envelope, by, logEntries: entry ? [entry] : [], timestamps: timestamp ? [timestamp] : [] }
    expect(() => {
      verifyBundle(sigstore, parts, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: rekor === 1 ? 2 : 1 })
    }).not.toThrow()
  },
)

test('a service that is stopped does not take the others with it', async () => {
  await using sigstore = await startSigstore()
  await sigstore.stop('rekor')
  await expect(fetch(sigstore.rekorUrl)).rejects.toThrow('fetch failed')
  expect((await fetch(sigstore.fulcioUrl)).status).toBe(404)
})
