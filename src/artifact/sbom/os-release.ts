import { linesOf } from './lines.ts'

/** What system an image is of. */
export interface SystemRelease {
  /** `debian`, `alpine`. */
  readonly id: string
  /** `12`, `3.20.1`; rolling systems have none. */
  readonly version: string | undefined
  /** For people. */
  readonly name: string | undefined
}

/** Where it is said; the first is often a link to the second, and goes before it where it is a file. */
export const OS_RELEASE: readonly string[] = ['etc/os-release', 'usr/lib/os-release']

/**
 * @returns undefined where no system is named
 * @see os-release(5)
 */
export function parseOsRelease(bytes: Uint8Array): SystemRelease | undefined {
  const values = new Map<string, string>()
  for (const line of linesOf(bytes)) {
    const [, key, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim()) ?? []
    if (key !== undefined && value !== undefined) values.set(key, unquoted(value))
  }
  const id = values.get('ID')
  if (!id) return undefined
  return { id, version: values.get('VERSION_ID') ?? undefined, name: values.get('PRETTY_NAME') ?? values.get('NAME') }
}

/** As a shell reads it. */
function unquoted(value: string): string {
  if (/^'.*'$/s.test(value)) return value.slice(1, -1)
  const inside = /^".*"$/s.test(value) ? value.slice(1, -1) : value
  return inside.replace(/\\(.)/gs, '$1')
}
