import type { FieldName, FieldValues } from '../publish/fields.ts'
import { kindsOf } from '../publish/kinds.ts'

/**
 * Without values that have nothing to do in this publication. They have no flag: they come from variables, which are set for
 * whichever command needs them, and are no mistake where none does.
 */
export function withoutIdle(values: FieldValues): FieldValues {
  const idle: readonly FieldName[] = [
    ...(kindsOf(values).chart ? [] : (['chart-sign-key', 'chart-sign-passphrase'] as const)),
    ...(values['sign-key'] === undefined ? (['sign-password'] as const) : []),
  ]
  return Object.fromEntries(Object.entries(values).filter(([name]) => !idle.some(one => one === name)))
}
