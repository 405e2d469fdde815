import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Alias,
  type Document,
  type Scalar,
} from 'yaml'
import { messageOf } from '../../errors.ts'
import { strayBreaks, unknownEscape, unreadableIn } from './go-yaml-text.ts'

/** A value of a YAML document as helm's parser (go-yaml 2, close to YAML 1.1) understands it. */
export type GoYaml = { readonly line: number } & (
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean; readonly text: string }
  | { readonly kind: 'int'; readonly value: bigint; readonly text: string }
  | { readonly kind: 'float'; readonly value: number; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'list'; readonly items: readonly GoYaml[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, GoYaml> }
)

/** So many nodes are never written by hand; they come from aliases of aliases. */
const MAX_NODES = 1_000_000

/**
 * Reads the first document of a YAML text.
 *
 * @param where names the text in problems
 * @param problems gets a sentence with line number for each syntax error; then the value is not to be used
 */
export function parseGoYaml(bytes: Uint8Array, where: string, problems: string[]): GoYaml {
  return documentsOf(bytes, where, problems, { first: true })[0] ?? { kind: 'null', line: 1 }
}

/**
 * Reads every document of a YAML text, as helm 4 does with values. It splits the text before it reads it, so that no
 * directive (`%YAML 1.1`) may stand there.
 *
 * @param where names the text in problems
 * @param problems gets a sentence with line number for each syntax error; then the values are not to be used
 */
export function parseGoYamlDocuments(bytes: Uint8Array, where: string, problems: string[]): readonly GoYaml[] {
  return documentsOf(bytes, where, problems, { first: false })
}

function documentsOf(
  bytes: Uint8Array,
  where: string,
  problems: string[],
  { first }: { readonly first: boolean },
): readonly GoYaml[] {
  const before = problems.length
  const lines = new LineCounter()
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    problems.push(`${where}: is not UTF-8`)
    return []
  }
  problems.push(...unreadableIn(text, { directives: first }).map(said => `${where}:${said}`))
  // Scalars are told apart below: with another schema their text would be lost, and `12:30` would be 750.
  const forms = { schema: 'failsafe', version: '1.1', uniqueKeys: false } as const
  const options = { ...forms, prettyErrors: false, lineCounter: lines }
  const all: readonly Document[] = parseAllDocuments(text, options)
  const documents = first ? all.slice(0, 1) : all
  for (const { message, pos } of documents.flatMap(({ errors }) => errors)) {
    problems.push(`${where}:${lines.linePos(pos[0]).line}: ${message}`)
  }
  problems.push(...strayBreaks(text, documents, lines).map(said => `${where}:${said}`))
  if (problems.length > before) return []
  return documents.map(document => {
    const reader = new Reader(document, lines, text)
    const value = readAll(reader, document)
    problems.push(...reader.problems.map(said => `${where}:${said}`))
    return value
  })
}

function readAll(reader: Reader, { contents }: Document): GoYaml {
  try {
    return reader.read(contents)
  } catch (error) {
    // What is wrong with a scalar is why it is no key.
    if (reader.problems.length === 0) reader.problems.push(` ${messageOf(error)}`)
    return { kind: 'null', line: 1 }
  }
}

class Reader {
  /** Scalars that helm cannot read, each with its line in front; in the value they are null. */
  readonly problems: string[] = []
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #text: string
  /** To resolve an alias takes a walk through the document. */
  readonly #targets = new Map<Alias, unknown>()
  #left = MAX_NODES

  constructor(document: Document, lines: LineCounter, text: string) {
    this.#document = document
    this.#lines = lines
    this.#text = text
  }

