import { OciPublishError } from '../../errors.ts'
import type { FoundPackage } from './package.ts'
import { parseRpmHeader, RPM_TAG, type RpmHeader } from './rpm-header.ts'
import { readTable, type PagedBytes } from './sqlite-table.ts'

const DATABASE = /^(?:var\/lib\/rpm|usr\/(?:lib\/sysimage|share)\/rpm)\/(?:rpmdb[.]sqlite|Packages|Packages[.]db)$/

/** RPM's database, in every form and place that it had. */
export function isRpmDatabase(path: string): boolean {
  return DATABASE.test(path)
}

/**
 * Reads the packages of RPM's database.
 *
 * @throws {OciPublishError} UNSUPPORTED for the forms before SQLite, INVALID_DOCUMENT when it is broken
 */
export function* parseRpmDatabase(file: PagedBytes, location: string): Generator<FoundPackage, void, undefined> {
  if (!location.endsWith('.sqlite')) {
    const form = location.endsWith('.db') ? 'ndb' : 'Berkeley DB'
    throw new OciPublishError(
      'UNSUPPORTED',
      `${location}: RPM's database is read in the form of SQLite, not in ${form}`,
    )
  }
  for (const [, blob] of readTable(file, 'Packages', location)) {
    const found = blob instanceof Uint8Array ? packageOf(parseRpmHeader(blob, location), location) : undefined
    if (found) yield found
  }
}

function packageOf(header: RpmHeader, location: string): FoundPackage | undefined {
  const text = (tag: keyof typeof RPM_TAG): string | undefined => {
    const value = header.get(RPM_TAG[tag])
    return typeof value === 'string' && value !== '' && value !== '(none)' ? value : undefined
  }
  const [name, version, release] = [text('name'), text('version'), text('release')]
  // Keys that are trusted are kept like packages.
  if (name === undefined || version === undefined || name === 'gpg-pubkey') return undefined
  const epoch = header.get(RPM_TAG.epoch)
  const license = text('license')
  return {
    type: 'rpm',
    name,
    version: release === undefined ? version : `${version}-${release}`,
    architecture: text('architecture'),
    epoch: typeof epoch === 'number' ? epoch : undefined,
    upstream: text('sourceRpm'),
    licenses: license === undefined ? undefined : [license],
    location,
  }
}
