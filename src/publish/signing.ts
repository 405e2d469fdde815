import { writeFile } from 'node:fs/promises'
import type { Sbom } from '../artifact/sbom/generate-sbom.ts'
import { imageResource } from '../attest/resource.ts'
import { readPredicates, type Predicate } from '../attest/predicate.ts'
import { provenance } from '../attest/provenance.ts'
import { attestationStatements } from '../attest/statements.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Untagged } from '../content/untagged.ts'
import { InputError, type InputProblem } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { attestLegacyEverywhere, type LegacyAttestation } from '../sign/attest-legacy.ts'
import type { SigningMeans } from '../sign/means.ts'
import { signLegacyEverywhere, type LegacyReferrer } from '../sign/sign-legacy.ts'
import { signEverywhere, type SignedStatement, type ToState } from '../sign/sign.ts'
import { SIGNATURE_PREDICATE, signatureStatement } from '../sign/statement.ts'
import { isVouchedFor } from '../sign/vouched.ts'
import type { PublishDeps } from './deps.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import { openNotation, signNotationEverywhere, type Notation, type NotationReferrer } from './notation.ts'
import type { SigningRequest } from './parse-signing.ts'
import type { IsSigned } from './previous.ts'
import type { SignedReport } from './report.ts'
import { commandsOf, identityOfSigner } from './signed-commands.ts'
import { shownInputs } from './shown-inputs.ts'
import type { StoredAttestation } from './signing-deps.ts'

/** Signs what is published in a run, and remembers what it signed. */
export interface Signing {
  readonly sign: (untagged: Untagged, sboms: readonly Sbom[], io: Abortable) => Promise<void>
  /** Whether a manifest carries a signature that is by the same signer, in the form in which this run signs. */
  readonly isSigned: IsSigned
  readonly report: () => SignedReport
}

export interface SigningRun {
  /** Of which a provenance shows what matters. */
  readonly values: FieldValues
  /** Whether the subjects are signed; else only what is attested is. */
  readonly signature: boolean
}

const SBOM_TYPE = 'application/vnd.cyclonedx+json'

/**
 * Gets ready to sign: keys and predicates are read, so that whatever is wrong with them is found before any work.
 *
 * @throws {InputError} with all problems
 */
