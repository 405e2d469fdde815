import { CREDENTIAL_RULES } from './credential-rules.ts'
import type { Evidence, Rule } from './evidence.ts'
import { OUTCOME_RULES } from './outcome-rules.ts'
import { PROTOCOL_RULES } from './protocol-rules.ts'

/** One rule that was broken. */
export interface Finding {
  readonly rule: string
  readonly level: Rule['level']
  /** In words. */
  readonly what: string
}

export const RULES: readonly Rule[] = [...OUTCOME_RULES, ...PROTOCOL_RULES, ...CREDENTIAL_RULES]

/** Holds a client to every rule, by what the registries saw of it. */
export function judge(evidence: Evidence): readonly Finding[] {
  return RULES.flatMap(({ name, level, find }) => find(evidence).map(what => ({ rule: name, level, what })))
}
