import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createTransport } from '../../src/http/client.ts'
import { composeBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { signEnvelope } from '../../src/sign/envelope.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { SigningIdentity } from '../../src/sign/signer.ts'
import { serializeStatement, type Statement } from '../../src/sign/statement.ts'
import { parseTrustedRoot, type TrustedRoot } from '../../src/sign/trusted-root.ts'
import type { Witnesses } from '../../src/sign/witness.ts'
import { readIdentityToken } from '../../src/sigstore/identity-token.ts'
import { keylessIdentity } from '../../src/sigstore/keyless.ts'
import { witnessesOf } from '../../src/sigstore/witnesses.ts'
import { startSigstore, type LocalSigstore, type SigstoreOptions } from '../support/sigstore/start-sigstore.ts'
import type { Claims } from '../support/sigstore/tokens.ts'

/** A sigstore on loopback, with what signers and verifiers need of it. */
export interface Keyless extends AsyncDisposable {
  readonly sigstore: LocalSigstore
  readonly root: TrustedRoot
  readonly witnesses: Witnesses
  /** Sets the clock of all services, in milliseconds from the real one. */
  readonly setClock: (aheadMs: number) => void
  readonly identity: (claims?: Claims) => Promise<SigningIdentity>
  /** The root without some of its parts, or with others. */
  readonly rootWith: (parts: Readonly<Record<string, unknown>>) => Promise<TrustedRoot>
}

export async function startKeyless(options: SigstoreOptions = {}): Promise<Keyless> {
  let ahead = 0
  // Whole seconds, as timestamp authorities have them: the verifier knows fractions of three digits only.
  const now = (): Date => new Date(Math.floor((Date.now() + ahead) / 1000) * 1000)
  const sigstore = await startSigstore({ now, ...options })
  const transport = createTransport({ version: '0' })
  const { fulcioUrl, rekorUrl: url, rekorVersion: version, tsaUrl } = sigstore
  const rootWith = (parts: object): Promise<TrustedRoot> =>
    parseTrustedRoot(Buffer.from(JSON.stringify(Object.assign({}, sigstore.trustedRoot, parts))), 'root.json')
  return {
    sigstore,
    root: await rootWith({}),
    witnesses: witnessesOf({ log: { url, version }, tsaUrl }, { transport, now: () => now().getTime() }),
    setClock: aheadMs => {
      ahead = aheadMs
    },
    identity: async claims => {
      const at = now().getTime()
      const token = readIdentityToken(sigstore.token(claims), 'token', at)
      const deps = { transport, fulcioUrl, now: (): number => at, token: () => Promise.resolve(token) }
      const keyless = await keylessIdentity(deps)
      return keyless.identity()
    },
    rootWith,
    [Symbol.asyncDispose]: async () => {
      await transport.close()
      await sigstore.close()
    },
  }
}

export interface BareKey extends SigningIdentity {
  readonly publicKey: KeyObject
}

/** Somebody who signs with a key that others have to know. */
export function bareKey(): BareKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { signer: keySigner(privateKey), by: { publicKey }, publicKey }
}

/** Signs a statement and has it witnessed. */
export async function witnessed(
  { signer, by }: SigningIdentity,
  statement: Statement,
  { log, timestamp }: Witnesses,
): Promise<BundleParts> {
  const envelope = await signEnvelope(serializeStatement(statement), signer)
  const entry = await log?.record({ kind: 'dsse', envelope, by })
  const stamp = await timestamp?.(envelope.signature)
  return { envelope, by, logEntries: entry ? [entry] : [], timestamps: stamp ? [stamp] : [] }
}

/** The same as a bundle. */
export async function witnessedBundle(...asked: Parameters<typeof witnessed>): Promise<Uint8Array> {
  return composeBundle(await witnessed(...asked))
}
