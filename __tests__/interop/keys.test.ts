import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { keySigner, verifySignature } from '../../src/sign/key-signer.ts'
import { readPrivateKey } from '../../src/sign/private-key.ts'
import { readPublicKey } from '../../src/sign/public-key.ts'
import { run, temporaryDirectory } from '../support/peers.ts'

const PASSPHRASE = 'correct horse ü'
const ENV = { COSIGN_PASSWORD: PASSPHRASE }
const BLOB = Buffer.from('what is signed\n')

const COSIGNS = [
  { cosign: 'cosign2', alone: ['--tlog-upload=false'] },
  // Since 3 it signs by a signing configuration unless told otherwise.
  { cosign: 'cosign3', alone: ['--use-signing-config=false', '--new-bundle-format=false', '--tlog-upload=false'] },
]

/** How openssl makes a key of a kind, and the form that it writes it in. */
const OPENSSL = [
  { name: 'P-256 in PKCS #8', args: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] },
  { name: 'P-384 in PKCS #8', args: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
  { name: 'P-521 in PKCS #8', args: ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'] },
  { name: 'Ed25519 in PKCS #8', args: ['genpkey', '-algorithm', 'ED25519'] },
  { name: 'RSA 2048 in PKCS #8', args: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] },
  { name: 'RSA 3072 in PKCS #1', args: ['genrsa', '-traditional', '3072'] },
  { name: 'P-256 in SEC 1', args: ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'] },
]

/** Has a real cosign check what we sign, which is what users do who have only the public key. */
async function expectVerified(cosign: string, dir: string, key: KeyObject, publicKeyFile: string): Promise<void> {
  const files = { blob: join(dir, 'blob'), signature: join(dir, 'blob.sig') }
  await writeFile(files.blob, BLOB)
  const verify = ['verify-blob', '--key', publicKeyFile, '--signature', files.signature, '--insecure-ignore-tlog=true']
  const form = cosign === 'cosign3' ? ['--new-bundle-format=false'] : []
  const signature = await keySigner(key).sign(BLOB)
  await writeFile(files.signature, Buffer.from(signature).toString('base64'))
  await run(cosign, [...verify, ...form, files.blob])
  await writeFile(files.blob, 'something else\n')
  await expect(run(cosign, [...verify, ...form, files.blob])).rejects.toThrow(/exit code/)
}

describe.each(COSIGNS)('$cosign', ({ cosign, alone }) => {
  test('a key pair that it makes is read, and what is signed with it is verified by it', async () => {
    await using work = await temporaryDirectory()
    const { path: cwd } = work
    await run(cosign, ['generate-key-pair'], { cwd, env: ENV })
    const [key, pub] = await Promise.all(['cosign.key', 'cosign.pub'].map(name => readFile(join(cwd, name), 'utf8')))
    const privateKey = await readPrivateKey(key ?? '', 'cosign.key', { passphrase: PASSPHRASE })
    expect(createPublicKey(privateKey).equals(readPublicKey(pub ?? '', 'cosign.pub'))).toBe(true)
    await expectVerified(cosign, cwd, privateKey, join(cwd, 'cosign.pub'))
    await expect(readPrivateKey(key ?? '', 'cosign.key', { passphrase: 'wrong' })).rejects.toThrow(
      'passphrase is wrong',
    )
  })

  test('a key with an empty passphrase is read', async () => {
    await using work = await temporaryDirectory()
    const { path: cwd } = work
    await run(cosign, ['generate-key-pair'], { cwd, env: { COSIGN_PASSWORD: '' } })
    const privateKey = await readPrivateKey(await readFile(join(cwd, 'cosign.key'), 'utf8'), 'cosign.key')
    await expectVerified(cosign, cwd, privateKey, join(cwd, 'cosign.pub'))
  })

  test.each(OPENSSL)('a key of openssl ($name) signs, as it is and as it imports it', async ({ args }) => {
    await using work = await temporaryDirectory()
    const { path: cwd } = work
    const pem = await run('openssl', args)
    await writeFile(join(cwd, 'openssl.key'), pem)
    await run('openssl', ['pkey', '-in', 'openssl.key', '-pubout', '-out', 'openssl.pub'], { cwd })
    const plain = await readPrivateKey(pem, 'openssl.key')
    await expectVerified(cosign, cwd, plain, join(cwd, 'openssl.pub'))

    await run(cosign, ['import-key-pair', '--key', 'openssl.key', '--yes'], { cwd, env: ENV })
    const text = await readFile(join(cwd, 'import-cosign.key'), 'utf8')
    const imported = await readPrivateKey(text, 'import-cosign.key', { passphrase: PASSPHRASE })
    expect(imported.equals(plain)).toBe(true)
    const publicKey = readPublicKey(await readFile(join(cwd, 'import-cosign.pub'), 'utf8'), 'import-cosign.pub')
    expect(createPublicKey(plain).equals(publicKey)).toBe(true)
  })

  test.each([PASSPHRASE, ''])('a pair of ours signs with it (passphrase "%s")', async passphrase => {
    await using work = await temporaryDirectory()
    const { path: cwd } = work
    const env = { COSIGN_PASSWORD: passphrase }
    const pair = await generateCosignKeyPair({ passphrase })
    await writeFile(join(cwd, 'cosign.key'), pair.privateKey)
    await writeFile(join(cwd, 'blob'), BLOB)
    expect(await run(cosign, ['public-key', '--key', 'cosign.key'], { cwd, env })).toBe(pair.publicKey)
    const sign = ['sign-blob', '--key', 'cosign.key', ...alone, '--yes', '--output-signature', 'blob.sig', 'blob']
    await run(cosign, sign, { cwd, env })
    const signature = Buffer.from(await readFile(join(cwd, 'blob.sig'), 'utf8'), 'base64')
    expect(verifySignature(readPublicKey(pair.publicKey, 'cosign.pub'), BLOB, signature)).toBe(true)
  })
})

test('a key that openssl has encrypted is read with its passphrase', async () => {
  const [make] = OPENSSL
  const pem = await run('openssl', make?.args ?? [])
  const encrypt = ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-iter', '100000', '-passout', 'env:COSIGN_PASSWORD']
  const encrypted = await run('openssl', encrypt, { input: pem, env: ENV })
  expect(encrypted).toContain('BEGIN ENCRYPTED PRIVATE KEY')
  const [key, plain] = await Promise.all([
    readPrivateKey(encrypted, 'key.pem', { passphrase: PASSPHRASE }),
    readPrivateKey(pem, 'key.pem'),
  ])
  expect(key.equals(plain)).toBe(true)
})
