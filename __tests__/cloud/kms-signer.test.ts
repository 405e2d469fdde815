import { createHash, generateKeyPairSync, privateEncrypt, sign, verify, constants, type KeyObject } from 'node:crypto'
import type { KmsApi, KmsMessage, KmsPublicKey } from '../../src/cloud/kms-api.ts'
import { awsKmsSigner } from '../../src/cloud/kms-signer.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Signer } from '../../src/sign/signer.ts'
import { awsError } from './fake-ecr.ts'

const URI = 'awskms:///alias/release'
const PAE = new TextEncoder().encode('DSSEv1 4 text 5 hello')
const LONG = new Uint8Array(4097).fill(7)

interface FakeKms extends KmsApi {
  readonly asked: KmsMessage[]
}

/** What KMS does with a private key, hashes of others included. */
function fakeKms(privateKey: KeyObject, shown: KmsPublicKey, answers: Partial<KmsApi> = {}): FakeKms {
  const asked: KmsMessage[] = []
  return {
    asked,
    publicKey: io => answers.publicKey?.(io) ?? Promise.resolve(shown),
    sign(message, io) {
      asked.push(message)
      return answers.sign?.(message, io) ?? Promise.resolve(signatureOf(privateKey, message))
    },
  }
}

/** DER of DigestInfo (RFC 8017, 9.2) up to the hash. */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')

function signatureOf(key: KeyObject, { type, bytes }: KmsMessage): Uint8Array {
  if (type === 'RAW') return sign('sha256', bytes, key)
  const padding = constants.RSA_PKCS1_PADDING
  return privateEncrypt({ key, padding }, Buffer.concat([SHA256_INFO, bytes]))
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' })
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const EC: KmsPublicKey = { spki: spkiOf(ec.publicKey), keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' }
const RSA: KmsPublicKey = { spki: spkiOf(rsa.publicKey), keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' }

function signerOf(api: KmsApi): Promise<Signer> {
  return awsKmsSigner(URI, { open: () => Promise.resolve(api), region: 'eu-west-1', env: {} })
}

test.each([
  ['P-256', ec, EC, 'ECDSA_SHA_256'],
  ['RSA', rsa, RSA, 'RSASSA_PKCS1_V1_5_SHA_256'],
] as const)(
  'a %s key signs what verifiers of bare keys verify',
  async (_name, { privateKey, publicKey }, shown, algorithm) => {
    const kms = fakeKms(privateKey, shown)
    const signer = await signerOf(kms)
    expect(signer.publicKey.equals(publicKey)).toBe(true)
    expect(verify('sha256', PAE, publicKey, await signer.sign(PAE))).toBe(true)
    expect(kms.asked).toEqual([{ algorithm, type: 'RAW', bytes: PAE }])
  },
)

test('what is longer than KMS takes is signed by its digest', async () => {
  const kms = fakeKms(rsa.privateKey, RSA)
  const signer = await signerOf(kms)
  expect(verify('sha256', LONG, rsa.publicKey, await signer.sign(LONG))).toBe(true)
  await signer.sign(LONG.subarray(1))
  expect(kms.asked.map(({ type, bytes }) => [type, bytes.length])).toEqual([
    ['DIGEST', 32],
    ['RAW', 4096],
  ])
  expect(kms.asked[0]?.bytes).toEqual(createHash('sha256').update(LONG).digest())
})

test('a signature that the public key does not verify is never given away', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = await signerOf(fakeKms(other.privateKey, EC))
  await expect(signer.sign(PAE)).rejects.toMatchObject({
    code: 'WRONG_SIGNATURE',
    message: `${URI}: AWS gave a signature that its own public key does not verify`,
    hint: 'nothing was signed; if the alias was just moved to another key, run it again',
  })
  const garbled = await signerOf(fakeKms(ec.privateKey, EC, { sign: () => Promise.resolve(new Uint8Array(3)) }))
  await expect(garbled.sign(PAE)).rejects.toMatchObject({ code: 'WRONG_SIGNATURE' })
})

describe('keys whose signatures nobody could verify are refused before anything is signed', () => {
  test.each([
    ['ECC_NIST_P384', 'SIGN_VERIFY', /signs hashes other than SHA-256 only, and verifiers .* expect SHA-256$/],
    ['ECC_NIST_P521', 'SIGN_VERIFY', /signs hashes other than SHA-256 only/],
    ['ECC_SECG_P256K1', 'SIGN_VERIFY', /do not know the curve secp256k1$/],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', /at most 4096 bytes/],
    ['ML_DSA_65', 'SIGN_VERIFY', /do not know such keys$/],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', /made for something else than signatures/],
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', /made for something else than signatures/],
    ['RSA_2048', 'ENCRYPT_DECRYPT', /made for something else than signatures/],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', /made for something else than signatures/],
    ['constructor', 'SIGN_VERIFY', /do not know such keys$/],
  ])('%s for %s', async (keySpec, keyUsage, why) => {
    const kms = fakeKms(rsa.privateKey, { spki: RSA.spki, keySpec, keyUsage })
    const error = await signerOf(kms).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(why) as string,
      hint: 'make another key: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256',
    })
    expect((error as Error).message).toContain(`${URI} (${keySpec}, ${keyUsage})`)
  })
})

