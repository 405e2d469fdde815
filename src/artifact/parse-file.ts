import { posix } from 'node:path'
import { isManifestType, isNondistributable } from '../oci/media-type.ts'
import { withoutTrailing } from '../trim.ts'

/** A file or directory of an artifact, as it was asked for. */
export interface FileSpec {
  /** As typed; relative to the context. */
  readonly path: string
  /** undefined where none is given. */
  readonly mediaType: string | undefined
  /** What it is called in the artifact, `/`-separated; `.` for the context itself. */
  readonly title: string
}

/** RFC 6838, 4.2: what the specification lets a media type be. */
const NAME = String.raw`[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}`
const MEDIA_TYPE = new RegExp(`^${NAME}/${NAME}$`)

/** Whether a text is `type/subtype`, without parameters. */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text)
}

/**
 * Reads `PATH[:MEDIA-TYPE]`. What follows the last colon has to be a media type, or a word that stands for one, so a path
 * with a colon in it needs one after it.
 *
 * A path that leads out of the context, or from the root, is called by its last part: others must be able to pull it
 * into any folder.
 *
 * @param words short words for media types
 * @throws {Error} in words, without the input's name
 */
export function parseFile(text: string, words: ReadonlyMap<string, string> = new Map()): FileSpec {
  const colon = text.lastIndexOf(':')
  const drive = colon === 1 && /^[A-Za-z]:[\\/]/.test(text)
  const hasType = colon >= 0 && !drive
  const path = hasType ? text.slice(0, colon) : text
  if (path.trim() === '') throw new Error(`"${text}" names no file`)
  return { path, mediaType: hasType ? typeOf(text.slice(colon + 1), text, words) : undefined, title: titleOf(path) }
}

function typeOf(after: string, text: string, words: ReadonlyMap<string, string>): string {
  const mediaType = words.get(after) ?? after
  if (isManifestType(mediaType) || isNondistributable(mediaType)) {
    throw new Error(`${mediaType} in "${text}" is no type for a file: registries treat what has it in a way of its own`)
  }
  if (isMediaType(mediaType)) return mediaType
  const others = words.size === 0 ? '' : `, nor one of ${[...words.keys()].join(', ')}`
  throw new Error(`"${after}" in "${text}" is not a media type such as application/json${others}`)
}

function titleOf(path: string): string {
  const normal = posix.normalize(path.replaceAll('\\', '/'))
  const clean = withoutTrailing(normal, '/') || normal
  const isLocal = !posix.isAbsolute(clean) && !/^[A-Za-z]:/.test(clean) && clean !== '..' && !clean.startsWith('../')
  return isLocal ? clean : posix.basename(clean)
}
