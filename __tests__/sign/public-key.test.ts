import { OciPublishError } from '../../src/errors.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { readPublicKey } from '../../src/sign/public-key.ts'
import { REFUSED_KINDS } from './refused-keys.ts'
import { CERTIFICATE, pem, someKeys } from './some-keys.ts'

const KEYS = someKeys()

function refusal(text: string): OciPublishError {
  try {
    readPublicKey(text, 'verify-key')
  } catch (error) {
    if (error instanceof OciPublishError) return error
    throw error
  }
  throw new Error('it was not refused')
}

test.each(KEYS)('a public key of kind $name is read', ({ publicKey }) => {
  expect(readPublicKey(pem(publicKey), 'verify-key').equals(publicKey)).toBe(true)
  expect(readPublicKey(pem(publicKey).replaceAll('\n', ' '), 'verify-key').equals(publicKey)).toBe(true)
})

test('a public key of RSA is read in PKCS #1 too', () => {
  const key = KEYS.find(({ name }) => name.startsWith('RSA'))?.publicKey
  const text = key?.export({ type: 'pkcs1', format: 'pem' }).toString() ?? ''
  expect(text).toContain('BEGIN RSA PUBLIC KEY')
  expect(key?.equals(readPublicKey(text, 'verify-key'))).toBe(true)
})

test.each(REFUSED_KINDS)('no image is verified with a key that %s', (problem, { publicKey }) => {
  expect(refusal(pem(publicKey))).toMatchObject({ code: 'INVALID_KEY', message: `verify-key: ${problem}` })
})

describe('what is no public key is refused with what it is, and how to get one', () => {
  const PRIVATE = 'is a private key, which nobody needs who only verifies'
  const [key, other] = KEYS
  if (key === undefined || other === undefined) throw new Error('there are no keys')

  test('a private key of cosign', async () => {
    const { privateKey } = await generateCosignKeyPair({ passphrase: '' })
    const hint = 'give cosign.pub, which was made with cosign.key; "cosign public-key --key cosign.key" prints it again'
    expect(refusal(privateKey)).toMatchObject({ code: 'INVALID_KEY', message: `verify-key: ${PRIVATE}`, hint })
  })

  test.each([
    [pem(key.privateKey), PRIVATE, '"openssl pkey -in KEY -pubout" prints the public key'],
    [
      pem(key.publicKey) + key.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
      PRIVATE,
      '"openssl pkey -in KEY -pubout" prints the public key',
    ],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----',
      PRIVATE,
      '"ssh-keygen -e -m PKCS8 -f KEY.pub" prints the public key in the format that is read here',
    ],
    [
      CERTIFICATE,
      'is a certificate, not a public key',
      '"openssl x509 -in CERTIFICATE -pubkey -noout" prints the public key in it, if that is what is to be trusted',
    ],
    [
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----',
      'is a PGP key, which signs charts but not images',
      'give the public key in PEM, such as cosign.pub',
    ],
    [
      'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI me@example',
      'is an SSH public key',
      '"ssh-keygen -e -m PKCS8 -f KEY.pub" prints it in the format that is read here, unless it is Ed25519',
    ],
    [
      '0Y0\u0013',
      'is not PEM, which begins with "-----BEGIN"',
      '"openssl pkey -pubin -inform DER -in KEY -out key.pem" converts a key in DER',
    ],
    [
      pem(key.publicKey).slice(0, 60),
      'is cut off: "-----END PUBLIC KEY-----" is missing',
      'give the whole text, with its first and last line and all between them',
    ],
    [pem(key.publicKey) + pem(other.publicKey), 'has more than one public key', 'give only one'],
    [
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      'is no public key that can be read',
      'compare it with the file that it was copied from; "openssl pkey -pubin -in KEY -noout" has to accept it',
    ],
  ])('%#', (text, problem, hint) => {
    expect(refusal(text)).toMatchObject({ code: 'INVALID_KEY', message: `verify-key: ${problem}`, hint })
  })
})
