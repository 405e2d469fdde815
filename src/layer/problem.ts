import type { InputProblem } from '../errors.ts'
import { formatPlatform, type Platform } from '../oci/platform.ts'

/** So many broken files say enough about one line. */
const MAX_PROBLEMS = 20

/** What is wrong with one line of `layers`, for the user who typed it. */
export function problemsOf(
  { line }: { readonly line: string },
  says: readonly string[],
  platform?: Platform,
): readonly InputProblem[] {
  const about = platform ? `"${line}" (${formatPlatform(platform)})` : `"${line}"`
  const rest = says.length > MAX_PROBLEMS ? [`and ${says.length - MAX_PROBLEMS} more like these`] : []
  return [...says.slice(0, MAX_PROBLEMS), ...rest].map(problem => ({
    input: 'layers',
    problem: `${about}: ${problem}`,
  }))
}
