import semver, { type SemVer } from 'semver'
import { isHelmVersion } from './check-metadata.ts'

/**
 * The highest of the versions that a range allows, as helm reads ranges: commas and blanks are "and", `||` is "or", `!=`
 * is known, and a version before a release (1.0.0-rc.1) only counts where the range names one itself.
 *
 * @param range empty for any release
 * @throws {TypeError} for what is no range
 */
export function highestIn(range: string, versions: readonly string[]): string | undefined {
  const exact = versions.find(version => version === range)
  if (exact !== undefined) return exact
  const groups = range.split('||').map(parseGroup)
  const candidates = versions.flatMap(text => {
    const parsed = parseVersion(text)
    return parsed && groups.some(group => holds(group, parsed)) ? [{ text, parsed }] : []
  })
  return candidates.sort((a, b) => semver.compareBuild(b.parsed, a.parsed))[0]?.text
}

/** `v1.2` is 1.2.0 for helm. */
function parseVersion(text: string): SemVer | undefined {
  if (!isHelmVersion(text)) return undefined
  const [whole = '', numbers = ''] = /^v?([0-9.]+)/.exec(text) ?? []
  const rest = text.slice(whole.length)
  const [major = '0', minor = '0', patch = '0'] = numbers.split('.')
  return semver.parse(`${Number(major)}.${Number(minor)}.${Number(patch)}${rest}`) ?? undefined
}

/** What has to hold together. */
interface Group {
  readonly range: semver.Range
  readonly not: readonly semver.Range[]
  /** Whether versions before a release count. */
  readonly early: boolean
}

function parseGroup(text: string): Group {
  // Operators as npm's ranges write them, so that what follows is its own language.
  const words = text
    .replaceAll(',', ' ')
    .replaceAll('=>', '>=')
    .replaceAll('=<', '<=')
    .replace(/([<>=!~^])\s+/g, '$1')
    .replace(/~>/g, '~')
    .replace(/(^|[\s<>=!~^])v(?=[0-9])/g, '$1')
    .split(/\s+/)
    .filter(word => word !== '')
  const not = words.filter(word => word.startsWith('!=')).map(word => rangeOf(word.slice(2)))
  const range = rangeOf(words.filter(word => !word.startsWith('!=')).join(' ') || '*')
  return { range, not, early: words.some(word => /[0-9]-[0-9A-Za-z]/.test(word)) }
}

function rangeOf(text: string): semver.Range {
  return new semver.Range(text, { includePrerelease: true })
}

function holds({ range, not, early }: Group, version: SemVer): boolean {
  if (version.prerelease.length > 0 && !early) return false
  return range.test(version) && !not.some(one => one.test(version))
}