export async function readySigning(
  request: SigningRequest,
  { values, signature }: SigningRun,
  deps: PublishDeps,
  io: Abortable,
): Promise<Signing> {
  const startedOn = new Date()
  const problems: InputProblem[] = []
  const attempt = async <T>(read: Promise<T>): Promise<T | undefined> => {
    try {
      return await read
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const means = await attempt(deps.signing.openMeans(request, io))
  const predicates = await attempt(readPredicates(request.predicates, io))
  const notation = await attempt(openNotation(request.notation, deps, io))
  if (!means || !predicates || problems.length > 0) throw new InputError(problems)
  const run: Run = { request, values, signature, means, predicates, notation, startedOn }
  const done: Done = {
    refs: new Set(),
    statements: [],
    legacy: [],
    attestedLegacy: [],
    notation: [],
    attestations: [],
    commands: [],
    bundlePath: undefined,
  }
  return {
    sign: (untagged, sboms, io) => signOne(untagged, sboms, run, done, deps, io),
    isSigned: (target, manifest, { signal }) => isSignedBy(run, target, manifest, { signal }),
    report: () => reportOf(done),
  }
}

/** One signer is enough: what any of them has signed, this run has signed. */
async function isSignedBy(
  { request, means, notation }: Run,
  ...[target, manifest, io]: Parameters<IsSigned>
): Promise<boolean> {
  const { format } = request
  const signers = [...means.map(({ known }) => known), notation?.chain[0] && { notation: notation.chain[0] }]
  for (const signer of signers) {
    if (signer && (await isVouchedFor(target, manifest, signer, { format, ...io }))) return true
  }
  return false
}

interface Run extends SigningRun {
  readonly request: SigningRequest
  readonly means: readonly SigningMeans[]
  readonly predicates: readonly Predicate[]
  readonly notation: Notation | undefined
  readonly startedOn: Date
}

/** Grows with each thing that is published: an image, and then the chart that installs it. */
interface Done {
  readonly refs: Set<string>
  readonly statements: SignedStatement[]
  readonly legacy: LegacyReferrer[]
  readonly attestedLegacy: LegacyAttestation[]
  readonly notation: NotationReferrer[]
  readonly attestations: StoredAttestation[]
  readonly commands: string[]
  bundlePath: string | undefined
}

async function signOne(
  untagged: Untagged,
  sboms: readonly Sbom[],
  run: Run,
  done: Done,
  deps: PublishDeps,
  io: Abortable,
): Promise<void> {
  const { request, means } = run
  const { onEvent } = deps
  const digests = subjectsOf(untagged)
  const stated: ToState[] = [
    ...(request.format === 'legacy' || !run.signature
      ? []
      : [{ statement: signatureStatement(digests, request.annotations), attachTo: digests }]),
    ...(await attestationsOf(untagged, sboms, run, deps, io)),
  ]
  const { format, annotations } = request
  const signed = await signEverywhere(untagged, stated, means, { carried: format !== 'bundle', onEvent, ...io })
  done.statements.push(...signed)
  if (format !== 'bundle') {
    done.attestedLegacy.push(...(await attestLegacyEverywhere(untagged, signed, { onEvent, ...io })))
  }
  const older = run.signature && format !== 'bundle'
  const legacy = older ? await signLegacyEverywhere(untagged, means, { annotations, onEvent, ...io }) : []
  done.legacy.push(...legacy)
  if (run.notation && run.signature) {
    done.notation.push(...(await signNotationEverywhere(untagged, { ...run.notation, annotations }, deps, io)))
  }
  for (const { target } of untagged.places) for (const digest of digests) done.refs.add(`${target.place}@${digest}`)
  done.commands.push(...commandsOf(untagged, { signed, legacy }, run))
  await keepBundles(run, done, deps)
  if (request.githubAttestation) {
    for (const { statement, by, bundle, equal } of signed) {
      // An equal one may be of a run that failed to store it.
      const stored = identityOfSigner(by) ? (bundle ?? equal) : undefined
      if (!stored || statement.predicateType === SIGNATURE_PREDICATE) continue
      done.attestations.push(await deps.signing.storeAttestation(stored, request, io))
    }
  }
}

/** The root and what is in it, each once. */
function subjectsOf({ root, platforms }: Untagged): readonly Digest[] {
  return [...new Set([root, ...platforms.map(({ descriptor }) => descriptor)].map(({ digest }) => digest))]
}

async function attestationsOf(
  untagged: Untagged,
  sboms: readonly Sbom[],
  { request, values, means, predicates, startedOn }: Run,
  deps: PublishDeps,
  io: Abortable,
): Promise<readonly ToState[]> {
  if (means.length === 0) return []
  const { root, platforms, base, places } = untagged
  const entry = places[0]?.target.place ?? ''
  const where = request.provenance ? await deps.signing.buildPlace(contextOf(values), io) : undefined
  return attestationStatements({
    subjects: { index: root.digest, platforms: platforms.map(({ descriptor }) => descriptor.digest) },
    name: entry,
    provenance:
      where &&
      provenance({
        where,
        inputs: shownInputs(values),
        materials: base ? [imageResource(base.reference, base.digest)] : [],
        version: deps.version,
        startedOn,
        finishedOn: new Date(),
      }),
    sboms: sboms.map(({ subject, bytes }) => ({ platform: subject.digest, mediaType: SBOM_TYPE, bytes })),
    predicates,
  })
}

function contextOf(values: FieldValues): string {
  return readEntries(values).text('context') ?? '.'
}

/** Where the bundles of the run are to be had without a registry, one a line. */
async function keepBundles({ request }: Run, done: Done, { signing }: PublishDeps): Promise<void> {
  const path = request.bundleFile ?? signing.bundleFile
  const bundles = done.statements.flatMap(({ bundle }) => bundle ?? [])
  if (path === undefined || bundles.length === 0) return
  await writeFile(path, bundles.map(bundle => `${Buffer.from(bundle).toString('utf8')}\n`).join(''))
  done.bundlePath = path
}

function reportOf(done: Done): SignedReport {
  const { refs, statements, legacy, attestedLegacy, notation, attestations, bundlePath } = done
  const ofBundles = statements.flatMap(({ means, referrers }) =>
    referrers.map(({ place, subject, predicateType, manifest, existed }) => {
      const by = means.title
      return { ref: `${place}@${manifest}`, form: 'bundle' as const, subject, predicateType, by, existed }
    }),
  )
  const ofLegacy = legacy.map(({ place, subject, means, manifest, existed }) => {
    return { ref: `${place}@${manifest}`, form: 'legacy' as const, subject, by: means.title, existed }
  })
  const ofAttestedLegacy = attestedLegacy.map(({ place, subject, predicateType, means, manifest, existed }) => {
    const by = means.title
    return { ref: `${place}@${manifest}`, form: 'legacy' as const, subject, predicateType, by, existed }
  })
  const ofNotation = notation.map(({ place, subject, manifest, existed }) => {
    return { ref: `${place}@${manifest}`, form: 'notation' as const, subject, by: 'notation-key', existed }
  })
  return {
    refs: [...refs],
    signatures: [...ofBundles, ...ofLegacy, ...ofAttestedLegacy, ...ofNotation],
    verifyCommands: done.commands,
    ...(bundlePath !== undefined && { bundlePath }),
    attestations,
  }
}
