import { createHash } from 'node:crypto'
import type { PlannedEntry } from './entries.ts'
import type { WalkedFile } from './scan.ts'

/** What is known of a layer before its files are read. */
export interface Fingerprint {
  /** Of everything the system says about its files: equal means equal content, unless the clock was turned back. */
  readonly exact: string
  /** The same without times and inodes: differs only when the content surely does. */
  readonly shape: string
}

const ENTRIES_AT_ONCE = 1024

export function fingerprintOf(entries: readonly PlannedEntry[]): Fingerprint {
  const shape = createHash('sha256')
  const facts = createHash('sha256')
  for (let from = 0; from < entries.length; from += ENTRIES_AT_ONCE) {
    const some = entries.slice(from, from + ENTRIES_AT_ONCE)
    shape.update(some.map(headerFacts).join(''))
    facts.update(some.map(({ source }) => (source?.type === 'file' ? fileFacts(source) : '\0')).join(''))
  }
  const shapeHex = shape.digest('hex')
  return { shape: shapeHex, exact: facts.update(shapeHex).digest('hex') }
}

/** For a layer that is one ready file. */
export function fingerprintOfFile(file: WalkedFile): Fingerprint {
  const shape = createHash('sha256').update(`${file.size}`).digest('hex')
  return { shape, exact: createHash('sha256').update(fileFacts(file)).update(shape).digest('hex') }
}

// NUL is the one character that is in no path.
function headerFacts({ entry }: PlannedEntry): string {
  const { type, path, mode, uid, gid, mtime, size } = entry
  return `${type}\0${path}\0${mode}\0${uid}\0${gid}\0${mtime}\0${size}\0${'linkPath' in entry ? entry.linkPath : ''}\0`
}

function fileFacts({ path, size, mtimeMs, ctimeMs, ino, dev }: WalkedFile): string {
  return `${path}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}\0${dev}\0`
}

/** Clocks of file systems tick in steps of up to two seconds. */
const TICK_MS = 2000

/**
 * Whether any later change of the files is going to show in their times. One that was changed just before it was looked
 * at may be changed again within the same tick.
 */
export function isSettled(files: readonly (WalkedFile | undefined)[], startedMs: number): boolean {
  return files.every(file => file?.type !== 'file' || file.ctimeMs <= startedMs - TICK_MS)
}
