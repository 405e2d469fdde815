import { allOrErrors } from '../async/all-or-errors.ts'
import type { Untagged } from '../content/untagged.ts'
import type { Annotations } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { readLegacy } from './find-legacy.ts'
import { addLegacySignature } from './legacy-artifact.ts'
import { legacyPayload, type LegacyParts } from './legacy.ts'
import { hasEqualLegacySignature } from './equal.ts'
import type { SigningMeans } from './means.ts'
import type { SignedBy } from './signer.ts'
import { witnessesOf, type SignOptions } from './sign.ts'

export interface LegacyOptions extends SignOptions {
  /** Signed with each manifest. */
  readonly annotations: Annotations
}

/** A signature in the older form, which has one tag for all signatures of a manifest. */
export interface LegacyReferrer {
  readonly place: string
  readonly subject: Digest
  readonly means: SigningMeans
  /** Whose it is. */
  readonly by: SignedBy
  /** Of the manifest with the signatures. */
  readonly manifest: Digest
  readonly existed: boolean
}

/**
 * Signs in the older form, which names the repository: so there is a signature for each manifest in each repository. In
 * layouts, which have no name to be signed, there is none, and that is told.
 *
 * @throws {OciPublishError} UNSUPPORTED for digests of sha512, and where the log is one of Rekor v2
 */
export async function signLegacyEverywhere(
  { root, platforms, places }: Pick<Untagged, 'root' | 'platforms' | 'places'>,
  means: readonly SigningMeans[],
  { annotations, onEvent, signal }: LegacyOptions,
): Promise<readonly LegacyReferrer[]> {
  const digests = [...new Set([...platforms.map(({ descriptor }) => descriptor), root].map(({ digest }) => digest))]
  const signed: LegacyReferrer[] = []
  for (const one of means) {
    onEvent({ type: 'step', step: 'sign', text: `Signatures in the older form: ${one.title}` })
    const { by } = await one.identity({ signal })
    for (const { target, output } of places) {
      if (output.kind !== 'registry') {
        const text = `${target.place} gets no signatures in the older form, which are of repositories`
        onEvent({ type: 'notice', text })
        continue
      }
      const made = await allOrErrors(
        digests.map(async subject => {
          const spot = { place: target.place, subject, means: one, by }
          const payload = legacyPayload(output.image, subject, annotations)
          const existing = await readLegacy(target, { digest: subject }, { signal })
          const wanted = { payload, by, ...witnessesOf(one) }
          // Asked before anything is signed: what is logged stays in the log for good.
          if (existing && hasEqualLegacySignature(existing.signatures, wanted)) {
            return { ...spot, manifest: existing.document.descriptor.digest, existed: true }
          }
          const parts = await partsOf(payload, one, { signal })
          const { manifest, existed } = await addLegacySignature(target, { digest: subject }, parts, { signal })
          return { ...spot, manifest: manifest.digest, existed }
        }),
      )
      signed.push(...made)
    }
  }
  return signed
}

async function partsOf(
  payload: Uint8Array,
  { identity, witnesses }: SigningMeans,
  io: Pick<SignOptions, 'signal'>,
): Promise<LegacyParts> {
  const { signer, by } = await identity(io)
  const signature = await signer.sign(payload, io)
  const logEntry = await witnesses.log?.record({ kind: 'hashedrekord', bytes: payload, signature, by }, io)
  const timestamp = await witnesses.timestamp?.(signature, io)
  return { payload, signature, by, logEntry, timestamp }
}
