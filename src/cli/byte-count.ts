const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't'].flatMap((unit, i): [string, number][] => [
    [unit, 1000 ** (i + 1)],
    [`${unit}b`, 1000 ** (i + 1)],
    [`${unit}ib`, 1024 ** (i + 1)],
  ]),
])

/**
 * Reads a number of bytes as people write it: `500GB`, `1.5 TB`, `64MiB`, `1000000`.
 *
 * @throws {Error} in words
 */
export function parseByteCount(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:[.]\d+)?) ?([A-Za-z]*)$/.exec(text.trim()) ?? []
  const factor = UNITS.get(unit.toLowerCase())
  if (number === '' || factor === undefined) throw new Error(`"${text}" is not a size such as 500GB or 64MiB`)
  return Math.round(Number(number) * factor)
}
