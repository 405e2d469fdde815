import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Abortable } from '../async/abortable.ts'
import { encryptCosignKey } from './cosign-key.ts'

/** Both in PEM, as in the files cosign.key and cosign.pub. */
export interface CosignKeyPair {
  readonly privateKey: string
  readonly publicKey: string
}

const generate = promisify(generateKeyPair)

/** Makes a key pair like those that cosign makes (ECDSA on P-256), with which cosign signs and verifies too. */
export async function generateCosignKeyPair({
  passphrase,
  signal,
}: Abortable & {
  /** May be empty. */
  readonly passphrase: string
}): Promise<CosignKeyPair> {
  const { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject } = await generate('ec', {
    namedCurve: 'P-256',
  })
  return {
    privateKey: await encryptCosignKey(privateKey.export({ type: 'pkcs8', format: 'der' }), passphrase, { signal }),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
