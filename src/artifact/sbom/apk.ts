import type { FoundPackage } from './package.ts'

/** apk's database, also where `/lib` has moved to `/usr/lib`. */
export function isApkDatabase(path: string): boolean {
  return /^(?:usr\/)?lib\/apk\/db\/installed$/.test(path)
}

/** Reads apk's database of installed packages: paragraphs of lines with a letter, a colon and a value. */
export function parseApkDatabase(bytes: Uint8Array, location: string): readonly FoundPackage[] {
  const packages: FoundPackage[] = []
  for (const paragraph of Buffer.from(bytes)
    .toString()
    .split(/\n\s*\n/)) {
    const fields = new Map<string, string>()
    for (const line of paragraph.split('\n')) {
      // Lines about files come after those about the package, and some of their letters are the same.
      if (line.startsWith('F:')) break
      if (line[1] === ':') fields.set(line.slice(0, 1), line.slice(2).trim())
    }
    const [name, version, license, origin] = ['P', 'V', 'L', 'o'].map(letter => fields.get(letter))
    if (!name || !version) continue
    packages.push({
      type: 'apk',
      name,
      version,
      architecture: fields.get('A'),
      upstream: origin && origin !== name ? origin : undefined,
      licenses: license ? [license] : undefined,
      location,
    })
  }
  return packages
}
