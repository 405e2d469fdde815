/** A text that counts how many characters are looked at, for parsers that have to be linear in it. */
export interface CountedText {
  /** To be given to a parser in the place of the text. */
  readonly text: string
  readonly looks: () => number
}

/** Knows the methods that the scanners use; another one throws, as it is not counted. */
export function countedText(real: string): CountedText {
  let looks = 0
  const counted = (some: string): object => ({
    length: some.length,
    charAt(at: number) {
      looks++
      return some.charAt(at)
    },
    startsWith(what: string, at: number) {
      looks += what.length
      return some.startsWith(what, at)
    },
    indexOf(what: string, from = 0) {
      const found = some.indexOf(what, from)
      looks += (found < 0 ? some.length : found + what.length) - Math.min(from, some.length)
      return found
    },
    search(what: RegExp) {
      looks += some.length
      return some.search(what)
    },
    slice(from: number, to?: number) {
      const part = some.slice(from, to)
      looks += part.length
      return Object.assign(counted(part), { toString: () => part })
    },
    replace(what: RegExp, by: (some: string) => string) {
      looks += some.length
      return counted(some.replace(what, by))
    },
    toLowerCase: () => some.toLowerCase(),
    toString: () => some,
  })
  return { text: counted(real) as unknown as string, looks: () => looks }
}
