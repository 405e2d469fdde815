import { Budget } from '../budget.ts'
import { isDotGit } from './dot-git.ts'

/** Folder of the output where files wait until they are whole. Nothing that is pulled may be called so. */
export const WORK_FOLDER = '.oci-publish-pull'

/** Names that Windows keeps for devices, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:[.].*)?$/i
/** PATH_MAX of Linux, where it counts bytes. */
const MAX_NAME_LENGTH = 4096
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
  if (name.length > MAX_NAME_LENGTH) throw new Error(`it has more than ${MAX_NAME_LENGTH} characters`)
  for (const part of parts) {
    if (isDotGit(part)) throw new Error(`"${part}" is where git keeps hooks and settings, which run programs`)
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
  /** By folded name. */
  readonly children: Map<string, Taken>
}

/** Characters of names that are kept, so that long ones cannot fill the memory where few files are allowed to. */
const MAX_CHARACTERS = 32 << 20

/** The names in a folder that are spoken for, with all folders above them. */
export class TakenNames {
  readonly #root = new Map<string, Taken>()
  readonly #characters = new Budget({ what: 'characters in names of files', max: MAX_CHARACTERS })

  /**
   * @throws {Error} in words, where it cannot be beside what has been taken
   * @throws {OciPublishError} TOO_LARGE
   */
  take(name: string, kind: Taken['kind']): void {
    const parts = name.split('/')
    let taken = this.#root
    for (const [i, part] of parts.entries()) {
      const isLast = i === parts.length - 1
      const path = (): string => parts.slice(0, i + 1).join('/')
      taken = this.#takeOne(taken, part, isLast ? kind : 'folder', path).children
    }
  }

  #takeOne(taken: Map<string, Taken>, name: string, kind: Taken['kind'], path: () => string): Taken {
    const key = folded(name)
    const before = taken.get(key)
    if (!before) {
      this.#characters.spend(name.length + CHARACTERS_OF_AN_ENTRY, path())
      const one: Taken = { name, kind, children: new Map() }
      taken.set(key, one)
      return one
    }
    if (before.name !== name) throw new Error(`"${before.name}" is the same name where case makes no difference`)
    if (before.kind !== kind) throw new Error(`"${path()}" would be a file and a folder`)
    if (kind === 'file') throw new Error('it is there twice')
    return before
  }
}

/** A name of one letter takes as much. */
const CHARACTERS_OF_AN_ENTRY = 200
