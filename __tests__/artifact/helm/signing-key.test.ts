import { readSigningKey } from '../../../src/artifact/helm/signing-key.ts'
import { tempDir } from '../../layer/temp-dir.ts'

const ARMORED = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nabc\n-----END PGP PRIVATE KEY BLOCK-----'

test.each([
  ['an armored key', `  ${ARMORED}\n`, ARMORED],
  ['a key in base64', 'A'.repeat(300), 'A'.repeat(300)],
  ['a key in base64, wrapped', 'AAAA\nBBBB', 'AAAA\nBBBB'],
])('%s is taken as it is', async (_name, text, privateKey) => {
  await expect(readSigningKey({ text, passphrase: 'x' })).resolves.toEqual({ privateKey, passphrase: 'x' })
})

test('a path is read', async () => {
  using dir = tempDir()
  dir.put({ 'key.gpg': 'bytes' })
  const { privateKey } = await readSigningKey({ text: `${dir.path}/key.gpg\n`, passphrase: undefined })
  expect(Buffer.from(privateKey as Uint8Array).toString()).toBe('bytes')
})

test('what is neither is refused, without repeating what may be half a key', async () => {
  const refused = readSigningKey({ text: 'half-a-key', passphrase: undefined })
  await expect(refused).rejects.toThrow('chart-sign-key: is neither a PGP key nor a file that can be read (ENOENT)')
  await expect(refused).rejects.not.toThrow('half-a-key')
})