test('a public key that is none is told as such', async () => {
  const kms = fakeKms(ec.privateKey, { ...EC, spki: new Uint8Array(5) })
  await expect(signerOf(kms)).rejects.toMatchObject({
    code: 'INVALID_DOCUMENT',
    message: `${URI}: what AWS gave for the public key is none`,
  })
})

describe('what KMS refuses is told with what to do', () => {
  const DESCRIBE = 'aws kms describe-key --key-id alias/release --region eu-west-1'
  test.each([
    [
      'AccessDeniedException',
      'User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: kms:GetPublicKey on this resource because no resource-based policy allows it',
      /^allow kms:GetPublicKey to the role that signs, .*; signing takes kms:GetPublicKey and kms:Sign$/,
    ],
    ['AccessDeniedException', '', /^allow kms:GetPublicKey to the role that signs/],
    ['AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', /^the trust policy of the role/],
    ['CredentialsProviderError', 'Could not load credentials from any providers', /"permissions: id-token: write"/],
    [
      'NotFoundException',
      'Alias arn:aws:kms:eu-west-1:1:alias/release is not found.',
      new RegExp(`^look for it in eu-west-1, .*: ${DESCRIBE};.*"aws-region"`),
    ],
    [
      'DisabledException',
      'arn:aws:kms:eu-west-1:1:key/k is disabled.',
      /^enable it: aws kms enable-key --key-id ID --region eu-west-1$/,
    ],
    ['KMSInvalidStateException', 'arn:… is pending deletion.', new RegExp(`: ${DESCRIBE}$`)],
    ['UnsupportedOperationException', '', /^signing takes an asymmetric key: aws kms create-key /],
    ['ThrottlingException', 'Rate exceeded', /run it again$/],
  ])('%s: %s', async (name, text, hint) => {
    const cause = awsError(name, text)
    const kms = fakeKms(ec.privateKey, EC, { publicKey: () => Promise.reject(cause) })
    await expect(signerOf(kms)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
      message: `${URI}: could not read the public key: ${name}: ${text}`,
      hint: expect.stringMatching(hint) as string,
      cause,
    })
  })

  test('of signing, too, by the right that it takes', async () => {
    const sign = () => Promise.reject(awsError('AccessDeniedException', 'no'))
    const signer = await signerOf(fakeKms(ec.privateKey, EC, { sign }))
    await expect(signer.sign(PAE)).rejects.toMatchObject({
      message: `${URI}: could not sign: AccessDeniedException: no`,
      hint: expect.stringContaining('allow kms:Sign ') as string,
    })
  })

  test('what we found wrong ourselves keeps what we said', async () => {
    const error = new OciPublishError('NO_ID_TOKEN', 'NotFound: no ID token', { hint: 'add it' })
    const kms = fakeKms(ec.privateKey, EC, { publicKey: () => Promise.reject(error) })
    await expect(signerOf(kms)).rejects.toMatchObject({
      message: `${URI}: could not read the public key: NotFound: no ID token`,
      hint: 'add it',
    })
  })
})

test('a run that is stopped asks no more, and says nothing of AWS', async () => {
  const stop = new AbortController()
  const kms = fakeKms(ec.privateKey, EC, {
    sign() {
      stop.abort(new Error('stopped'))
      return Promise.reject(awsError('AbortError', 'Request aborted'))
    },
  })
  const signer = await signerOf(kms)
  await expect(signer.sign(PAE, { signal: stop.signal })).rejects.toThrow(/^stopped$/)
  await expect(signer.sign(PAE, { signal: stop.signal })).rejects.toThrow(/^stopped$/)
  expect(kms.asked).toHaveLength(1)
})

test('a URI that is none reaches nobody', async () => {
  const open = () => Promise.reject(new Error('asked'))
  await expect(awsKmsSigner('awskms://alias/x', { open, env: {} })).rejects.toMatchObject({ code: 'INVALID_KEY' })
  await expect(awsKmsSigner('gcpkms://x', { open, env: {} })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})
