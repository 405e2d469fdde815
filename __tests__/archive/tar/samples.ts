import * as fc from 'fast-check'
import type { DirectoryEntry, FileEntry, TarEntry } from '../../../src/archive/tar/header.ts'

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 0 }

export function file(path: string, attributes: Partial<FileEntry> = {}): FileEntry {
  return { ...ATTRIBUTES, path, ...attributes, type: 'file' }
}

export function directory(path: string, attributes: Partial<DirectoryEntry> = {}): DirectoryEntry {
  return { ...ATTRIBUTES, mode: 0o755, path, ...attributes, type: 'directory' }
}

export function link(type: 'symlink' | 'hardlink', path: string, linkPath: string): TarEntry {
  return { ...ATTRIBUTES, mode: 0o777, path, type, linkPath }
}

const ascii = fc.stringMatching(/^[!-.0-~]{1,60}$/)
const unicode = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(text => !/[/\0]/.test(text))
/** Names around the 100 and 155 bytes where ustar ends come up often. */
const long = fc.integer({ min: 90, max: 160 }).map(length => 'n'.repeat(length))
const segment = fc.oneof({ weight: 3, arbitrary: ascii }, unicode, long)
const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map(segments => segments.join('/'))
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(2_097_151, 2_097_152, 4_294_967_294))
const xattrs = fc
  .dictionary(fc.stringMatching(/^(user|security)\.[a-z]{1,10}$/), fc.uint8Array({ minLength: 1, maxLength: 40 }), {
    minKeys: 1,
    maxKeys: 3,
  })
  .map(record => new Map(Object.entries(record)))

const attributes = fc.record(
  {
    ...{ path, uid: id, gid: id },
    mode: fc.integer({ min: 0, max: 0o7777 }),
    mtime: fc.oneof(fc.constant(0), fc.integer({ min: -2_000_000_000, max: 4_294_967_295 }), fc.constant(8 ** 11)),
    size: fc.constant(0),
    xattrs,
  },
  { requiredKeys: ['path', 'uid', 'gid', 'mode', 'mtime', 'size'] },
)
const device = fc.integer({ min: 0, max: 255 })

/** Any entry that has no body. */
export const anyBodiless: fc.Arbitrary<TarEntry> = fc.oneof(
  attributes.map(some => ({ ...some, type: 'directory' as const })),
  attributes.map(some => ({ ...some, type: 'fifo' as const })),
  fc.tuple(attributes, path).map(([some, linkPath]) => ({ ...some, mode: 0o777, type: 'symlink' as const, linkPath })),
  fc.tuple(attributes, path).map(([some, linkPath]) => ({ ...some, type: 'hardlink' as const, linkPath })),
  fc
    .tuple(attributes, fc.constantFrom('character' as const, 'block' as const), device, device)
    .map(([some, type, major, minor]) => ({ ...some, type, major, minor })),
)

/** Any file, and what is in it. */
export const anyFile: fc.Arbitrary<{ readonly entry: FileEntry; readonly content: Uint8Array }> = fc
  .tuple(attributes, fc.uint8Array({ maxLength: 2_000 }))
  .map(([some, content]) => ({ entry: { ...some, type: 'file' as const, size: content.byteLength }, content }))
