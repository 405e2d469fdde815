import { createHash } from 'node:crypto'
import { leafHash, prove } from './merkle-tree.ts'
import type { LoggedRequest, Reply } from './service.ts'

/** What the trusted root has to say of a log. */
export interface LogTrust {
  readonly publicKey: Buffer
  readonly keyDetails: 'PKIX_ECDSA_P256_SHA_256' | 'PKIX_ED25519'
  readonly logId: Buffer
}

export interface Log extends LogTrust {
  readonly answer: (request: LoggedRequest) => Reply
}

/** Entries of a log, and the signed heads of their tree. */
export class Entries {
  readonly bodies: Buffer[] = []
  readonly #leaves: Buffer[] = []

  /** @returns the index of a body that is there already, or of the one that is added */
  add(body: Buffer): { readonly index: number; readonly existed: boolean } {
    const leaf = leafHash(body)
    const index = this.#leaves.findIndex(one => one.equals(leaf))
    if (index >= 0) return { index, existed: true }
    this.#leaves.push(leaf)
    this.bodies.push(body)
    return { index: this.#leaves.length - 1, existed: false }
  }

  find(leaf: string): number {
    return this.#leaves.findIndex(one => one.toString('hex') === leaf)
  }

  leaf(index: number): string {
    return this.#leaves[index]?.toString('hex') ?? ''
  }

  prove(index: number): ReturnType<typeof prove> {
    return prove(this.#leaves, index)
  }
}

interface Note {
  readonly origin: string
  /** Who signs; by default the origin. */
  readonly name?: string
  readonly keyId: Buffer
  readonly sign: (text: Buffer) => Buffer
}

/** A signed note (transparency-dev/formats, log/README.md). */
export function checkpoint({ size, root }: { size: number; root: Buffer }, note: Note): string {
  const { origin, name = origin, keyId, sign } = note
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`
  const signature = Buffer.concat([keyId.subarray(0, 4), sign(Buffer.from(text))]).toString('base64')
  return `${text}\n\u2014 ${name} ${signature}\n`
}

/** JSON with sorted keys and no white space (RFC 8785, for the plain values of entries). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${pairs.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
