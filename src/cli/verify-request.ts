import { attemptsInto, type InputProblem } from '../errors.ts'
import type { Choice } from '../artifact/members.ts'
import { parsePlatform } from '../oci/platform.ts'
import { parseReference } from '../oci/reference.ts'
import { entriesOf } from '../publish/fields.ts'
import { checkPolicy, parsePolicies, type PolicyKey, type VerifyPolicy } from '../sign/policy.ts'
import { PREDICATE_NAMES, predicateTypeOf } from '../sign/predicate-type.ts'
import type { VerifyRequest } from '../sign/verify.ts'
import { textsOf, type Flags } from './flags.ts'

/** A request understood, or everything that is wrong with it. */
type ParsedVerify =
  | { readonly request: VerifyRequest; readonly problems: readonly [] }
  | { readonly request: undefined; readonly problems: readonly InputProblem[] }

/** Flags as cosign has them, and commander's names for them. */
const FLAGS: Readonly<Record<PolicyKey, readonly [flag: string, attribute: string]>> = {
  key: ['key', 'key'],
  identity: ['certificate-identity', 'certificateIdentity'],
  'identity-regexp': ['certificate-identity-regexp', 'certificateIdentityRegexp'],
  issuer: ['certificate-oidc-issuer', 'certificateOidcIssuer'],
  'issuer-regexp': ['certificate-oidc-issuer-regexp', 'certificateOidcIssuerRegexp'],
  'predicate-type': ['type', 'type'],
  annotation: ['annotations', 'annotations'],
  'trusted-root': ['trusted-root', 'trustedRoot'],
}

const KEYS = Object.keys(FLAGS) as readonly PolicyKey[]
/** What says whom to trust, and not what for. */
const WHO = ['key', 'identity', 'identity-regexp', 'issuer', 'issuer-regexp'] as const

/** Reads what is to be verified, and whom to trust: by flags like those of cosign, by lines, or by both. */
export function parseVerify(text: string, flags: Flags): ParsedVerify {
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const reference = attempt('REFERENCE', () => parseReference(text))
  const choices = entriesOf({ name: 'platforms', kind: 'list', sentence: '' }, textsOf(flags['platforms'])).map(one =>
    attempt('platforms', (): Choice => (one === 'all' || one === 'index' ? one : parsePlatform(one))),
  )
  const lines = textsOf(flags['policy'])
  const { policies, problems: wrong } = parsePolicies(lines, 'policy')
  const typed = fromFlags(flags, lines.length > 0)
  problems.push(...wrong, ...typed.problems)
  if (!reference || problems.length > 0) return { request: undefined, problems }
  const request = {
    reference,
    policies: [...(typed.policy ? [typed.policy] : []), ...policies],
    predicateType: typed.predicateType,
    choices: choices.filter(choice => choice !== undefined),
  }
  return { request, problems: [] }
}

interface Typed {
  readonly policy: VerifyPolicy | undefined
  /** Of lines that name none. */
  readonly predicateType: string | undefined
  readonly problems: readonly InputProblem[]
}

function fromFlags(flags: Flags, hasLines: boolean): Typed {
  const words = Object.fromEntries(KEYS.map(key => [key, textOf(flags[FLAGS[key][1]])] as const))
  const type = words['predicate-type']?.[0]
  const predicateType = type === undefined ? undefined : predicateTypeOf(type)
  if (!hasLines || WHO.some(key => words[key] !== undefined)) {
    const { policy, problems } = checkPolicy(Object.fromEntries(Object.entries(words).filter(([, one]) => one)))
    return { policy, predicateType, problems: problems.map(({ key, ...rest }) => ({ input: FLAGS[key][0], ...rest })) }
  }
  const useless = (['annotation', 'trusted-root'] as const).filter(key => words[key] !== undefined)
  const problems = useless.map((key): InputProblem => {
    const problem = `is for --key and --certificate-identity; a line of --policy has ${key}=… of its own`
    return { input: FLAGS[key][0], problem }
  })
  if (type !== undefined && predicateType === undefined) {
    problems.push({ input: 'type', problem: `"${type}" is neither a URI nor one of ${PREDICATE_NAMES.join(', ')}` })
  }
  return { policy: undefined, predicateType, problems }
}

function textOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  const texts = textsOf(value)
  return texts.length > 0 ? texts : undefined
}
