import { messageOf, type InputProblem } from '../errors.ts'
import { csvFields } from '../csv.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { PREDICATE_NAMES, predicateTypeOf } from './predicate-type.ts'
import { wantedPattern, wantedText, type Wanted } from './wanted.ts'

interface Conditions {
  /** A URI; undefined stands for that of a signature. */
  readonly predicateType: string | undefined
  /** What the signature has to say besides, in full. */
  readonly annotations: Annotations
  /** A file; undefined stands for the public good instance of sigstore where there is a certificate. */
  readonly trustedRoot: string | undefined
}

/** Trust in one key: a path, `env://NAME`, `awskms://…`, or the key itself as PEM. */
export interface KeyPolicy extends Conditions {
  readonly key: string
}

/** Trust in who had a certificate issued, and in who vouched for them. Both have to fit. */
export interface IdentityPolicy extends Conditions {
  readonly key?: undefined
  readonly identity: Wanted
  readonly issuer: Wanted
}

/** Whom to trust, for what. */
export type VerifyPolicy = KeyPolicy | IdentityPolicy

const KEYS = [
  'key',
  'identity',
  'identity-regexp',
  'issuer',
  'issuer-regexp',
  'predicate-type',
  'annotation',
  'trusted-root',
] as const
export type PolicyKey = (typeof KEYS)[number]

/** What was typed for each key. */
export type PolicyWords = Readonly<Partial<Record<PolicyKey, readonly string[]>>>

/** The key that it is about has to be named before it. */
export interface PolicyProblem {
  readonly key: PolicyKey
  readonly problem: string
  readonly hint?: string | undefined
}

/** A policy understood, or everything that is wrong with it. */
export type CheckedPolicy<P> =
  | { readonly policy: VerifyPolicy; readonly problems: readonly [] }
  | { readonly policy: undefined; readonly problems: readonly P[] }

/**
 * Reads one line: comma-separated KEY=VALUE as in `layers`, or only the path of a public key that ends with `.pub`.
 *
 *     key=cosign.pub
 *     identity=https://github.com/team/app/.github/workflows/release.yml@refs/heads/main,issuer=https://token.actions.githubusercontent.com
 *     identity-regexp=https://github\.com/team/.*,issuer=https://token.actions.githubusercontent.com,predicate-type=slsaprovenance1
 *
 * @param input what the line was typed for
 */
export function parsePolicy(line: string, input: string): CheckedPolicy<InputProblem> {
  const told = (problem: string, hint?: string): InputProblem => ({ input, problem: `"${line}": ${problem}`, hint })
  const fields = csvFields(line.trim())
  if (!fields) return { policy: undefined, problems: [told('a quote is not closed, or text follows it')] }
  const words: Partial<Record<PolicyKey, string[]>> = {}
  const unknown: InputProblem[] = []
  for (const field of fields) {
    const equals = field.indexOf('=')
    const name = equals < 0 && field.trim().endsWith('.pub') ? 'key' : field.slice(0, Math.max(equals, 0)).trim()
    const key = KEYS.find(one => one === name)
    if (key) (words[key] ??= []).push(field.slice(equals + 1).trim())
    else if (equals < 1) unknown.push(told(`"${field}" is not KEY=VALUE`))
    else unknown.push(told(`unknown key "${name}"; known are ${KEYS.join(', ')}`))
  }
  const { policy, problems } = checkPolicy(words)
  if (policy && unknown.length === 0) return { policy, problems: [] }
  const rest = problems.map(({ key, problem, hint }) => told(`${key} ${problem}`, hint))
  return { policy: undefined, problems: [...unknown, ...rest] }
}

/** Reads lines of which it is enough that one is satisfied. */
export function parsePolicies(
  lines: readonly string[],
  input: string,
): { readonly policies: readonly VerifyPolicy[]; readonly problems: readonly InputProblem[] } {
  const parsed = lines.map(line => parsePolicy(line, input))
  return {
    policies: parsed.flatMap(({ policy }) => policy ?? []),
    problems: parsed.flatMap(({ problems }) => problems),
  }
}

