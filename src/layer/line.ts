import type { InputProblem } from '../errors.ts'
import { placeholdersOf, type Platform } from '../oci/platform.ts'
import { csvFields } from '../csv.ts'
import { destinationProblem, normaliseDestination } from './destination.ts'
import { parseExclusion } from './exclude.ts'
import { parseOwner, type Owner } from './owner.ts'
import { problemsOf } from './problem.ts'

/** Files, or the contents of directories, that become a layer. */
export interface FilesSpec {
  readonly kind: 'files'
  /** As typed, for messages. */
  readonly line: string
  /** A file, a directory or a pattern, relative to the context unless absolute. */
  readonly src: string
  /** Absolute, in the image; a slash at the end says that it is a directory. */
  readonly dest: string
  /** undefined is 0:0. */
  readonly owner: Owner | undefined
  /** Of files; directories get the same, with `x` wherever there is `r`. undefined: from the files' own executable bit. */
  readonly mode: number | undefined
  /** Patterns as in .dockerignore, relative to the source. */
  readonly exclude: readonly string[]
  /** Seconds since 1970. */
  readonly mtime: number | undefined
  /** A directory of the source goes where a symlink of the base of the same name points, instead of being refused. */
  readonly followLinks: boolean
}

/** A ready tar, plain or compressed, that is a layer as it is. */
export interface TarSpec {
  readonly kind: 'tar'
  readonly line: string
  readonly file: string
}

export type LayerSpec = FilesSpec | TarSpec

/** A line understood, or everything that is wrong with it. */
export type ParsedLine =
  | { readonly spec: LayerSpec; readonly problems: readonly [] }
  | { readonly spec: undefined; readonly problems: readonly InputProblem[] }

const KEYS = ['src', 'dest', 'owner', 'mode', 'exclude', 'mtime', 'follow-links', 'from-tar'] as const
type Key = (typeof KEYS)[number]
type Values = Readonly<Record<Key, readonly string[]>>

/**
 * Reads one line of `layers`: `SRC:DEST`, or `src=…,dest=…[,owner=…][,mode=…][,exclude=…]…[,mtime=…][,follow-links=true]`,
 * or `from-tar=FILE`. `{os} {arch} {variant} {platform}` stay in place until `expandLine`.
 */
export function parseLine(text: string): ParsedLine {
  const line = text.trim()
  const short = shortForm(line)
  const parsed = short ?? longForm(line)
  const problems = 'says' in parsed ? parsed.says : checkValues(parsed)
  if ('says' in parsed || problems.length > 0) {
    return { spec: undefined, problems: problemsOf({ line }, problems) }
  }
  return { spec: specOf(line, parsed), problems: [] }
}

const LONG = new RegExp(`^"?(?:${KEYS.join('|')})(?:=|,|$)`)

/** DEST is what follows the last colon that begins an absolute path, so `C:\dist:/app` has the drive in SRC. */
function shortForm(line: string): Values | undefined {
  const colon = line.lastIndexOf(':/')
  if (colon < 0 || LONG.test(line)) return undefined
  return { ...NONE, src: [line.slice(0, colon)], dest: [line.slice(colon + 1)] }
}

const NONE: Values = {
  src: [],
  dest: [],
  owner: [],
  mode: [],
  exclude: [],
  mtime: [],
  'follow-links': [],
  'from-tar': [],
}

function longForm(line: string): Values | { readonly says: readonly string[] } {
  if (!/^"?[a-z-]+=/.test(line) && !LONG.test(line)) return { says: ['needs an absolute destination: SRC:/DEST'] }
  const fields = csvFields(line)
  if (!fields) return { says: ['a quote is not closed, or text follows it'] }
  const values: Record<Key, string[]> = structuredClone(NONE) as Record<Key, string[]>
  const says: string[] = []
  for (const field of fields) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).trim()
    const value = equals < 0 ? (key === 'follow-links' ? 'true' : '') : field.slice(equals + 1)
    if (isKey(key)) values[key].push(value)
    else says.push(`unknown key "${key}"; known are ${KEYS.join(', ')}`)
  }
  return says.length > 0 ? { says: [...says, ...checkValues(values)] } : values
}

function isKey(text: string): text is Key {
  return KEYS.some(key => key === text)
}

function checkValues(values: Values): readonly string[] {
  const twice = KEYS.filter(key => key !== 'exclude' && values[key].length > 1).map(key => `${key} is given twice`)
  const placeholders = [...values.src, ...values.dest, ...values['from-tar'], ...values.exclude].flatMap(
    unknownPlaceholders,
  )
  const rest = values['from-tar'].length > 0 ? checkTar(values) : checkFiles(values)
  return [...twice, ...rest, ...placeholders]
}