  read(node: unknown, depth = 0): GoYaml {
    if (--this.#left < 0 || depth > 1000) throw new Error('its aliases stand for too much')
    const line = this.#lineOf(node)
    if (isAlias(node)) {
      const target = this.#targetOf(node)
      if (target !== undefined) return this.read(target, depth + 1)
      this.problems.push(`${line}: there is no anchor &${node.source}`)
      return { kind: 'null', line }
    }
    if (isSeq(node)) return { kind: 'list', line, items: node.items.map(item => this.read(item, depth + 1)) }
    if (isMap(node)) {
      const entries = new Map<string, GoYaml>()
      for (const { key, value } of node.items) {
        if (isScalar(key) && key.type === 'PLAIN' && key.value === '<<') {
          this.#merge(this.read(value, depth + 1), entries)
        } else entries.set(this.#keyOf(key, depth + 1), this.read(value, depth + 1))
      }
      return { kind: 'map', line, entries }
    }
    return isScalar(node) ? { line, ...this.#scalarOf(node, line) } : { kind: 'null', line }
  }

  #scalarOf(node: Scalar, line: number): GoScalar {
    const [start, end] = node.range ?? [0, 0]
    const escape = node.type === 'QUOTE_DOUBLE' ? unknownEscape(this.#text.slice(start, end)) : undefined
    const scalar = scalarOf(node)
    if (escape !== undefined) this.problems.push(`${line}: helm does not know ${escape} in double quotes`)
    else if ('wanted' in scalar) this.problems.push(`${line}: ${JSON.stringify(node.value)} is not ${scalar.wanted}`)
    else if (scalar.kind === 'float' && !Number.isFinite(scalar.value)) {
      // All of it becomes JSON, which has neither infinity nor "not a number".
      this.problems.push(`${line}: ${scalar.text} is not a number that helm can read`)
    } else return scalar
    return { kind: 'null' }
  }

  #targetOf(alias: Alias): unknown {
    if (!this.#targets.has(alias)) this.#targets.set(alias, alias.resolve(this.#document))
    return this.#targets.get(alias)
  }

  #keyOf(node: unknown, depth: number): string {
    const key = goText(this.read(node, depth))
    if (key === undefined) throw new Error(`line ${this.#lineOf(node)}: a key that is no text`)
    return key
  }

  #merge(from: GoYaml, into: Map<string, GoYaml>): void {
    if (from.kind === 'list') for (const item of from.items.toReversed()) this.#merge(item, into)
    else if (from.kind === 'map') for (const [key, value] of from.entries) into.set(key, value)
    else throw new Error(`line ${from.line}: "<<" merges maps only`)
  }

  #lineOf(node: unknown): number {
    const range = (node as { readonly range?: readonly [number, number, number] | null } | null)?.range
    return range ? this.#lines.linePos(range[0]).line : 1
  }
}

type GoScalar =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean; readonly text: string }
  | { readonly kind: 'int'; readonly value: bigint; readonly text: string }
  | { readonly kind: 'float'; readonly value: number; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }

/** A scalar whose text is not what its tag says. */
interface Mismatch {
  readonly wanted: string
}

/** Of Go's time package, as go-yaml uses it. */
const TIMESTAMP =
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt][0-9]{1,2}(?::[0-9]{1,2}){2}(?:[.][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})| [0-9]{1,2}(?::[0-9]{1,2}){2}(?:[.][0-9]+)?)?$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function scalarOf({ value, type, tag }: Scalar): GoScalar | Mismatch {
  const text = typeof value === 'string' ? value : ''
  const ofKind = (...kinds: readonly GoScalar['kind'][]): GoScalar | Mismatch => {
    const read = plain(text)
    return kinds.includes(read.kind) ? read : { wanted: `of the type ${kinds[0] ?? ''}` }
  }
  switch (tag) {
    case undefined:
      return type === undefined || type === 'PLAIN' ? plain(text) : { kind: 'string', value: text }
    case 'tag:yaml.org,2002:null':
      return ofKind('null')
    case 'tag:yaml.org,2002:bool':
      return ofKind('bool')
    case 'tag:yaml.org,2002:int':
      return ofKind('int')
    case 'tag:yaml.org,2002:float':
      return ofKind('float', 'int')
    case 'tag:yaml.org,2002:timestamp':
      return TIMESTAMP.test(text) ? { kind: 'string', value: text } : { wanted: 'a timestamp' }
    case 'tag:yaml.org,2002:binary': {
      const base64 = text.replace(/[\r\n]/g, '')
      return BASE64.test(base64)
        ? { kind: 'string', value: Buffer.from(base64, 'base64').toString() }
        : { wanted: 'base64' }
    }
    default:
      return { kind: 'string', value: text }
  }
}

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])
const TRUE = /^(?:[yY]|[yY]es|YES|[tT]rue|TRUE|[oO]n|ON)$/
const FALSE = /^(?:[nN]|[nN]o|NO|[fF]alse|FALSE|[oO]ff|OFF)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const INFINITE = /^([-+]?)\.(?:inf|Inf|INF)$/
const NAN = /^\.(?:nan|NaN|NAN)$/
/** After a dot at the start they may only be between digits; anywhere else go-yaml does not care. */
const STRAY_UNDERSCORE = /_(?![0-9])|[^0-9]_/
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/

