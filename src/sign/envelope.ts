import type { Abortable } from '../async/abortable.ts'
import type { Signer } from './signer.ts'

/** A DSSE envelope with its one signature, decoded (DSSE v1, envelope.md). */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** DSSE's type of in-toto statements. */
export const IN_TOTO = 'application/vnd.in-toto+json'

/** What is signed of an envelope: `DSSEv1`, lengths in bytes, type and payload (DSSE v1, protocol.md, "PAE"). */
export function preAuthEncoding({ payloadType, payload }: Pick<Envelope, 'payloadType' | 'payload'>): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8')
  const head = `DSSEv1 ${type.byteLength} ${payloadType} ${payload.byteLength} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

/** Signs a statement. */
export async function signEnvelope(payload: Uint8Array, signer: Signer, io: Abortable = {}): Promise<Envelope> {
  const payloadType = IN_TOTO
  return { payloadType, payload, signature: await signer.sign(preAuthEncoding({ payloadType, payload }), io) }
}
