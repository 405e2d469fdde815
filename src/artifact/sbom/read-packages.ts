import { isApkDatabase, parseApkDatabase } from './apk.ts'
import { isDpkgStatus, parseDpkgStatus } from './dpkg.ts'
import { isNpmPackage, parseNpmPackage } from './npm.ts'
import type { FoundPackage } from './package.ts'
import { isPythonMetadata, parsePythonMetadata } from './python.ts'
import { isRpmDatabase, parseRpmDatabase } from './rpm.ts'

/** One kind of file that tells of packages. Paths are clean, without a slash in front. */
export interface PackageFinder {
  /** For notices. */
  readonly what: string
  readonly wants: (path: string) => boolean
  /** Larger ones are not read: no honest ones come near. */
  readonly maxBytes: number
  /** @throws {OciPublishError} UNSUPPORTED or INVALID_DOCUMENT, in words, for what cannot be read */
  readonly parse: (bytes: Uint8Array, location: string) => readonly FoundPackage[]
}

const MiB = 1 << 20

const FINDERS: readonly PackageFinder[] = [
  { what: "dpkg's database", wants: isDpkgStatus, maxBytes: 64 * MiB, parse: parseDpkgStatus },
  { what: "apk's database", wants: isApkDatabase, maxBytes: 64 * MiB, parse: parseApkDatabase },
  { what: "rpm's database", wants: isRpmDatabase, maxBytes: 512 * MiB, parse: parseRpmDatabase },
  { what: 'npm package', wants: isNpmPackage, maxBytes: 4 * MiB, parse: parseNpmPackage },
  { what: 'Python metadata', wants: isPythonMetadata, maxBytes: 4 * MiB, parse: parsePythonMetadata },
]

/** Who reads the file of this name, if anybody does. */
export function finderOf(path: string): PackageFinder | undefined {
  return FINDERS.find(({ wants }) => wants(path))
}
