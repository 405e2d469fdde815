import { InputError } from '../../src/errors.ts'
import { parseReference } from '../../src/oci/reference.ts'
import type { PublishDeps } from '../../src/publish/deps.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { signExisting, type SignedExisting, type SignWords } from '../../src/publish/sign-existing.ts'
import { parsePolicies } from '../../src/sign/policy.ts'
import { verifySignatures, type Verification } from '../../src/sign/verify.ts'
import { wire } from '../../src/wire.ts'

/** Runs a use case as the doors wire it, in an environment of its own. */
export async function withDeps<T>(
  { env = {}, values = {} }: { readonly env?: NodeJS.ProcessEnv | undefined; readonly values?: FieldValues },
  run: (deps: PublishDeps) => Promise<T>,
): Promise<T> {
  const wired = await wire({
    env: { PATH: process.env['PATH'], HOME: '/nowhere', ...env },
    values,
    onEvent: () => undefined,
    onSecret: () => undefined,
    defaultLayout: '/nowhere',
  })
  try {
    return await run(wired.deps)
  } finally {
    await wired.close()
  }
}

/** What `oci-publish sign` does. */
export function signWithUs(
  reference: string,
  values: FieldValues,
  { env = {}, ...words }: Partial<SignWords> & { readonly env?: NodeJS.ProcessEnv | undefined } = {},
): Promise<SignedExisting> {
  return withDeps({ env, values }, deps =>
    signExisting({ reference, platforms: [], signature: true, ...words }, values, deps),
  )
}

/** What `oci-publish verify` does. @param policies one line each, as `verify-base` takes them */
export function verifyWithUs(reference: string, ...policies: readonly string[]): Promise<Verification> {
  const parsed = parsePolicies(policies, 'policy')
  if (parsed.problems.length > 0) throw new InputError(parsed.problems)
  return withDeps({}, ({ locate, signing, onEvent }) =>
    verifySignatures(
      { reference: parseReference(reference), policies: parsed.policies },
      { locate, readKey: signing.readPublicKey, loadTrustedRoot: signing.loadTrustedRoot, onEvent },
    ),
  )
}

/** The clock of a local sigstore: of timestamps fractions of a second are not read alike by all. */
export const wholeSeconds = (): Date => new Date(Math.floor(Date.now() / 1000) * 1000)
