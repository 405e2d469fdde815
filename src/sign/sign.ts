import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Abortable } from '../async/abortable.ts'
import { attachTo } from '../artifact/attach.ts'
import { listsReferrers, type Target } from '../content/ports.ts'
import type { Untagged, UntaggedPlatform } from '../content/untagged.ts'
import type { ImageCopyEvent } from '../copy/event.ts'
import type { Digest } from '../oci/digest.ts'
import { composeBundle, type SignedEnvelope } from './bundle.ts'
import { bundleParts } from './bundle-artifact.ts'
import { signEnvelope } from './envelope.ts'
import { isEqualStatement, type WantedStatement } from './equal.ts'
import { serializeEnvelope } from './envelope-json.ts'
import { findBundles, type FoundBundle } from './find-bundles.ts'
import { isAttestedInOlderForm } from './find-legacy-attestations.ts'
import { canBeCarried } from './legacy-attestation.ts'
import type { SigningMeans } from './means.ts'
import type { SignedBy } from './signer.ts'
import { serializeStatement, SIGNATURE_PREDICATE, type Statement } from './statement.ts'

export type SignEvent = ImageCopyEvent | { readonly type: 'step'; readonly step: 'sign'; readonly text: string }

/** A statement to be signed once, and the manifests that it hangs on then, which are among its subjects. */
export interface ToState {
  readonly statement: Statement
  readonly attachTo: readonly Digest[]
}

/** A signed statement as it hangs on one manifest. */
export interface SignedReferrer {
  /** `host/repository`. */
  readonly place: string
  readonly subject: Digest
  readonly predicateType: string
  /** Of the manifest with the bundle. */
  readonly manifest: Digest
  /** Whether an equal one was there, and nothing was added. */
  readonly existed: boolean
  /** What is in the bundle, be it the one that was there. */
  readonly signed: SignedEnvelope
  /** Of all of the envelope, as the older form has it; only where that is wanted and the bundle is new. */
  readonly envelopeTimestamp?: Uint8Array | undefined
}

/** What one signer has made of one statement. */
export interface SignedStatement {
  readonly statement: Statement
  readonly means: SigningMeans
  /** Whose it is. */
  readonly by: SignedBy
  /** The bundle; undefined where an equal one was everywhere. */
  readonly bundle: Uint8Array | undefined
  /** One that was there already, if any. */
  readonly equal: Uint8Array | undefined
  readonly referrers: readonly SignedReferrer[]
}

export interface SignOptions extends Abortable {
  readonly onEvent: (event: SignEvent) => void
}

export interface SignEverywhereOptions extends SignOptions {
  /** Whether what is attested has to be had in the older form, too: where a bundle does not fit in, there is another. */
  readonly carried?: boolean
}

const CONCURRENCY = 6

/**
 * Signs statements and hangs them on their subjects, as sigstore bundles, wherever those are. Each statement is signed and
 * logged once by each signer, however many subjects and places it has, and not at all where an equal one hangs everywhere.
 *
 * The subjects have to be there. Once it returns, what was added is listed.
 *
 * @throws {OciPublishError} of whoever certifies, logs, gives timestamps; then nothing was attached of that statement
 */
export async function signEverywhere(
  { root, platforms, places }: Pick<Untagged, 'root' | 'platforms' | 'places'>,
  stated: readonly ToState[],
  means: readonly SigningMeans[],
  { carried = false, onEvent, signal }: SignEverywhereOptions,
): Promise<readonly SignedStatement[]> {
  const members = new Map<Digest, UntaggedPlatform>()
  for (const one of [...platforms, { descriptor: root, platform: undefined }]) {
    if (!members.has(one.descriptor.digest)) members.set(one.descriptor.digest, one)
  }
  const bundlesOn = bundleFinder({ signal })
  const signed: SignedStatement[] = []
  for (const one of means) {
    if (stated.length > 0) onEvent({ type: 'step', step: 'sign', text: `Signatures: ${one.title}` })
    for (const { statement, attachTo: digests } of stated) {
      const isAttested = statement.predicateType !== SIGNATURE_PREDICATE
      const spots = places.flatMap(({ target, output }) =>
        digests.map((digest): Spot => {
          // Layouts have nothing in the older form.
          const isCarried = carried && isAttested && output.kind === 'registry'
          return { target, subject: memberOf(members, digest), isCarried }
        }),
      )
      signed.push(await signOne(statement, one, spots, { bundlesOn, onEvent, signal }))
    }
  }
  // A registry that keeps no list is told what refers to what.
  for (const { target, output } of places) if (output.kind === 'registry') await target.close?.({ signal })
  return signed
}

type BundlesOn = (spot: Spot) => Promise<readonly FoundBundle[]>

/** Each list is asked for once, whatever is signed. */
function bundleFinder({ signal }: Abortable): BundlesOn {
  const slot = limit(CONCURRENCY)
  const found = new Once<string, readonly FoundBundle[]>()
  return ({ target, subject: { descriptor } }) =>
    found.run(`${target.place}@${descriptor.digest}`, () =>
      slot(async () => {
        const all: FoundBundle[] = []
        if (listsReferrers(target)) for await (const one of findBundles(target, descriptor, { signal })) all.push(one)
        return all
      }),
    )
}

