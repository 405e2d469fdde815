import type { FoundPackage } from './package.ts'

/** The description of an installed package, not those of folders within it. */
export function isNpmPackage(path: string): boolean {
  return /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@./][^/]*\/package[.]json$/.test(path)
}

/** Reads the package.json of an installed package; one without a name and a version is no package. */
export function parseNpmPackage(bytes: Uint8Array, location: string): readonly FoundPackage[] {
  let document: unknown
  try {
    document = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        .toString()
        .replace(/^\ufeff/, ''),
    )
  } catch {
    return [] // tests of packages have broken ones
  }
  const { name, version, license, licenses } = (document ?? {}) as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || typeof version !== 'string' || !isName(name) || version === '') return []
  const given = [license, ...(Array.isArray(licenses) ? (licenses as unknown[]) : [licenses])]
  const names = given.map(licenseName).filter(text => text !== undefined)
  return [{ type: 'npm', name, version, licenses: names.length > 0 ? names : undefined, location }]
}

function isName(name: string): boolean {
  return /^(?:@[^/@\s]+\/)?[^/@\s]+$/.test(name)
}

/** A name, or the object with one that old packages have. */
function licenseName(license: unknown): string | undefined {
  const name: unknown =
    typeof license === 'object' && license !== null ? (license as { readonly type?: unknown }).type : license
  return typeof name === 'string' && name.trim() !== '' ? name.trim() : undefined
}
