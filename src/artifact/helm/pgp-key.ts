import type * as OpenPgp from 'openpgp'
import { messageOf, OciPublishError } from '../../errors.ts'

/** Milliseconds since 1970 from which on all that the key says of itself is there. */
export function usableFrom(key: OpenPgp.PrivateKey): number {
  const signatures = [
    ...key.users.flatMap(({ selfCertifications }) => selfCertifications),
    ...key.subkeys.flatMap(({ bindingSignatures }) => bindingSignatures),
  ]
  const times = signatures.map(({ created }) => created?.getTime() ?? 0)
  return Math.max(...times, ...key.getKeys().map(part => part.getCreationTime().getTime()))
}

/**
 * The one private key, open, and of use today.
 *
 * @throws {OciPublishError} INVALID_KEY
 */
export async function unlockedKey(
  openpgp: typeof OpenPgp,
  privateKey: string | Uint8Array,
  passphrase: string | undefined,
): Promise<OpenPgp.PrivateKey> {
  const keys = await readPrivateKeys(openpgp, privateKey)
  const [key] = keys
  if (!key || keys.length > 1) {
    throw invalidKey(
      `there are ${keys.length} private keys in it, not one`,
      undefined,
      'export one key: gpg --export-secret-keys KEY',
    )
  }
  if (await key.isRevoked()) throw invalidKey('it is revoked')
  const expires = await key.getExpirationTime()
  if (expires !== null && Number(expires) <= Date.now()) {
    throw invalidKey(`it has expired on ${new Date(Number(expires)).toISOString()}`)
  }
  if (key.isDecrypted()) return key
  if (!passphrase) throw invalidKey('it is locked', undefined, 'give its passphrase')
  try {
    return await openpgp.decryptKey({ privateKey: key, passphrase })
  } catch (error) {
    throw invalidKey(`the passphrase does not open it (${messageOf(error)})`, error)
  }
}

async function readPrivateKeys(
  openpgp: typeof OpenPgp,
  source: string | Uint8Array,
): Promise<readonly OpenPgp.PrivateKey[]> {
  const { armored, binary } = keyForms(source)
  try {
    if (armored !== undefined) return await openpgp.readPrivateKeys({ armoredKeys: armored })
    return await openpgp.readPrivateKeys({ binaryKeys: binary })
  } catch (error) {
    throw invalidKey(
      `it cannot be read (${messageOf(error)})`,
      error,
      'export it: gpg --export-secret-keys --armor KEY',
    )
  }
}

/** @throws {OciPublishError} INVALID_KEY */
export async function readPublicKeys(
  openpgp: typeof OpenPgp,
  source: string | Uint8Array,
): Promise<readonly OpenPgp.PublicKey[]> {
  const { armored, binary } = keyForms(source)
  try {
    const keys =
      armored === undefined
        ? await openpgp.readKeys({ binaryKeys: binary })
        : await openpgp.readKeys({ armoredKeys: armored })
    return keys.map(key => key.toPublic())
  } catch (error) {
    throw invalidKey(`it cannot be read (${messageOf(error)})`, error, 'export it: gpg --export KEY')
  }
}

type KeyForms =
  | { readonly armored: string; readonly binary?: undefined }
  | { readonly armored?: undefined; readonly binary: Uint8Array }

function keyForms(source: string | Uint8Array): KeyForms {
  const text =
    typeof source === 'string' ? source.trim() : Buffer.from(source.subarray(0, 64)).toString('latin1').trim()
  if (text.startsWith('-----BEGIN')) return { armored: Buffer.from(source as Uint8Array).toString() }
  return { binary: typeof source === 'string' ? Buffer.from(source, 'base64') : source }
}

/** Half a megabyte that most runs have no use for. */
export async function loadOpenPgp(): Promise<typeof OpenPgp> {
  return import('openpgp')
}

export function invalidKey(why: string, cause?: unknown, hint?: string): OciPublishError {
  return new OciPublishError('INVALID_KEY', `the PGP key: ${why}`, { cause, hint })
}