function checkTar(values: Values): readonly string[] {
  const [file = '', dest = '/'] = [values['from-tar'][0], values.dest[0]]
  const useless = KEYS.filter(key => key !== 'from-tar' && key !== 'dest' && values[key].length > 0)
  return [
    ...(file === '' ? ['from-tar names no file'] : []),
    ...(dest === '/' ? [] : [`a ready tar is a layer as it is: dest can only be "/", not "${dest}"`]),
    ...(useless.length === 0 ? [] : [`a ready tar is a layer as it is: ${useless.join(', ')} cannot change it`]),
  ]
}

function checkFiles(values: Values): readonly string[] {
  const [src = '', dest, owner, mode, mtime, follow = 'false'] = FILE_KEYS.map(key => values[key][0])
  const exclusion = parseExclusion(values.exclude)
  const where = dest === undefined || dest === '' ? 'dest is missing' : destinationProblem(dest)
  return [
    ...(src === '' ? ['src is missing'] : []),
    ...(where === undefined ? [] : [where]),
    ...(owner === undefined || parseOwner(owner) ? [] : [`owner "${owner}" is not UID[:GID] or NAME[:GROUP]`]),
    ...(mode === undefined || MODE.test(mode) ? [] : [`mode "${mode}" is not octal, such as 0755, at most 07777`]),
    ...(mtime === undefined || parseTime(mtime) !== undefined
      ? []
      : [`mtime "${mtime}" is neither seconds since 1970 nor a time such as 2026-01-31T12:00:00Z`]),
    ...('invalid' in exclusion ? exclusion.invalid.map(pattern => `exclude "${pattern}" is not a pattern`) : []),
    ...(/^(?:true|false)$/.test(follow) ? [] : [`follow-links "${follow}" is neither true nor false`]),
  ]
}

const FILE_KEYS = ['src', 'dest', 'owner', 'mode', 'mtime', 'follow-links'] as const
const MODE = /^(?:0o|0)?[0-7]{1,4}$/

function specOf(line: string, values: Values): LayerSpec {
  const [file] = values['from-tar']
  if (file !== undefined) return { kind: 'tar', line, file }
  const [src = '', dest = '', owner, mode, mtime, follow] = FILE_KEYS.map(key => values[key][0])
  return {
    kind: 'files',
    line,
    src,
    dest: normaliseDestination(dest),
    owner: owner === undefined ? undefined : parseOwner(owner),
    mode: mode === undefined ? undefined : parseInt(mode.replace('0o', ''), 8),
    exclude: values.exclude,
    mtime: mtime === undefined ? undefined : parseTime(mtime),
    followLinks: follow === 'true',
  }
}

/** Of the year 9999: beyond it there is no RFC 3339. */
const LAST_SECOND = 253_402_300_799

function parseTime(text: string): number | undefined {
  const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.]\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text)
  const seconds = rfc3339 ? Math.floor(Date.parse(text.toUpperCase()) / 1000) : /^\d+$/.test(text) ? Number(text) : NaN
  return seconds >= 0 && seconds <= LAST_SECOND ? seconds : undefined
}

const PLACEHOLDER = /\{([^{}]*)\}/g
const PLACEHOLDERS = ['os', 'arch', 'variant', 'platform'] as const

function unknownPlaceholders(text: string): readonly string[] {
  return [...text.matchAll(PLACEHOLDER)]
    .filter(([, name]) => !PLACEHOLDERS.some(known => known === name))
    .map(([all]) => `unknown placeholder ${all}; known are ${PLACEHOLDERS.map(name => `{${name}}`).join(' ')}`)
}

/** Whether a line differs between platforms; one that does not is walked and built once for all of them. */
export function usesPlaceholders(spec: LayerSpec): boolean {
  const texts = spec.kind === 'tar' ? [spec.file] : [spec.src, spec.dest, ...spec.exclude]
  return texts.some(text => text.search(PLACEHOLDER) >= 0)
}

/** A text of a line as it is for one platform. */
export function expandText(text: string, platform: Platform): string {
  const values: Readonly<Record<string, string>> = placeholdersOf(platform)
  return text.replace(PLACEHOLDER, (all, name: string) => values[name] ?? all)
}

/** The line as it is for one platform. */
export function expandLine(spec: LayerSpec, platform: Platform): LayerSpec {
  const expand = (text: string): string => expandText(text, platform)
  if (spec.kind === 'tar') return { ...spec, file: expand(spec.file) }
  return {
    ...spec,
    src: expand(spec.src),
    dest: normaliseDestination(expand(spec.dest)),
    exclude: spec.exclude.map(expand),
  }
}
