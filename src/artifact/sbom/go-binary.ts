import { linesOf } from './lines.ts'
import type { FoundPackage } from './package.ts'

const ELF_MAGIC = Buffer.of(0x7f, 0x45, 0x4c, 0x46)
/** Go puts its build info at a multiple of this. */
const ALIGNMENT = 16
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const HEADER_BYTES = 32
const FLAGS_AT = 15
/** Since Go 1.18 the texts follow the header, instead of pointers to them. */
const INLINE = 2
/** What stands around the list of modules. */
const SENTINEL_BYTES = 16
/** Programs that read build info have the magic a few times. */
const MAX_LOOKALIKES = 64
/** The largest programs have some hundred kilobytes. */
const MAX_INFO_BYTES = 4 << 20

/** What Go wrote into a program. */
export interface GoBuildInfo {
  /** `go1.22.3`. */
  readonly goVersion: string
  /** Lines of words parted by tabs, as `go version -m` prints them. */
  readonly modules: string
}

/**
 * Looks for Go's build info in a program, while it streams by: all of it is read up to the info, none of it is kept.
 *
 * @returns undefined for what is no ELF file, or was not built by Go 1.18 or later
 * @see the documentation of Go's package debug/buildinfo
 */
export async function readGoBuildInfo(body: AsyncIterable<Uint8Array>): Promise<GoBuildInfo | undefined> {
  let held: Buffer = Buffer.alloc(0) // begins at an aligned byte of the file
  let isElf = false
  let lookalikes = 0
  for await (const chunk of body) {
    held = held.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
    if (!isElf) {
      if (held.byteLength < ELF_MAGIC.byteLength) continue
      if (!ELF_MAGIC.equals(held.subarray(0, ELF_MAGIC.byteLength))) return undefined
      isElf = true
    }
    const { info, keepFrom, met } = search(held, { atEnd: false })
    if (info) return info
    lookalikes += met
    if (lookalikes > MAX_LOOKALIKES) return undefined
    held = held.subarray(keepFrom)
  }
  return isElf ? search(held, { atEnd: true }).info : undefined
}

interface Searched {
  readonly info: GoBuildInfo | undefined
  /** What only looked like it. */
  readonly met: number
  /** What may still become build info when more bytes are there begins here. */
  readonly keepFrom: number
}

function search(bytes: Buffer, { atEnd }: { readonly atEnd: boolean }): Searched {
  let met = 0
  for (let at = bytes.indexOf(MAGIC); at >= 0 && met <= MAX_LOOKALIKES; at = bytes.indexOf(MAGIC, at + 1)) {
    if (at % ALIGNMENT !== 0) continue
    const info = decode(bytes.subarray(at))
    if (info === 'cut' && !atEnd && bytes.byteLength - at < MAX_INFO_BYTES)
      return { info: undefined, keepFrom: at, met }
    if (typeof info === 'object') return { info, keepFrom: at, met }
    met++
  }
  const tail = Math.max(0, bytes.byteLength - HEADER_BYTES)
  return { info: undefined, keepFrom: tail - (tail % ALIGNMENT), met }
}

/** @returns `cut` where bytes are lacking, undefined for what only looks like it: programs that look for it have the magic too */
function decode(bytes: Buffer): GoBuildInfo | 'cut' | undefined {
  if (bytes.byteLength < HEADER_BYTES) return 'cut'
  if (((bytes[FLAGS_AT] ?? 0) & INLINE) === 0) return undefined
  const version = text(bytes, HEADER_BYTES)
  if (typeof version !== 'object') return version
  if (!/^(?:go|devel)/.test(version.value.toString())) return undefined
  const modules = text(bytes, version.end)
  if (typeof modules !== 'object') return modules
  // Without modules, as in programs of old build systems, there are no sentinels either.
  const inner = modules.value.subarray(SENTINEL_BYTES, -SENTINEL_BYTES)
  return { goVersion: version.value.toString(), modules: inner.toString() }
}

function text(bytes: Buffer, at: number): { readonly value: Buffer; readonly end: number } | 'cut' | undefined {
  let length = 0
  let start = at
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[start++]
    if (byte === undefined) return 'cut'
    length += (byte & 0x7f) * 2 ** shift
    if (length > MAX_INFO_BYTES) return undefined
    if (byte < 0x80) break
  }
  const end = start + length
  return end > bytes.byteLength ? 'cut' : { value: bytes.subarray(start, end), end }
}

/** The program's own module, those it is made of, and Go's library, as the build info names them. */
export function* parseGoModules(
  { goVersion, modules }: GoBuildInfo,
  location: string,
): Generator<FoundPackage, void, undefined> {
  let last: { readonly name: string; readonly version: string | undefined } | undefined
  for (const line of linesOf(Buffer.from(modules))) {
    const [kind, name = '', version] = line.split('\t', 3)
    if (kind === 'mod' || kind === 'dep') {
      if (last) yield { type: 'golang', ...last, location }
      last = name === '' ? undefined : { name, version: known(version) }
    } else if (kind === '=>' && last) {
      // Another folder has no version, and no name that anybody else knows.
      last = isFolder(name) ? { ...last, version: undefined } : { name, version: known(version) }
    }
  }
  if (last) yield { type: 'golang', ...last, location }
  const [, library] = /^go(\d\S*)/.exec(goVersion) ?? []
  if (library !== undefined) yield { type: 'golang', name: 'stdlib', version: library, location }
}

function known(version: string | undefined): string | undefined {
  return version === undefined || version === '' || version === '(devel)' ? undefined : version
}

function isFolder(path: string): boolean {
  return path.startsWith('.') || path.startsWith('/')
}
