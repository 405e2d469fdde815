import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { SpecRegistry } from '../../conformance/server/registry.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import type { SignatureReport, SignedReport } from '../../src/publish/report.ts'
import type { LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import type { Workshop } from './workshop.ts'

export const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'
export const PROVENANCE = 'https://slsa.dev/provenance/v1'

/** As `team/app:v1`, for two platforms, of one small layer. */
export function image({ host }: SpecRegistry, more: FieldValues = {}): FieldValues {
  return { images: `${host}/team/app:v1`, platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/', ...more }
}

export function putApp(workshop: Workshop): void {
  workshop.put({ 'app/hello': 'x' })
}

/** A key pair in files of the workshop; the private one as PKCS #8, which is read at once. */
export interface KeyFiles {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly pem: string
  /** Paths. */
  readonly key: string
  readonly pub: string
}

export function putKey(workshop: Workshop, name = 'cosign'): KeyFiles {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const [key, pub] = [workshop.at(`${name}.key`), workshop.at(`${name}.pub`)]
  writeFileSync(key, pem)
  writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }))
  return { privateKey, publicKey, pem, key, pub }
}

export function byKey({ key }: Pick<KeyFiles, 'key'>, more: FieldValues = {}): FieldValues {
  return { sign: 'key', 'sign-key': key, ...more }
}

/** By the identity of a job on a sigstore of its own. */
export function keyless({ signingConfigFile, trustedRootFile }: LocalSigstore, more: FieldValues = {}): FieldValues {
  return { sign: 'keyless', 'signing-config': signingConfigFile, 'trusted-root': trustedRootFile, ...more }
}

/** What a registry lists as referring to a digest, in manifests. */
export async function referrersOf(
  { host }: SpecRegistry,
  digest: string,
  repository = 'team/app',
): Promise<readonly { readonly artifactType: string; readonly digest: string }[]> {
  const response = await fetch(`http://${host}/v2/${repository}/referrers/${digest}`)
  if (!response.ok) return []
  const { manifests } = (await response.json()) as { manifests: { artifactType: string; digest: string }[] }
  return manifests
}

export function added(signed: SignedReport | undefined): readonly SignatureReport[] {
  return (signed?.signatures ?? []).filter(({ existed }) => !existed)
}

export async function refusal(promise: Promise<unknown>): Promise<Error & { readonly hint?: string }> {
  const outcome = await promise.catch((error: unknown) => error)
  if (!(outcome instanceof Error)) throw new Error('was not refused')
  return outcome
}