/** Makes a policy of what was typed, key by key. */
export function checkPolicy(words: PolicyWords): CheckedPolicy<PolicyProblem> {
  const problems: PolicyProblem[] = []
  const text = (key: PolicyKey): string | undefined => words[key]?.[0]
  for (const key of KEYS) {
    if (key !== 'annotation' && (words[key]?.length ?? 0) > 1) problems.push({ key, problem: 'is given twice' })
    if (words[key]?.includes('')) problems.push({ key, problem: 'is empty' })
  }
  const identity = wantedOf('identity', words, problems)
  const issuer = wantedOf('issuer', words, problems)
  const conditions = conditionsOf(words, problems)
  const key = text('key')
  if (key === undefined) problems.push(...problemsOfWho(identity, issuer))
  else problems.push(...problemsOfKey(key, identity ?? issuer))
  if (problems.length > 0) return { policy: undefined, problems }
  if (key !== undefined) return { policy: { key, ...conditions }, problems: [] }
  if (!identity || !issuer) throw new TypeError('somebody has to be named') // told above
  return { policy: { identity, issuer, ...conditions }, problems: [] }
}

/** Something typed, whether or not it is right. */
type Typed = Wanted | undefined

function wantedOf(name: 'identity' | 'issuer', words: PolicyWords, problems: PolicyProblem[]): Typed {
  const key = `${name}-regexp` as const
  const [exact, pattern] = [words[name]?.[0], words[key]?.[0]]
  if (exact !== undefined && pattern !== undefined) problems.push({ key, problem: `cannot be had besides ${name}` })
  if (exact !== undefined) return wantedText(exact)
  if (pattern === undefined) return undefined
  try {
    return wantedPattern(pattern)
  } catch (error) {
    problems.push({ key, problem: messageOf(error) })
    return wantedText(pattern)
  }
}

function conditionsOf(words: PolicyWords, problems: PolicyProblem[]): Conditions {
  const name = words['predicate-type']?.[0]
  const predicateType = name === undefined ? undefined : predicateTypeOf(name)
  if (name && predicateType === undefined) {
    const problem = `"${name}" is neither a URI nor one of ${PREDICATE_NAMES.join(', ')}`
    problems.push({ key: 'predicate-type', problem })
  }
  const annotations = new Map<string, string>()
  for (const pair of words.annotation?.filter(one => one !== '') ?? []) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, Math.max(equals, 0))
    if (key === '') problems.push({ key: 'annotation', problem: `"${pair}" is not KEY=VALUE` })
    else if (annotations.has(key)) problems.push({ key: 'annotation', problem: `"${key}" is given twice` })
    annotations.set(key, pair.slice(equals + 1))
  }
  return { predicateType, annotations: Object.fromEntries(annotations), trustedRoot: words['trusted-root']?.[0] }
}

const GITHUB = 'https://token.actions.githubusercontent.com'
const WORKFLOW = 'https://github.com/OWNER/REPO/.github/workflows/FILE@refs/heads/main'

function problemsOfWho(identity: Typed, issuer: Typed): readonly PolicyProblem[] {
  if (identity && issuer) return []
  if (identity) {
    const problem = 'is missing: without it, whoever issues that name to anybody is believed'
    return [{ key: 'issuer', problem, hint: `GitHub's is ${GITHUB}` }]
  }
  if (issuer)
    return [{ key: 'identity', problem: 'is missing: without it, everybody with an account there is believed' }]
  const hint = `or an identity, such as ${WORKFLOW}, with the issuer ${GITHUB}`
  return [{ key: 'key', problem: 'is missing: say whom to trust, by a public key such as cosign.pub', hint }]
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//

function problemsOfKey(key: string, who: Typed): readonly PolicyProblem[] {
  const [, scheme] = SCHEME.exec(key) ?? []
  return [
    ...(who
      ? [{ key: 'key', problem: 'cannot be had besides an identity: a signature is by one or the other' } as const]
      : []),
    ...(scheme === undefined || ['env', 'awskms'].includes(scheme)
      ? []
      : [{ key: 'key', problem: `"${scheme}://" is not known; a key is a path, env://NAME or awskms://…` } as const]),
  ]
}
