import type { BundleParts } from '../../src/sign/bundle.ts'
import { someCertificate } from './some-certificates.ts'

/** With one bit changed, near the end. */
export function flipped(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes)
  const last = copy.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

export type Change = (parts: BundleParts) => BundleParts
export type Tamper = readonly [what: string, change: Change, message: string | RegExp]

export const NOT_IN_LOG = "the log entry's inclusion proof does not lead to the checkpoint"
export const NOT_TIMED = 'the timestamp does not fit the signature, or its authority is not trusted'
const NOT_PROMISED = "the log entry's promise (SET) is not that of the log about this entry"

const inEntry =
  (more: Readonly<Record<string, unknown>>): Change =>
  parts => ({ ...parts, logEntries: parts.logEntries.map(one => ({ ...one, ...more })) })

export const inProof =
  (more: Readonly<Record<string, unknown>>): Change =>
  parts => ({
    ...parts,
    logEntries: parts.logEntries.map(one => ({
      ...one,
      inclusionProof: Object.assign({}, one['inclusionProof'], more),
    })),
  })

const inCheckpoint =
  (change: (text: string) => string): Change =>
  parts => {
    const [entry] = parts.logEntries
    const { checkpoint } = entry?.['inclusionProof'] as { readonly checkpoint: { readonly envelope: string } }
    return inProof({ checkpoint: { envelope: change(checkpoint.envelope) } })(parts)
  }

const inEnvelope =
  (change: (envelope: BundleParts['envelope']) => Partial<BundleParts['envelope']>): Change =>
  parts => ({ ...parts, envelope: { ...parts.envelope, ...change(parts.envelope) } })

const HASH = Buffer.alloc(32, 1).toString('base64')
const NOT_FITTING = 'the signature does not fit the certificate'

export const TAMPERED: readonly Tamper[] = [
  ['the payload', inEnvelope(({ payload }) => ({ payload: flipped(payload) })), NOT_FITTING],
  ['the signature', inEnvelope(({ signature }) => ({ signature: flipped(signature) })), NOT_FITTING],
  [
    'the certificate',
    parts => ({ ...parts, by: { certificate: someCertificate().certificate, chain: [] } }),
    /^signed by https:\/\/github\.com\/team\/app\/.*, not by /,
  ],
  ['the root hash of the proof', inProof({ rootHash: HASH }), NOT_IN_LOG],
  ['the size of the tree', inProof({ treeSize: '99' }), NOT_IN_LOG],
  ['a hash of the proof', inProof({ hashes: [HASH] }), NOT_IN_LOG],
  ['the number of hashes', inProof({ hashes: [] }), NOT_IN_LOG],
  ['the index in the tree', inProof({ logIndex: '0' }), NOT_IN_LOG],
  ['the index in the tree to none', inProof({ logIndex: 'x' }), NOT_IN_LOG],
  [
    'the root hash in the checkpoint',
    inCheckpoint(text => text.replace(/^(.*\n.*\n).*\n/, `$1${HASH}\n`)),
    "the log entry's checkpoint is not signed by the log",
  ],
  ['the checkpoint', inCheckpoint(() => 'x'), "the log entry's checkpoint cannot be read"],
  [
    'the signature of the checkpoint',
    inCheckpoint(text => text.replace(/ \S+\n$/, ` ${Buffer.alloc(68).toString('base64')}\n`)),
    "the log entry's checkpoint is not signed by the log",
  ],
  [
    'the log',
    inEntry({ logId: { keyId: HASH } }),
    /^it is in the transparency log AQEB\S+=, which is none of root\.json$/,
  ],
  ['the log to none', inEntry({ logId: null }), 'the log entry does not say in which log it is, or of what kind'],
  [
    'the body',
    inEntry({ canonicalizedBody: Buffer.from('{}').toString('base64') }),
    new RegExp(`^(${NOT_IN_LOG}|.*promise.*)$`),
  ],
  [
    'the kind',
    inEntry({ kindVersion: { kind: 'other', version: '1' } }),
    'the log entry is of a kind that is not known',
  ],
  ['the timestamp', parts => ({ ...parts, timestamps: parts.timestamps.map(flipped) }), NOT_TIMED],
  ['the timestamp to none', parts => ({ ...parts, timestamps: [Buffer.from('junk')] }), /^it cannot be read: /],
  [
    'the timestamp to two',
    parts => ({ ...parts, timestamps: [...parts.timestamps, ...parts.timestamps] }),
    'it has the same timestamp twice',
  ],
  [
    'the entry to two',
    parts => ({ ...parts, logEntries: [...parts.logEntries, ...parts.logEntries] }),
    /^it has the same (log entry|timestamp) twice$/,
  ],
]

export const TAMPERED_V1: readonly Tamper[] = [
  ['the promise', inEntry({ inclusionPromise: { signedEntryTimestamp: HASH } }), NOT_PROMISED],
  [
    'the time of the entry',
    parts => inEntry({ integratedTime: `${Number(parts.logEntries[0]?.['integratedTime']) + 1}` })(parts),
    NOT_PROMISED,
  ],
  [
    'the time of the entry to none',
    inEntry({ integratedTime: 'x' }),
    'the certificate was issued by no authority of the trusted root',
  ],
  ['the index of the entry', inEntry({ logIndex: '5' }), NOT_PROMISED],
]

export const TAMPERED_V2: readonly Tamper[] = [
  ['the index of the entry', inEntry({ logIndex: '5' }), "the log entry's index is not that of its inclusion proof"],
  [
    'its time, which nobody has signed,',
    parts => ({ ...inEntry({ integratedTime: '1767323045' })(parts), timestamps: [] }),
    /^nobody who is trusted says when/,
  ],
]