/** What a scalar without quotes stands for. Times, `2024-01-01`, and `12:30` stay text. */
function plain(text: string): GoScalar {
  if (NULLS.has(text)) return { kind: 'null' }
  if (TRUE.test(text)) return { kind: 'bool', value: true, text }
  if (FALSE.test(text)) return { kind: 'bool', value: false, text }
  if (NAN.test(text)) return { kind: 'float', value: NaN, text }
  const infinite = INFINITE.exec(text)
  if (infinite) return { kind: 'float', value: infinite[1] === '-' ? -Infinity : Infinity, text }
  if (!/^[-+.0-9]/.test(text)) return { kind: 'string', value: text }
  const digits = text.replaceAll('_', '')
  const whole = integerOf(digits)
  if (whole !== undefined) return { kind: 'int', value: whole, text }
  const value = Number(digits)
  // What is too large for a double is text again.
  const isFloat = FLOAT.test(digits) && Number.isFinite(value) && !(text.startsWith('.') && STRAY_UNDERSCORE.test(text))
  return isFloat ? { kind: 'float', value, text } : { kind: 'string', value: text }
}

/** undefined for what is no integer, and for what does not fit into 64 bits. */
function integerOf(text: string): bigint | undefined {
  const [all, sign, hex, binary, octal, decimal] = INTEGER.exec(text) ?? []
  if (all === undefined) return undefined
  const size = BigInt(decimal ?? (hex ? `0x${hex}` : binary ? `0b${binary}` : `0o${octal ?? ''}`))
  const value = sign === '-' ? -size : size
  return value < -(2n ** 63n) || value >= 2n ** 64n ? undefined : value
}

/** What helm makes of a scalar where a text is wanted; undefined for null, lists, maps, `.inf` and `.nan`. */
export function goText(value: GoYaml): string | undefined {
  switch (value.kind) {
    case 'string':
      return value.value
    case 'bool':
    case 'int':
      return `${value.value}`
    case 'float':
      return Number.isFinite(value.value) ? float32Text(value.value) : undefined
    case 'null':
    case 'list':
    case 'map':
      return undefined
  }
}

/** Go's `strconv.FormatFloat(value, 'g', -1, 32)`: digits that tell it from its neighbours, an exponent from a million on. */
function float32Text(wide: number): string {
  const value = Math.fround(wide)
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  let digits = 1
  while (Math.fround(Number(value.toPrecision(digits))) !== value) digits++
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return plainDecimal(mantissa, power)
  return `${mantissa}e${power < 0 ? '-' : '+'}${`${Math.abs(power)}`.padStart(2, '0')}`
}

function plainDecimal(mantissa: string, power: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0')
  const part = digits.slice(power + 1)
  return `${sign}${whole}${part === '' ? '' : `.${part}`}`
}

/** The value as JSON, where anything may stand (`import-values`). */
export function goJson(value: GoYaml): unknown {
  switch (value.kind) {
    case 'null':
      return null
    case 'list':
      return value.items.map(goJson)
    case 'map':
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, goJson(entry)]))
    case 'int':
      return Number(value.value)
    case 'bool':
    case 'float':
    case 'string':
      return value.value
  }
}
