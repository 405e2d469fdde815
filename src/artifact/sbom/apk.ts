import { linesOf } from './lines.ts'
import type { FoundPackage } from './package.ts'

/** apk's database, also where `/lib` has moved to `/usr/lib`. */
export function isApkDatabase(path: string): boolean {
  return /^(?:usr\/)?lib\/apk\/db\/installed$/.test(path)
}

/** Reads apk's database of installed packages: paragraphs of lines with a letter, a colon and a value. */
export function* parseApkDatabase(bytes: Uint8Array, location: string): Generator<FoundPackage, void, undefined> {
  let fields = new Map<string, string>()
  let isAboutFiles = false
  for (const line of linesOf(bytes)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield* packageOf(fields, location)
      if (fields.size > 0) fields = new Map()
      isAboutFiles = false
    }
    // Lines about files come after those about the package, and some of their letters are the same.
    else if (line.startsWith('F:')) isAboutFiles = true
    else if (!isAboutFiles && line[1] === ':' && LETTERS.has(line.slice(0, 1)))
      fields.set(line.slice(0, 1), line.slice(2).trim())
  }
  yield* packageOf(fields, location)
}

const LETTERS: ReadonlySet<string> = new Set(['P', 'V', 'L', 'o', 'A'])

function packageOf(fields: ReadonlyMap<string, string>, location: string): readonly FoundPackage[] {
  const [name, version, license, origin] = ['P', 'V', 'L', 'o'].map(letter => fields.get(letter))
  if (!name || !version) return []
  return [
    {
      type: 'apk',
      name,
      version,
      architecture: fields.get('A'),
      upstream: origin && origin !== name ? origin : undefined,
      licenses: license ? [license] : undefined,
      location,
    },
  ]
}
