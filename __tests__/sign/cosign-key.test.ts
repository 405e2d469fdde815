import { createPrivateKey, randomBytes, scryptSync } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { decryptCosignKey, encryptCosignKey } from '../../src/sign/cosign-key.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { formatPem, pemBlocks, type PemBlock } from '../../src/sign/pem.ts'
import { readPublicKey } from '../../src/sign/public-key.ts'
import { readPrivateKey } from '../../src/sign/private-key.ts'
import { keyHint, keySigner, verifySignature } from '../../src/sign/key-signer.ts'

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'

function blockOf(text: string): PemBlock {
  const [block] = pemBlocks(text, 'cosign.key')
  if (block === undefined) throw new Error('there is no block')
  return block
}

function encoded(content: string | object): PemBlock {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return blockOf(formatPem(LABEL, Buffer.from(text).toString('base64')))
}

const SALT = randomBytes(32)
const NONCE = randomBytes(24)
const FILE = {
  kdf: { name: 'scrypt', params: { N: 32768, r: 8, p: 1 }, salt: SALT.toString('base64') },
  cipher: { name: 'nacl/secretbox', nonce: NONCE.toString('base64') },
  ciphertext: '',
}

/** As cosign does it, with any cost. */
function encryptedWith(cost: number, plaintext: string, passphrase: string): PemBlock {
  const options = { N: cost, r: 8, p: 1, maxmem: 512 << 20 }
  const key = scryptSync(passphrase, SALT, 32, options)
  const ciphertext = Buffer.from(xsalsa20poly1305(key, NONCE).encrypt(Buffer.from(plaintext))).toString('base64')
  return encoded({ ...FILE, kdf: { ...FILE.kdf, params: { N: cost, r: 8, p: 1 } }, ciphertext })
}

async function decrypted(block: PemBlock, passphrase: string): Promise<string | undefined> {
  const bytes = await decryptCosignKey(block, passphrase, 'cosign.key')
  return bytes && Buffer.from(bytes).toString()
}

test.each([32768, 65536, 131072])('a key encrypted with the cost %d that cosign allows is decrypted', async cost => {
  const block = encryptedWith(cost, 'DER', 'pass phrase ü')
  expect(await decrypted(block, 'pass phrase ü')).toBe('DER')
})

test('another passphrase does not decrypt a key, however alike they look', async () => {
  expect(await decrypted(encryptedWith(32768, 'DER', 'pass phrase ü'), 'pass phrase u')).toBeUndefined()
})

test('what is encrypted looks as in the files of cosign, and never twice the same', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => encryptCosignKey(Buffer.from('DER'), '')))
  expect(one).not.toBe(two)
  const lines = one?.split('\n') ?? []
  expect(lines.at(0)).toBe('-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----')
  expect(lines.slice(-2)).toEqual(['-----END ENCRYPTED SIGSTORE PRIVATE KEY-----', ''])
  expect(new Set(lines.slice(1, -3).map(line => line.length))).toEqual(new Set([64]))
  const json: unknown = JSON.parse(Buffer.from(blockOf(one ?? '').body ?? '', 'base64').toString())
  expect(json).toEqual({
    kdf: {
      name: 'scrypt',
      params: { N: 65536, r: 8, p: 1 },
      salt: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string,
    },
    cipher: { name: 'nacl/secretbox', nonce: expect.stringMatching(/^[A-Za-z0-9+/]{32}$/) as string },
    ciphertext: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as string,
  })
  expect(await decrypted(blockOf(one ?? ''), '')).toBe('DER')
})

