import { createPublicKey } from 'node:crypto'
import { OciPublishError } from '../../src/errors.ts'
import { encryptCosignKey } from '../../src/sign/cosign-key.ts'
import { readPrivateKey } from '../../src/sign/private-key.ts'
import { REFUSED_KINDS } from './refused-keys.ts'
import { CERTIFICATE, pem, someKeys } from './some-keys.ts'

const KEYS = someKeys()

/** With PBE-MD5-DES, by openssl; the passphrase is `x`. */
const DES_ENCRYPTED = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MFcwGwYJKoZIhvcNAQUDMA4ECAWxIeABkqEJAgIIAAQ4QyZ9juYJ8tmGmGl37TZa
i/24osdJqYA0XQjXYOVoBfAmQn2KctWV39c74weL6wUuOJUp2EgVyns=
-----END ENCRYPTED PRIVATE KEY-----
`

const [P256, , , ED25519, RSA] = KEYS

function one(key: (typeof KEYS)[number] | undefined): (typeof KEYS)[number] {
  if (key === undefined) throw new Error('there is no such key')
  return key
}

const isEd25519 = (key: (typeof KEYS)[number]): boolean => key.privateKey.asymmetricKeyType === 'ed25519'

async function refusal(text: string, passphrase?: string): Promise<OciPublishError> {
  const error: unknown = await readPrivateKey(text, 'sign-key', { passphrase }).catch((thrown: unknown) => thrown)
  if (!(error instanceof OciPublishError)) throw new Error('it was not refused', { cause: error })
  return error
}

describe.each(KEYS)('a private key of kind $name', key => {
  const { privateKey } = key
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret' } as const

  test('is read in the format of cosign', async () => {
    const text = await encryptCosignKey(privateKey.export({ type: 'pkcs8', format: 'der' }), 'secret')
    expect((await readPrivateKey(text, 'sign-key', { passphrase: 'secret' })).equals(privateKey)).toBe(true)
  })

  test('is read in PKCS #8, encrypted or not', async () => {
    expect((await readPrivateKey(pem(privateKey), 'sign-key')).equals(privateKey)).toBe(true)
    const text = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString()
    expect((await readPrivateKey(text, 'sign-key', { passphrase: 'secret' })).equals(privateKey)).toBe(true)
  })
})

describe.each(KEYS.filter(key => !isEd25519(key)))('a private key of kind $name', ({ privateKey, name }) => {
  const type = name.startsWith('RSA') ? 'pkcs1' : 'sec1'

  test(`is read in ${type.toUpperCase()}, encrypted or not`, async () => {
    const plain = privateKey.export({ type, format: 'pem' }).toString()
    expect((await readPrivateKey(plain, 'sign-key')).equals(privateKey)).toBe(true)
    const text = privateKey.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString()
    expect(text).toContain('Proc-Type: 4,ENCRYPTED')
    expect((await readPrivateKey(text, 'sign-key', { passphrase: 'secret' })).equals(privateKey)).toBe(true)
  })
})

test('a key in a secret whose lines the CI system has joined is read all the same', async () => {
  const { privateKey } = one(RSA)
  const text = pem(privateKey)
  for (const separator of [' ', '\\n', '\r\n', '\\r\\n', '\n\n', '\n  ']) {
    expect((await readPrivateKey(text.replaceAll('\n', separator), 'sign-key')).equals(privateKey)).toBe(true)
  }
})

test('what openssl writes around and before a key does no harm', async () => {
  const { privateKey } = one(P256)
  const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
  const text = `Bag Attributes\n    friendlyName: me\n${parameters}${sec1}${CERTIFICATE}`
  expect((await readPrivateKey(text, 'sign-key')).equals(privateKey)).toBe(true)
})

test('a passphrase that is given for a key without one is not asked about', async () => {
  const { privateKey } = one(ED25519)
  expect((await readPrivateKey(pem(privateKey), 'sign-key', { passphrase: 'x' })).equals(privateKey)).toBe(true)
})

describe('without its passphrase', () => {
  const HINT = 'the passphrase is taken from the input sign-password, or from the environment variable COSIGN_PASSWORD'
  const { privateKey } = one(P256)
  const der = privateKey.export({ type: 'pkcs8', format: 'der' })
  const options = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  const encrypted: readonly (readonly [string, () => Promise<string>])[] = [
    ['of cosign', () => encryptCosignKey(der, 'secret')],
    ['in PKCS #8', async () => Promise.resolve(privateKey.export({ type: 'pkcs8', ...options }).toString())],
    ['in SEC 1', async () => Promise.resolve(privateKey.export({ type: 'sec1', ...options }).toString())],
  ]

  test.each(encrypted)('a key %s is refused with the places where one is looked for', async (_name, encrypt) => {
    const text = await encrypt()
    expect(await refusal(text)).toMatchObject({
      ...{ code: 'INVALID_KEY', hint: HINT },
      message: 'sign-key: is encrypted, and no passphrase is given',
    })
    for (const wrong of ['', 'x'.repeat(2000)]) {
      const message = 'sign-key: cannot be decrypted: the passphrase is wrong, or the key is damaged'
      expect(await refusal(text, wrong)).toMatchObject({ code: 'INVALID_KEY', hint: HINT, message })
    }
  })

  test('a key of which no passphrase helps is refused with how to encrypt it anew', async () => {
    expect(await refusal(DES_ENCRYPTED, 'x')).toMatchObject({
      ...{ code: 'INVALID_KEY', message: 'sign-key: is encrypted in a way that is not read any more, or damaged' },
      hint: '"openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in KEY" encrypts it anew',
    })
    expect(await refusal(DES_ENCRYPTED)).toMatchObject({ hint: HINT })
  })

  test('a key of cosign with the empty passphrase is read', async () => {
    const text = await encryptCosignKey(der, '')
    expect((await readPrivateKey(text, 'sign-key')).equals(privateKey)).toBe(true)
    expect((await readPrivateKey(text, 'sign-key', { passphrase: '' })).equals(privateKey)).toBe(true)
  })
})

describe('what cannot sign is refused with what it is, and what to do', () => {
  const USABLE =
    'usable are ECDSA on P-256, P-384 and P-521, Ed25519, and RSA of 2048 bits or more; ' +
    '"oci-publish generate-key-pair" makes one'

  test.each(REFUSED_KINDS)('a key that %s', async (problem, { privateKey }) => {
    const message = `sign-key: ${problem}`
    expect(await refusal(pem(privateKey))).toMatchObject({ code: 'INVALID_KEY', message, hint: USABLE })
  })

  test('such a key inside one of cosign', async () => {
    const [problem, { privateKey }] = REFUSED_KINDS[0] ?? ['', one(P256)]
    const text = await encryptCosignKey(privateKey.export({ type: 'pkcs8', format: 'der' }), '')
    expect(await refusal(text)).toMatchObject({ message: `sign-key: ${problem}`, hint: USABLE })
  })

  test.each([
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----',
      'is a private key in the format of OpenSSH',
      'of ECDSA and RSA "ssh-keygen -p -m PKCS8 -f COPY" makes one in PKCS #8, in place, so let it work on a copy; ' +
        'or "oci-publish generate-key-pair" makes one',
    ],
    [
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nc2VjcmV0\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----',
      'is a PGP key, which signs charts but not images',
      'chart-sign-key takes it; for images "oci-publish generate-key-pair" makes one',
    ],
    [
      pem(one(P256).publicKey),
      'is a public key, which cannot sign',
      'give the private key that it belongs to: with cosign.pub that is cosign.key',
    ],
    [
      createPublicKey(one(RSA).privateKey).export({ type: 'pkcs1', format: 'pem' }).toString(),
      'is a public key, which cannot sign',
      'give the private key that it belongs to: with cosign.pub that is cosign.key',
    ],
    [CERTIFICATE, 'is a certificate, which cannot sign', 'give the private key that the certificate was issued for'],
    [
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@example',
      'is an SSH public key, which cannot sign',
      '"oci-publish generate-key-pair" makes one',
    ],
    [
      '-----BEGIN CERTIFICATE REQUEST-----\nc2VjcmV0\n-----END CERTIFICATE REQUEST-----',
      'has no private key, but CERTIFICATE REQUEST',
      '"oci-publish generate-key-pair" makes one',
    ],
    [
      'c2VjcmV0',
      'is not PEM, which begins with "-----BEGIN"',
      '"openssl pkey -inform DER -in KEY -out key.pem" converts a key in DER',
    ],
    ['', 'is empty', '"oci-publish generate-key-pair" makes one'],
    [
      pem(one(P256).privateKey).slice(0, -20),
      'is cut off: "-----END PRIVATE KEY-----" is missing',
      'give the whole text, with its first and last line and all between them',
    ],
    [pem(one(P256).privateKey) + pem(one(ED25519).privateKey), 'has more than one private key', 'give only one'],
    [
      '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
      'is no private key that can be read',
      'compare it with the file that it was copied from; "openssl pkey -in KEY -check -noout" has to accept it',
    ],
  ])('%#', async (text, problem, hint) => {
    const error = await refusal(text)
    expect(error).toMatchObject({ code: 'INVALID_KEY', message: `sign-key: ${problem}`, hint })
    expect(`${error.message}${error.hint ?? ''}${String(error.cause)}`).not.toContain('c2VjcmV0')
  })
})
