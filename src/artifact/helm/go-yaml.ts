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
  const before = problems.length
  const lines = new LineCounter()
  const document = firstDocument(bytes, where, problems, lines)
  const nothing: GoYaml = { kind: 'null', line: 1 }
  if (!document || problems.length > before) return nothing
  try {
    return new Reader(document, lines).read(document.contents)
  } catch (error) {
    problems.push(`${where}: ${messageOf(error)}`)
    return nothing
  }
}

function firstDocument(
  bytes: Uint8Array,
  where: string,
  problems: string[],
  lineCounter: LineCounter,
): Document | undefined {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    problems.push(`${where}: is not UTF-8`)
    return undefined
  }
  // Scalars are told apart below: with another schema their text would be lost, and `12:30` would be 750.
  const options = { schema: 'failsafe', version: '1.1', uniqueKeys: false, prettyErrors: false, lineCounter } as const
  const document = parseAllDocuments(text, options)[0] as Document | undefined
  for (const { message, pos } of document?.errors ?? []) {
    problems.push(`${where}:${lineCounter.linePos(pos[0]).line}: ${message}`)
  }
  return document
}

class Reader {
  readonly #document: Document
  readonly #lines: LineCounter
  /** To resolve an alias takes a walk through the document. */
  readonly #targets = new Map<Alias, unknown>()
  #left = MAX_NODES

  constructor(document: Document, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  read(node: unknown, depth = 0): GoYaml {
    if (--this.#left < 0 || depth > 1000) throw new Error('its aliases stand for too much')
    const line = this.#lineOf(node)
    if (isAlias(node)) return this.read(this.#targetOf(node), depth + 1)
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
    return isScalar(node) ? { line, ...scalarOf(node) } : { kind: 'null', line }
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

function scalarOf({ value, type, tag }: Scalar): GoScalar {
  const text = typeof value === 'string' ? value : ''
  switch (tag) {
    case undefined:
      return type === undefined || type === 'PLAIN' ? plain(text) : { kind: 'string', value: text }
    case 'tag:yaml.org,2002:null':
    case 'tag:yaml.org,2002:bool':
    case 'tag:yaml.org,2002:int':
    case 'tag:yaml.org,2002:float':
      return plain(text)
    case 'tag:yaml.org,2002:binary':
      return { kind: 'string', value: Buffer.from(text, 'base64').toString() }
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
