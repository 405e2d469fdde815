import type { FoundPackage } from './package.ts'
import { parseStanzas } from './stanzas.ts'

/** What wheels and, in older installations, eggs leave behind. */
export function isPythonMetadata(path: string): boolean {
  return /(?:^|\/)(?:[^/]+[.]dist-info\/METADATA|[^/]+[.]egg-info(?:\/PKG-INFO)?)$/.test(path)
}

const KEYS: ReadonlySet<string> = new Set(['name', 'version', 'license', 'license-expression'])

/** Reads the head of the metadata of an installed distribution. */
export function parsePythonMetadata(bytes: Uint8Array, location: string): readonly FoundPackage[] {
  const [head] = parseStanzas(bytes, KEYS)
  const [name, version] = [head?.get('name'), head?.get('version')]
  if (!name || !version) return []
  const license = head?.get('license-expression') ?? head?.get('license')
  // Some put all of a licence's text there.
  const isName = license !== undefined && license !== '' && license !== 'UNKNOWN' && !license.includes('\n')
  return [{ type: 'pypi', name, version, licenses: isName ? [license] : undefined, location }]
}