/** A subject in one place. */
interface Spot {
  readonly target: Target
  readonly subject: UntaggedPlatform
  /** Whether the statement has to be had in the older form there, too. */
  readonly isCarried: boolean
}

/** Signs one statement by one signer, if that is lacking anywhere. */
async function signOne(
  statement: Statement,
  means: SigningMeans,
  spots: readonly Spot[],
  { bundlesOn, onEvent, signal }: SignOptions & { readonly bundlesOn: BundlesOn },
): Promise<SignedStatement> {
  const { predicateType } = statement
  const { by } = await means.identity({ signal })
  const looked = await allOrErrors(
    spots.map(async spot => {
      const wanted = { statement, subject: spot.subject.descriptor.digest, by, ...witnessesOf(means) }
      const found = (await bundlesOn(spot)).filter(bundle => isEqualStatement(bundle, wanted))
      return { spot, equal: await equalOf(spot, found, wanted, { signal }) }
    }),
  )
  const lacking = looked.filter(({ equal }) => !equal).map(({ spot }) => spot)
  const carried = lacking.some(({ isCarried }) => isCarried)
  const made = lacking.length === 0 ? undefined : await bundleOf(statement, means, { carried, signal })
  const added = made ? await hang(made, statement, lacking, { onEvent, signal }) : []
  const there = looked.flatMap(({ spot: { target, subject }, equal }): SignedReferrer[] => {
    if (!equal) return []
    const on = { place: target.place, subject: subject.descriptor.digest, predicateType }
    return [{ ...on, manifest: equal.descriptor.digest, existed: true, signed: equal.bundle }]
  })
  const equal = looked.find(one => one.equal)?.equal?.bytes
  return { statement, means, by, bundle: made?.bytes, equal, referrers: [...there, ...added] }
}

/** Of equal bundles the one that makes another needless: it fits into the older form, or what it says is there already. */
async function equalOf(
  { target, isCarried }: Spot,
  found: readonly FoundBundle[],
  wanted: WantedStatement,
  io: Abortable,
): Promise<FoundBundle | undefined> {
  const fit = isCarried ? found.find(({ bundle }) => canBeCarried(bundle)) : found[0]
  if (fit || found.length === 0) return fit
  return (await isAttestedInOlderForm(target, { ...wanted, timestamp: false }, io)) ? found[0] : undefined
}

function memberOf(members: ReadonlyMap<Digest, UntaggedPlatform>, digest: Digest): UntaggedPlatform {
  const member = members.get(digest)
  if (!member) throw new TypeError(`a statement hangs on ${digest}, which is not published`)
  return member
}

/** What a signature of these means has besides itself: one that lacks it is not equal. */
export function witnessesOf({ witnesses }: SigningMeans): { readonly log: boolean; readonly timestamp: boolean } {
  return { log: witnesses.log !== undefined, timestamp: witnesses.timestamp !== undefined }
}

interface MadeBundle {
  readonly bytes: Uint8Array
  readonly signed: SignedEnvelope
  readonly envelopeTimestamp: Uint8Array | undefined
}

/** Signs, and has the signature logged and its time testified, by whoever does that. */
async function bundleOf(
  statement: Statement,
  { identity, witnesses }: SigningMeans,
  { carried, signal }: Abortable & { readonly carried: boolean },
): Promise<MadeBundle> {
  const io = { signal }
  const { signer, by } = await identity(io)
  const envelope = await signEnvelope(serializeStatement(statement), signer, io)
  const entry = await witnesses.log?.record({ kind: 'dsse', envelope, by }, io)
  const timestamp = await witnesses.timestamp?.(envelope.signature, io)
  // While the certificate is valid.
  const document = new TextEncoder().encode(serializeEnvelope(envelope))
  const envelopeTimestamp = carried ? await witnesses.timestamp?.(document, io) : undefined
  const parts = { envelope, logEntries: entry ? [entry] : [], timestamps: timestamp ? [timestamp] : [] }
  const chain = by.certificate ? by.chain : []
  return {
    bytes: composeBundle({ ...parts, by }),
    signed: { ...parts, certificate: by.certificate, chain, keyHint: undefined },
    envelopeTimestamp,
  }
}

/** One bundle blob in each place, and a manifest for each subject. */
async function hang(
  { bytes, ...made }: MadeBundle,
  { predicateType }: Statement,
  spots: readonly Spot[],
  { onEvent, signal }: SignOptions,
): Promise<readonly SignedReferrer[]> {
  const byTarget = new Map<Target, UntaggedPlatform[]>()
  for (const { target, subject } of spots) byTarget.set(target, [...(byTarget.get(target) ?? []), subject])
  const parts = { ...bundleParts(bytes, predicateType), onEvent }
  const hung = await allOrErrors(
    [...byTarget].map(async ([target, subjects]) => {
      const attachments = await attachTo(target, subjects, parts, { signal })
      const { place } = target
      return attachments.map(({ subject, manifest }) => {
        return { place, subject: subject.digest, predicateType, manifest: manifest.digest, existed: false, ...made }
      })
    }),
  )
  return hung.flat()
}
