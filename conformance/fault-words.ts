import { UsageError } from './arguments.ts'
import type { Fault, Match } from './server/fault.ts'

type LocationKind = Extract<Fault, { location: unknown }>['location']

const LOCATIONS: readonly LocationKind[] = ['relative', 'absolute', 'elsewhere', 'private', 'none']

/** Reads words one after the other. */
class Words {
  readonly #words: string[]
  readonly #all: string

  constructor(all: string) {
    this.#all = all
    this.#words = all.split(/\s+/).filter(word => word !== '')
  }

  take(): string | undefined {
    return this.#words.shift()
  }

  /** Takes the next word if it is this one. */
  takes(word: string): boolean {
    if (this.#words[0] !== word) return false
    this.#words.shift()
    return true
  }

  /** Takes the next word unless it is one of these. */
  takeOther(than: readonly string[]): string | undefined {
    const [next] = this.#words
    return next === undefined || than.includes(next) ? undefined : this.#words.shift()
  }

  text(what: string): string {
    return this.take() ?? this.#fail(`${what} is missing`)
  }

  number(what: string): number {
    const value = Number(this.text(what))
    return value >= 0 ? value : this.#fail(`${what} is not a number from 0 on`)
  }

  oneOf<T extends string>(what: string, list: readonly T[]): T {
    const word = this.text(what)
    return list.find(one => one === word) ?? this.#fail(`${what} is not one of ${list.join(', ')}`)
  }

  unknown(word: string): never {
    return this.#fail(`"${word}" is not understood`)
  }

  #fail(problem: string): never {
    throw new UsageError(`--fault "${this.#all}": ${problem}`)
  }
}

/** Words that say when, and are no part of a path. */
const WHEN = ['on', 'nth', 'times', 'chance'] as const

const FAULTS: Readonly<Record<string, (words: Words) => Fault>> = {
  'cut-request': words => ({ cutRequestAfter: words.number('number of bytes') }),
  'cut-answer': words => ({ cutResponseAfter: words.number('number of bytes') }),
  'lost-answer': () => ({ lostAnswer: true }),
  reset: () => ({ reset: true }),
  hang: () => ({ hang: true }),
  slow: words => ({ slowMs: words.number('time in milliseconds') }),
  truncate: words => ({ truncateTo: words.number('number of bytes') }),
  damage: () => ({ damaged: true }),
  'digest-header': words => ({ digestHeader: words.text('digest') }),
  location: words => ({ location: words.oneOf('kind of Location', LOCATIONS) }),
  redirect: () => ({ redirect: 'elsewhere' }),
  'expire-tokens': () => ({ expireTokens: true }),
  'forget-uploads': () => ({ forgetUploads: true }),
  lag: words => ({ lagReads: words.number('number of reads') }),
  unlisted: () => ({ unlisted: true }),
  'lag-list': words => ({ lagLists: words.number('number of reads') }),
  'move-tag': words => ({ moveTag: words.text('tag') }),
}

/**
 * Reads a fault as it is typed: `503 retry-after 1 on PUT /blobs/uploads/ nth 2 times 3`.
 *
 * @throws {UsageError}
 */
export function parseFault(text: string): { readonly match: Match; readonly fault: Fault } {
  const words = new Words(text)
  const fault = faultOf(words)
  const match: { -readonly [K in keyof Match]: Match[K] } = {}
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'on') {
      const next = words.text('method or path')
      const isMethod = /^[A-Z]+$/.test(next)
      const path = isMethod ? words.takeOther(WHEN) : next
      if (isMethod) match.method = next
      if (path !== undefined) match.path = path
    } else if (word === 'nth') match.nth = words.number('nth')
    else if (word === 'times') match.times = words.takes('ever') ? Infinity : words.number('times')
    else if (word === 'chance') match.chance = words.number('chance')
    else words.unknown(word)
  }
  return { match, fault }
}

function faultOf(words: Words): Fault {
  const name = words.text('what goes wrong')
  if (/^[1-5]\d\d$/.test(name)) {
    const seconds = words.takes('retry-after') ? words.number('retry-after') : undefined
    return { status: Number(name), headers: seconds === undefined ? {} : { 'retry-after': `${seconds}` } }
  }
  const make = Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined
  return make ? make(words) : words.unknown(name)
}
