import type { KeyObject } from 'node:crypto'
import { chosenOf, type Choice, type Member } from '../artifact/members.ts'
import { allOrErrors } from '../async/all-or-errors.ts'
import type { Abortable } from '../async/abortable.ts'
import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Located } from '../content/places.ts'
import { InputError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Platform } from '../oci/platform.ts'
import type { Reference } from '../oci/reference.ts'
import { nothingTrusted, type Refused } from './not-verified.ts'
import type { VerifyPolicy } from './policy.ts'
import { whoText } from './signed-by.ts'
import { SIGNATURE_PREDICATE } from './statement.ts'
import type { TrustedRoot } from './trusted-root.ts'
import {
  olderAttestations,
  olderSignatures,
  trustedBundles,
  type Looking,
  type TypedPolicy,
  type VerifiedSignature,
} from './trusted-signatures.ts'

export type { VerifiedSignature }

export interface VerifyRequest {
  readonly reference: Reference
  /** One of them has to be satisfied. */
  readonly policies: readonly VerifyPolicy[]
  /** What has to be stated where a policy does not say it. Default: that it is signed. */
  readonly predicateType?: string | undefined
  /** Which manifests have to be signed, each of them; without a choice what the reference stands for. */
  readonly choices?: readonly Choice[]
}

export interface VerifyDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Pick<Located, 'source' | 'name'>
  /** The key that a policy names: PEM, a path, `env://NAME`, `awskms://…`. */
  readonly readKey: (key: string, io: Abortable) => Promise<KeyObject>
  /** A trusted root from a file; without one that of the public good instance. */
  readonly loadTrustedRoot: (file: string | undefined, io: Abortable) => Promise<TrustedRoot>
  readonly onEvent: (event: { readonly type: 'notice'; readonly text: string }) => void
}

/** A manifest with what vouches for it: at least one signature. */
interface VerifiedSubject {
  readonly descriptor: Descriptor
  readonly platform: Platform | undefined
  readonly signatures: readonly VerifiedSignature[]
}

export interface Verification {
  /** `host/repository`. */
  readonly place: string
  /** What the reference stood for when it was looked up, once: whoever goes on with this goes on with what was verified. */
  readonly root: Descriptor
  readonly verified: readonly VerifiedSubject[]
}

const CONCURRENCY = 4

/**
 * Verifies that what a reference stands for is signed, or attested, by somebody who is trusted. Bundles are looked at
 * first; signatures of the older form, too, where none of those satisfies a policy.
 *
 * @throws {InputError} without a policy; for a platform that is not there, with those that are
 * @throws {OciPublishError} VERIFICATION_FAILED with what is wrong with each signature; NOT_SIGNED; NOT_FOUND
 */
export async function verifySignatures(
  { reference, policies, predicateType = SIGNATURE_PREDICATE, choices = [] }: VerifyRequest,
  deps: VerifyDeps,
  { signal }: Abortable = {},
): Promise<Verification> {
  if (policies.length === 0) throw new InputError([{ input: 'key', problem: 'is missing: say whom to trust' }])
  const read = await readPolicies(policies, predicateType, deps, { signal })
  const { source, name } = deps.locate(reference)
  const root = await source.resolve(name, { signal })
  const members: readonly Pick<Member, 'descriptor' | 'platform'>[] =
    choices.length === 0
      ? [{ descriptor: root, platform: undefined }]
      : await chosenOf(source, root, choices, { input: 'platforms', signal })
  const slot = limit(CONCURRENCY)
  const verified = await allOrErrors(
    members.map(({ descriptor, platform }) =>
      slot(async () => {
        const signatures = await signaturesOf({ source, subject: descriptor, policies: read, deps, signal })
        return { descriptor, platform, signatures }
      }),
    ),
  )
  return { place: source.place, root, verified }
}

function readPolicies(
  policies: readonly VerifyPolicy[],
  byDefault: string,
  { readKey, loadTrustedRoot }: VerifyDeps,
  io: Abortable,
): Promise<readonly TypedPolicy[]> {
  const roots = new Once<string, TrustedRoot>()
  const load = (file: string | undefined): Promise<TrustedRoot> =>
    roots.run(file ?? '', () => loadTrustedRoot(file, io))
  return allOrErrors(
    policies.map(async (policy): Promise<TypedPolicy> => {
      const { trustedRoot, predicateType = byDefault } = policy
      if (policy.key === undefined) return { ...policy, predicateType, root: await load(trustedRoot) }
      const root = trustedRoot === undefined ? undefined : await load(trustedRoot)
      return { ...policy, predicateType, publicKey: await readKey(policy.key, io), root }
    }),
  )
}

interface Asked extends Looking {
  readonly deps: VerifyDeps
}

async function signaturesOf(asked: Asked): Promise<readonly VerifiedSignature[]> {
  const { source, subject, policies, deps } = asked
  const refused: Refused = { reasons: [], unreadable: [] }
  const bundles = await trustedBundles(asked, refused)
  if (bundles.length > 0) return bundles
  const others = refused.reasons.length
  const older = [...(await olderSignatures(asked, refused)), ...(await olderAttestations(asked, refused))]
  const [first] = older
  if (!first) {
    const wanted = [...new Set(policies.map(one => one.predicateType))]
    throw await nothingTrusted({ source, subject, wanted }, refused, asked)
  }
  if (others > 0) {
    const by = first.by.identity ? whoText(first.by.identity) : `the key ${first.by.keyHint}`
    const text = `${source.place}@${subject.digest}: signed by ${by} in the older form only; no bundle of it is trusted`
    deps.onEvent({ type: 'notice', text })
  }
  return older
}
