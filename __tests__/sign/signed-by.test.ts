import { expectSigner, type ReadPolicy } from '../../src/sign/signed-by.ts'
import { parsePolicy } from '../../src/sign/policy.ts'
import { parseTrustedRoot } from '../../src/sign/trusted-root.ts'
import { ISSUER, SAN, someCertificate } from './some-certificates.ts'

const NO_ROOT = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', certificateAuthorities: [] }

async function whoPolicy(line: string): Promise<ReadPolicy> {
  const { policy } = parsePolicy(line, 'policy')
  if (!policy || policy.key !== undefined) throw new Error('no policy')
  return { ...policy, root: await parseTrustedRoot(Buffer.from(JSON.stringify(NO_ROOT)), 'root.json') }
}

test.each([[`issuer=${ISSUER}`], ['issuer-regexp=.*'], ['issuer-regexp=.*undefined.*|none|'], ['issuer=none']])(
  'a certificate without an issuer is refused, even by a policy with %s',
  async issuer => {
    const policy = await whoPolicy(`identity=${SAN},${issuer}`)
    const { certificate } = someCertificate({ claims: {} })
    expect(() => expectSigner(certificate, undefined, policy)).toThrow(`signed by ${SAN} (issuer none), not by ${SAN}`)
  },
)

test('a certificate is trusted when identity and issuer both match', async () => {
  const policy = await whoPolicy(`identity=${SAN},issuer=${ISSUER}`)
  const { certificate } = someCertificate()
  expect(expectSigner(certificate, undefined, policy)).toMatchObject({ identity: { san: SAN, issuer: ISSUER } })
})

test.each([
  [`identity=${SAN},issuer=https://evil.example`],
  [`identity=${SAN.replace('team', 'evil')},issuer=${ISSUER}`],
])('a certificate is refused when only one of them matches: %s', async line => {
  const policy = await whoPolicy(line)
  const { certificate } = someCertificate()
  expect(() => expectSigner(certificate, undefined, policy)).toThrow(`signed by ${SAN} (issuer ${ISSUER}), not by `)
})
