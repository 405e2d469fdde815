import { InputError } from '../errors.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { whoText } from '../sign/signed-by.ts'
import { SIGNATURE_PREDICATE } from '../sign/statement.ts'
import type { Verification, VerifiedSignature, VerifyRequest } from '../sign/verify.ts'
import { runCommand, type CommandParts } from './command.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'
import { parseVerify } from './verify-request.ts'

export interface VerifyParts<D> extends CommandParts<D> {
  readonly verify: (request: VerifyRequest, deps: D, options: { signal: AbortSignal }) => Promise<Verification>
}

/** Verifies signatures or attestations of what is published, and tells whose they are; gives the exit code. */
export async function verifyCommand<D>(text: string, flags: Flags, io: Io, parts: VerifyParts<D>): Promise<number> {
  let request: VerifyRequest | undefined
  return runCommand(flags, io, parts, {
    complete(values) {
      const parsed = parseVerify(text, flags)
      if (!parsed.request) throw new InputError(parsed.problems)
      request = parsed.request
      return withRegistryOf(text, values)
    },
    async run({ deps, display, quiet }) {
      if (!request) throw new TypeError('nothing was asked for') // `complete` throws then
      const verification = await parts.verify(request, deps, { signal: parts.signal })
      display.end()
      if (!quiet) display.say(linesOf(verification))
      const refs = verification.verified.map(({ descriptor }) => `${verification.place}@${descriptor.digest}`)
      if (flags['json'] === true) io.stdout.json(reportOf(request.reference, verification))
      else io.stdout.lines(refs)
    },
  })
}

function linesOf({ verified }: Verification): readonly string[] {
  return verified.flatMap(({ descriptor, platform, signatures }) => {
    const what = platform ? `${formatPlatform(platform)} ${descriptor.digest}` : descriptor.digest
    return signatures.map(one => `${what} ${lineOf(one)}`)
  })
}

function lineOf({ form, by, predicateType, times, logIndexes }: VerifiedSignature): string {
  const did = predicateType === SIGNATURE_PREDICATE ? 'is signed' : `has ${predicateType}, signed`
  const [first] = times
  return [
    `${did} by ${by.identity ? whoText(by.identity) : `the key ${by.keyHint}`}`,
    ...(first ? [`${first.by === 'log' ? 'logged' : 'timestamped'} ${first.at.toISOString()}`] : []),
    ...logIndexes.map(index => `log entry ${index}`),
    ...(form === 'legacy' ? ['in the older form'] : []),
  ].join(', ')
}

/** Printed by `--json` as it is. */
function reportOf(reference: Reference | undefined, { place, root, verified }: Verification): object {
  return {
    ...(reference && { reference: formatReference(reference) }),
    ref: `${place}@${root.digest}`,
    digest: root.digest,
    verified: verified.map(({ descriptor, platform, signatures }) => ({
      ref: `${place}@${descriptor.digest}`,
      digest: descriptor.digest,
      ...(platform && { platform: formatPlatform(platform) }),
      signatures: signatures.map(signatureOf),
    })),
  }
}

function signatureOf(signature: VerifiedSignature): object {
  const { form, digest, by, predicateType, annotations, payload, times, logIndexes } = signature
  return {
    form,
    digest,
    predicateType,
    signedBy: by.identity ?? { keyHint: by.keyHint },
    annotations,
    times: times.map(one => ({ by: one.by, at: one.at.toISOString() })),
    logIndexes,
    [form === 'bundle' ? 'statement' : 'payload']: JSON.parse(new TextDecoder().decode(payload)) as unknown,
  }
}
