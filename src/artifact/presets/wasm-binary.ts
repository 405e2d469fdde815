import type { FileHandle } from 'node:fs/promises'
import { OciPublishError } from '../../errors.ts'
import { openRegularFile, type FileIdentity } from '../../files/regular-file.ts'

/** What a WebAssembly binary is, and of a component, what it asks for and what it offers. */
export type WasmBinary =
  | { readonly kind: 'module' }
  | { readonly kind: 'component'; readonly imports: readonly string[]; readonly exports: readonly string[] }

const MAGIC = '0061736d'
/** Version and layer: core modules, and components as of the Component Model's pre-standard. */
const KINDS: Readonly<Record<string, WasmBinary['kind']>> = { '01000000': 'module', '0d000100': 'component' }
const HEADER_BYTES = 8
const IMPORTS = 10
const EXPORTS = 11

/** A list of names is small; a section that says otherwise is no list of names. */
const MAX_SECTION_BYTES: number = 4 << 20

/**
 * Reads what kind a binary is, and the top-level imports and exports of a component. Of a large one, only those.
 *
 * @throws {OciPublishError} INVALID_WASM
 * @see Component Model, design/mvp/Binary.md, "Component Definitions", "Import and Export Definitions"
 */
export async function readWasm(path: string, found?: FileIdentity): Promise<WasmBinary> {
  const file = await openRegularFile(path, found)
  try {
    const header = (await readAt(file, 0, HEADER_BYTES)).toString('hex')
    const kind = header.startsWith(MAGIC) ? KINDS[header.slice(MAGIC.length)] : undefined
    if (kind === 'module') return { kind }
    if (kind === 'component') return { kind, ...(await readNames(file)) }
    throw new Error(
      header.startsWith(MAGIC) && header.length === 2 * HEADER_BYTES
        ? `it is of version ${header.slice(MAGIC.length)}, which is neither a module nor a component known here`
        : 'it does not begin as WebAssembly does; text (.wat) has to be compiled first',
    )
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new OciPublishError('INVALID_WASM', `${path} is no WebAssembly that can be read: ${error.message}`, {
      cause: error,
    })
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position)
  return buffer.subarray(0, bytesRead)
}

async function readNames(file: FileHandle): Promise<Pick<WasmBinary & { kind: 'component' }, 'imports' | 'exports'>> {
  const names = { imports: [] as string[], exports: [] as string[] }
  const { size: end } = await file.stat()
  for (let at = HEADER_BYTES; at < end;) {
    const head = new Reader(await readAt(file, at, 6))
    const id = head.byte()
    const size = head.u32()
    const from = at + head.offset
    if (from + size > end) throw new Error('it ends in the middle of a section')
    if (id === IMPORTS || id === EXPORTS) {
      if (size > MAX_SECTION_BYTES) throw new Error(`its section ${id} has ${size} bytes`)
      const section = new Reader(await readAt(file, from, size))
      if (id === IMPORTS) names.imports.push(...section.vector(readImport))
      else names.exports.push(...section.vector(readExport))
    }
    at = from + size
  }
  return names
}

function readImport(section: Reader): string {
  const name = readName(section)
  skipDescription(section)
  return name
}

function readExport(section: Reader): string {
  const name = readName(section)
  // The sort of the item, of a core item both, and its index; then perhaps a description.
  if (section.byte() === 0x00) section.byte()
  section.u32()
  if (section.byte() === 0x01) skipDescription(section)
  return name
}

/** Two prefixes were once kinds of names; both are still written. */
function readName(section: Reader): string {
  const prefix = section.byte()
  if (prefix > 0x01) throw new Error(`a name of the unknown kind ${prefix}`)
  return section.text()
}

function skipDescription(section: Reader): void {
  const sort = section.byte()
  switch (sort) {
    case 0x00: // a core module: its one sort, and a type
      section.byte()
      break
    case 0x01: // a function
    case 0x04: // a component
    case 0x05: // an instance
      break
    case 0x02: // a value: equal to one, or of a type
      section.byte()
      break
    case 0x03: // a type: equal to one, or a resource, which has no index
      if (section.byte() === 0x01) return
      break
    default:
      throw new Error(`an item of the unknown sort ${sort}`)
  }
  section.u32()
}

/** Reads a section from its start; throws where it ends too early. */
class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  byte(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw new Error('a section ends too early')
    return byte
  }

  /** LEB128. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new Error('a number has more than 32 bits')
  }

  text(): string {
    const size = this.u32()
    const end = this.#offset + size
    if (end > this.#bytes.byteLength) throw new Error('a name ends too late')
    const text = this.#bytes.toString('utf8', this.#offset, end)
    this.#offset = end
    return text
  }

  vector<T>(read: (from: Reader) => T): readonly T[] {
    const items: T[] = []
    for (let count = this.u32(); count > 0; count--) items.push(read(this))
    return items
  }
}
