import { parseTrustedRoot } from '../../src/sign/trusted-root.ts'
import { someCertificate } from './some-certificates.ts'

const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'
const parse = (value: unknown): ReturnType<typeof parseTrustedRoot> =>
  parseTrustedRoot(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'root.json')

test('an empty root trusts nobody, and is one', async () => {
  expect(await parse({ mediaType })).toMatchObject({
    where: 'root.json',
    material: { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] },
  })
})

test('keys and certificates are read at once, so that a broken one is told before anything is verified', async () => {
  const { certificate } = someCertificate()
  const authority = (rawBytes: string): object => ({ certChain: { certificates: [{ rawBytes }] } })
  const good = authority(certificate.raw.toString('base64'))
  const { material } = await parse({ mediaType, certificateAuthorities: [good], timestampAuthorities: [good] })
  expect(material).toMatchObject({ certificateAuthorities: { length: 1 }, timestampAuthorities: { length: 1 } })
  const broken = parse({ mediaType, certificateAuthorities: [authority('AAAA')] })
  await expect(broken).rejects.toThrow(/^root\.json: a key or certificate of it cannot be read: /)
  await expect(broken).rejects.toMatchObject({
    code: 'INVALID_DOCUMENT',
    hint: '"cosign trusted-root create" writes one that can',
  })
})

test.each([
  ['{', /^root\.json: not JSON/],
  [[], /^root\.json: /],
  [
    { mediaType: 'application/json' },
    /^root\.json: mediaType does not begin with application\/vnd\.dev\.sigstore\.trustedroot/,
  ],
  [{ mediaType, tlogs: {} }, /^root\.json: tlogs is not a list/],
  [
    { mediaType, tlogs: [{ baseUrl: 'https://log.example' }] },
    /^root\.json: a key or certificate of it cannot be read/,
  ],
  ['x'.repeat((4 << 20) + 1), /^root\.json: has more than 4194304 bytes/],
])('what is no trusted root is refused', async (value, message) => {
  await expect(parse(value)).rejects.toThrow(message)
})
