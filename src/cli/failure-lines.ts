import type { Failure } from '../tell/failure.ts'

/** What went wrong, for a terminal: message, problems, causes, what to do. */
export function failureLines(
  failures: readonly Failure[],
  { stacks }: { readonly stacks: boolean },
): readonly string[] {
  return failures.flatMap(({ message, problems, causes, hint, unexpected, stack }) => [
    `error: ${message}`,
    ...problems.map(one => `  ${typedAs(one.input)}: ${one.problem}${one.hint === undefined ? '' : ` (${one.hint})`}`),
    ...causes.map(cause => `  because: ${cause}`),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ...(unexpected && !stacks ? ['  This looks like a bug; OCI_PUBLISH_DEBUG=1 shows where.'] : []),
    ...(stacks && stack !== undefined ? stack.split('\n').slice(1) : []),
  ])
}

/** Variables and arguments are written in capitals, and are no flags. */
function typedAs(input: string): string {
  return input === input.toUpperCase() ? input : `--${input}`
}
