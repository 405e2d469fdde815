import type { FoundPackage } from './package.ts'
import { parseStanzas, type Stanza } from './stanzas.ts'

/** dpkg's database, and the files of one package each that images without dpkg have in its place. */
export function isDpkgStatus(path: string): boolean {
  if (path === 'var/lib/dpkg/status') return true
  return /^var\/lib\/dpkg\/status[.]d\/[^/]+$/.test(path) && !path.endsWith('.md5sums')
}

const KEYS: ReadonlySet<string> = new Set(['package', 'version', 'status', 'architecture', 'source'])

/** Reads the packages that are installed; those of which only the configuration is left are not. */
export function* parseDpkgStatus(bytes: Uint8Array, location: string): Generator<FoundPackage, void, undefined> {
  for (const stanza of parseStanzas(bytes, KEYS)) {
    const [name, version] = [stanza.get('package'), stanza.get('version')]
    if (!name || !version || !isInstalled(stanza)) continue
    const architecture = stanza.get('architecture')
    yield { type: 'deb', name, version, architecture, upstream: upstreamOf(stanza, name, version), location }
  }
}

/** `install ok installed`; files of one package each have no such line. */
function isInstalled(stanza: Stanza): boolean {
  const status = stanza.get('status')
  return status === undefined || status.split(/\s+/)[2] === 'installed'
}

/** `Source: glibc (2.36-9)`; without a version it has that of the package. */
function upstreamOf(stanza: Stanza, name: string, version: string): string | undefined {
  const [, source = '', sourceVersion] = /^(\S+)(?:\s+\(([^)]+)\))?/.exec(stanza.get('source') ?? '') ?? []
  const other = sourceVersion !== undefined && sourceVersion !== version ? sourceVersion : undefined
  if (source === '' || (source === name && other === undefined)) return undefined
  return other === undefined ? source : `${source}@${other}`
}
