/** Folder of the output where files wait until they are whole. Nothing that is pulled may be called so. */
export const WORK_FOLDER = '.oci-publish-pull'

/** Names that Windows keeps for devices, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:[.].*)?$/i
const CONTROL = /[\u0000-\u001f\u007f]/
const NOT_ON_WINDOWS = /[<>:"|?*]/

/**
 * A name from elsewhere as one that stays in the folder that it is joined to, on any system: relative, `/`-separated,
 * without `.` and empty parts.
 *
 * @throws {Error} in words, without the name
 */
export function cleanName(name: string, platform: NodeJS.Platform = process.platform): string {
  if (CONTROL.test(name)) throw new Error('it has control characters')
  if (name.includes('\\')) throw new Error('it has a backslash, which parts folders on Windows')
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw new Error('it is absolute, and would leave the folder')
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..')) throw new Error('it has ".." in it, and could leave the folder')
  if (parts.length === 0) throw new Error('it is empty')
  for (const part of parts) {
    if (DEVICE.test(part)) throw new Error(`"${part}" is a device on Windows`)
    if (/[. ]$/.test(part)) throw new Error(`"${part}" ends with a dot or a space, which Windows drops`)
    if (platform === 'win32' && NOT_ON_WINDOWS.test(part)) throw new Error(`"${part}" is no name on Windows`)
  }
  if (folded(parts[0] ?? '') === WORK_FOLDER) throw new Error('it is where files wait that are not whole yet')
  return parts.join('/')
}

/** As file systems see it for which case, and how accents are written, make no difference. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

interface Taken {
  readonly name: string
  readonly kind: 'file' | 'folder'
}

/** The names in a folder that are spoken for, with all folders above them. */
export class TakenNames {
  readonly #taken = new Map<string, Taken>()

  /** @throws {Error} in words, where it cannot be beside what has been taken */
  take(name: string, kind: Taken['kind']): void {
    const parts = name.split('/')
    for (let count = 1; count < parts.length; count++) this.#takeOne(parts.slice(0, count).join('/'), 'folder')
    this.#takeOne(name, kind)
  }

  #takeOne(name: string, kind: Taken['kind']): void {
    const before = this.#taken.get(folded(name))
    if (!before) this.#taken.set(folded(name), { name, kind })
    else if (before.name !== name) throw new Error(`"${before.name}" is the same name where case makes no difference`)
    else if (before.kind !== kind) throw new Error(`"${name}" would be a file and a folder`)
    else if (kind === 'file') throw new Error('it is there twice')
  }
}
