import { parseArgs, type ParseArgsConfig } from 'node:util'
import { isPersonalityName, type PersonalityName } from './personality.ts'

/** The command line is wrong. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>

/** @throws {UsageError} */
export function readArguments<const O extends Options>(
  args: readonly string[],
  options: O,
): ReturnType<typeof parseArgs<{ args: string[]; options: O }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** A whole number, 0 or more. @throws {UsageError} */
export function numberOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} ${text} is not a whole number`)
  return Number(text)
}

/** @throws {UsageError} */
export function personalityOf(name: string): PersonalityName {
  if (isPersonalityName(name)) return name
  throw new UsageError(`there is no personality ${name}; list says which there are`)
}
