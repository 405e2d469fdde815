import { isApkDatabase, parseApkDatabase } from './apk.ts'
import { isDpkgStatus, parseDpkgStatus } from './dpkg.ts'
import { isNpmPackage, parseNpmPackage } from './npm.ts'
import type { FoundPackage } from './package.ts'
import { isPythonMetadata, parsePythonMetadata } from './python.ts'
import { isRpmDatabase, parseRpmDatabase } from './rpm.ts'
import type { PagedBytes } from './sqlite-table.ts'

/** One kind of file that tells of packages. Paths are clean, without a slash in front. */
export interface PackageFinder {
  /** For notices. */
  readonly what: string
  readonly wants: (path: string) => boolean
  /** Larger ones are not read: no honest ones come near. */
  readonly maxBytes: number
  /**
   * Packages one by one: whoever has enough of them can stop.
   *
   * @throws {OciPublishError} UNSUPPORTED or INVALID_DOCUMENT, in words, for what cannot be read
   */
  readonly parse: (file: PagedBytes, location: string) => Iterable<FoundPackage>
}

const MiB = 1 << 20

const FINDERS: readonly PackageFinder[] = [
  { what: "dpkg's database", wants: isDpkgStatus, maxBytes: 32 * MiB, parse: whole(parseDpkgStatus) },
  { what: "apk's database", wants: isApkDatabase, maxBytes: 32 * MiB, parse: whole(parseApkDatabase) },
  { what: "rpm's database", wants: isRpmDatabase, maxBytes: 512 * MiB, parse: parseRpmDatabase },
  { what: 'npm package', wants: isNpmPackage, maxBytes: 2 * MiB, parse: whole(parseNpmPackage) },
  { what: 'Python metadata', wants: isPythonMetadata, maxBytes: 4 * MiB, parse: whole(parsePythonMetadata) },
]

function whole(parse: (bytes: Uint8Array, location: string) => Iterable<FoundPackage>): PackageFinder['parse'] {
  return (file, location) => parse(file.read(0, file.byteLength), location)
}

/** Who reads the file of this name, if anybody does. */
export function finderOf(path: string): PackageFinder | undefined {
  return FINDERS.find(({ wants }) => wants(path))
}
