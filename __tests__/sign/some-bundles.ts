import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Digest } from '../../src/oci/digest.ts'
import { composeBundle, parseBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { signEnvelope } from '../../src/sign/envelope.ts'
import type { FoundBundle } from '../../src/sign/find-bundles.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { SignedBy } from '../../src/sign/signer.ts'
import type { LogEntry } from '../../src/sign/witness.ts'
import { parseStatement, serializeStatement, signatureStatement, type Statement } from '../../src/sign/statement.ts'
import { digestOf } from '../../src/oci/digest.ts'

export const DIGEST: Digest = digestOf(Buffer.from('an image'))
export const OTHER: Digest = digestOf(Buffer.from('another image'))

/** What a log says of an entry, in the form of bundles. */
export const LOG_ENTRY: LogEntry = {
  logIndex: '1234567890123',
  logId: { keyId: Buffer.alloc(32, 7).toString('base64') },
  kindVersion: { kind: 'dsse', version: '0.0.1' },
  integratedTime: '1767323045',
  inclusionPromise: { signedEntryTimestamp: 'cHJvbWlzZQ==' },
  inclusionProof: { rootHash: 'cm9vdA==', treeSize: '1', checkpoint: { envelope: 'log\n1\ncm9vdA==\n\n— log x\n' } },
  canonicalizedBody: Buffer.from('{"kind":"dsse"}').toString('base64'),
}

export interface SomeIdentity {
  readonly by: SignedBy
  readonly privateKey: KeyObject
}

export function someKey(): SomeIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { by: { publicKey }, privateKey }
}

/** A bundle as if it had been found. */
export async function someBundle(
  { by, privateKey }: SomeIdentity,
  statement: Statement = signatureStatement([DIGEST]),
  parts: Partial<BundleParts> = {},
): Promise<FoundBundle> {
  const payload = serializeStatement(statement)
  const envelope = await signEnvelope(payload, keySigner(privateKey))
  const bytes = composeBundle({ envelope, by, logEntries: [], timestamps: [], ...parts })
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(bytes), size: 1 }
  return { descriptor, bytes, bundle: parseBundle(bytes, 'bundle'), statement: parseStatement(payload, 'bundle') }
}
