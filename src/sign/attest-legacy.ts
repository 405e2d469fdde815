import { allOrErrors } from '../async/all-or-errors.ts'
import type { Abortable } from '../async/abortable.ts'
import { limit } from '../async/limit.ts'
import type { Target } from '../content/ports.ts'
import type { Untagged } from '../content/untagged.ts'
import type { Digest } from '../oci/digest.ts'
import { isEqualStatement } from './equal.ts'
import { attestationsIn } from './find-legacy-attestations.ts'
import { readLegacyManifest } from './find-legacy.ts'
import { addLegacyLayers } from './legacy-artifact.ts'
import { legacyAttestationLayer } from './legacy-attestation.ts'
import { legacyTag } from './legacy.ts'
import type { SigningMeans } from './means.ts'
import { witnessesOf, type SignedReferrer, type SignedStatement, type SignOptions } from './sign.ts'
import { SIGNATURE_PREDICATE } from './statement.ts'

/** An attestation in the older form, which has one tag for all attestations of a manifest. */
export interface LegacyAttestation {
  readonly place: string
  readonly subject: Digest
  readonly predicateType: string
  readonly means: SigningMeans
  /** Of the manifest with the attestations. */
  readonly manifest: Digest
  readonly existed: boolean
}

const CONCURRENCY = 6

/**
 * Adds what was attested in bundles in the older form, too: the same envelopes with the same log entries, so that nothing is
 * signed or logged again. In layouts, where nobody looks for that, there are none, and that is told.
 *
 * @param signed as `signEverywhere` gives it; signatures among it have a form of their own, and are left out
 * @throws {OciPublishError} UNSUPPORTED for digests of sha512, and where a log entry cannot be carried
 */
export async function attestLegacyEverywhere(
  { places }: Pick<Untagged, 'places'>,
  signed: readonly SignedStatement[],
  { onEvent, signal }: SignOptions,
): Promise<readonly LegacyAttestation[]> {
  const attested = signed.filter(({ statement }) => statement.predicateType !== SIGNATURE_PREDICATE)
  if (attested.length === 0) return []
  onEvent({ type: 'step', step: 'sign', text: 'Attestations in the older form' })
  const slot = limit(CONCURRENCY)
  const made = await allOrErrors(
    places.flatMap(({ target, output }) => {
      if (output.kind !== 'registry') {
        const text = `${target.place} gets no attestations in the older form, which are of repositories`
        onEvent({ type: 'notice', text })
        return []
      }
      return [...bySubject(attested, target)].map(([subject, wanted]) =>
        slot(() => attestOne(target, subject, wanted, { signal })),
      )
    }),
  )
  return made.flat()
}

interface Attested extends SignedStatement {
  readonly referrer: SignedReferrer
}

function bySubject(attested: readonly SignedStatement[], { place }: Target): ReadonlyMap<Digest, readonly Attested[]> {
  const subjects = new Map<Digest, Attested[]>()
  for (const one of attested) {
    for (const referrer of one.referrers.filter(referrer => referrer.place === place)) {
      const { subject } = referrer
      subjects.set(subject, [...(subjects.get(subject) ?? []), { ...one, referrer }])
    }
  }
  return subjects
}

/** All at once: the tag moves once, however much is attested. */
async function attestOne(
  target: Target,
  subject: Digest,
  wanted: readonly Attested[],
  { signal }: Abortable,
): Promise<readonly LegacyAttestation[]> {
  const existing = await readLegacyManifest(target, { digest: subject }, 'attestation', { signal })
  const lacking = new Set(wanted)
  if (existing) {
    const predicateTypes = new Set(wanted.map(({ statement }) => statement.predicateType))
    for await (const found of attestationsIn(target, existing, { predicateTypes, signal })) {
      for (const one of lacking) {
        const { statement, by, means } = one
        // A timestamp only counts where nothing else says when it was: to add it to what is there it is too late.
        const { log } = witnessesOf(means)
        if (isEqualStatement(found, { statement, subject, by, log })) lacking.delete(one)
      }
      if (lacking.size === 0) break
    }
  }
  const layers = [...lacking].map(({ referrer, statement }) =>
    legacyAttestationLayer(referrer.signed, statement.predicateType, referrer.envelopeTimestamp),
  )
  const tag = legacyTag(subject, 'attestation')
  const manifest =
    existing && layers.length === 0
      ? existing.document.descriptor
      : await addLegacyLayers(target, tag, layers, existing, { signal })
  return wanted.map(one => {
    const { predicateType } = one.statement
    const { place } = target
    return { place, subject, predicateType, means: one.means, manifest: manifest.digest, existed: !lacking.has(one) }
  })
}