test('a key that was changed on the way is not decrypted', async () => {
  const body = Buffer.from(encryptedWith(32768, 'DER', '').body ?? '', 'base64').toString()
  const { ciphertext, ...rest } = JSON.parse(body) as { ciphertext: string }
  const bytes = Buffer.from(ciphertext, 'base64')
  for (const at of [0, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(await decrypted(encoded({ ...rest, ciphertext: changed.toString('base64') }), '')).toBeUndefined()
  }
})

describe('a file that would cost any amount of memory, or is no key of cosign, is refused with what is wrong', () => {
  const { kdf, cipher } = FILE
  test.each([
    [{ ...FILE, kdf: { ...kdf, params: { N: 16384, r: 8, p: 1 } } }, 'kdf.params.N is none of 32768, 65536, 131072'],
    [{ ...FILE, kdf: { ...kdf, params: { N: 2 ** 30, r: 8, p: 1 } } }, 'kdf.params.N is none of 32768, 65536, 131072'],
    [{ ...FILE, kdf: { ...kdf, params: { N: 65536, r: 9, p: 4 } } }, 'kdf.params.r is not 8; kdf.params.p is not 1'],
    [{ ...FILE, kdf: { ...kdf, name: 'argon2' } }, 'kdf.name is not "scrypt"'],
    [{ ...FILE, cipher: { ...cipher, name: 'aes' } }, 'cipher.name is not "nacl/secretbox"'],
    [{ ...FILE, cipher: { ...cipher, nonce: 'AAAA' } }, 'cipher.nonce is not of 24 bytes'],
    [{ ...FILE, ciphertext: 'c2Vj cmV0' }, 'ciphertext is not base64'],
    [{ kdf, ciphertext: '' }, 'cipher is missing'],
    [
      { kdf: 1, cipher: 'x', ciphertext: null },
      'kdf is not an object; cipher is not an object; ciphertext is not text',
    ],
    ['"c2VjcmV0"', 'it is not an object'],
  ])('%#', async (content, problem) => {
    await expect(decryptCosignKey(encoded(content), '', 'cosign.key')).rejects.toMatchObject({
      code: 'INVALID_KEY',
      message: `cosign.key: is no private key as cosign encrypts them: ${problem}`,
      hint: 'make a new key with "cosign generate-key-pair" or "oci-publish generate-key-pair"',
    })
  })

  test('text that is no JSON, of which nothing is repeated', async () => {
    const refused = decryptCosignKey(encoded('{"secret'), '', 'cosign.key')
    await expect(refused).rejects.toThrow('cosign.key: is damaged: there is no JSON in this private key of cosign')
    await expect(refused).rejects.not.toHaveProperty('cause')
  })
})

test('nothing is decrypted after the run was stopped', async () => {
  const signal = AbortSignal.abort(new Error('stopped'))
  await expect(decryptCosignKey(encoded(FILE), '', 'cosign.key', { signal })).rejects.toThrow('stopped')
})

test('a key of the older name is read: who has signed for years need not make a new one', async () => {
  const { privateKey, publicKey } = await generateCosignKeyPair({ passphrase: 'x' })
  const key = await readPrivateKey(privateKey.replaceAll('SIGSTORE', 'COSIGN'), 'cosign.key', { passphrase: 'x' })
  expect(keyHint(keySigner(key).publicKey)).toBe(keyHint(readPublicKey(publicKey, 'cosign.pub')))
})

test('a key and a signature that cosign 2.6.5 made are read, without cosign', async () => {
  const key = await readPrivateKey(GOLDEN.privateKey, 'cosign.key', { passphrase: 'golden vector' })
  const publicKey = readPublicKey(GOLDEN.publicKey, 'cosign.pub')
  expect(keySigner(key).publicKey.equals(publicKey)).toBe(true)
  expect(verifySignature(publicKey, Buffer.from('what is signed\n'), Buffer.from(GOLDEN.signature, 'base64'))).toBe(
    true,
  )
})

const GOLDEN = {
  privateKey: `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiI0RDJ6SHJMT1BtS2hYOWpkL1d5d3ExWjFjQW83cVI5
NWhENVhFaHVJaFdRPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJGU2twZ2VIbDFOQVp3NUdjM2djU1NYNktSaU9PQnFKTSJ9LCJj
aXBoZXJ0ZXh0IjoibkQwUzVBa0hJVEg2RFYxZ2kyRThEUWtNMEhteTFIWGZ4Tnht
UDE4czdxajhIOGI4SjlFZnY1TkFpTjJXYmJzWE9UZGtDUS9OMUQyK3p3M0IrSjZn
dlI2TDh2c0xJZ3MrYmNwZm5XU3lkL2c4YTZkcUdEMis1a01TYmIwYy9KaS9MWXNS
T2ZMcjNoRnR3VGpzQUprdG0wa0tJbURRTk9sRmJPUkowcXIyTUc1bFVtTlZ2V0NN
SHFsQ2U2TjlJNzBYQnB4WmlLc2U1UmJoSHc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`,
  publicKey: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEq+PK0Q6FAGQnWwUl9YnM6sX/whIM
539Ph7cwL1vaCcefGazA/B7skG/XLRtY3h8QNJ9sTY5aVHIdYl+OeF7cAg==
-----END PUBLIC KEY-----
`,
  signature: 'MEYCIQCAT4LXIDUYq9X3dP5H2MyNarxGiOaiQsQShI3zJUj1JwIhAK0HGA+BAep96kASZ7koZRenrRQkN3V1ovO972rZ2MiJ',
}

test('a pair that is made is of P-256, each time another one', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => generateCosignKeyPair({ passphrase: '' })))
  expect(one?.publicKey).not.toBe(two?.publicKey)
  expect(readPublicKey(one?.publicKey ?? '', 'cosign.pub').asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  const block = blockOf(one?.privateKey ?? '')
  const der = await decryptCosignKey(block, '', 'cosign.key')
  expect(createPrivateKey({ key: Buffer.from(der ?? []), format: 'der', type: 'pkcs8' }).type).toBe('private')
})
