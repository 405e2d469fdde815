const SURROGATE = /[\ud800-\udfff]/

/**
 * Sorts by the UTF-8 bytes of a path, whatever the locale. A parent comes before its children, because it is their
 * prefix.
 */
export function sortBytewise<T>(items: Iterable<T>, pathOf: (item: T) => string): T[] {
  const sorted = [...items]
  // JavaScript compares UTF-16 units; that differs only where surrogates meet U+E000 to U+FFFF.
  if (sorted.some(item => SURROGATE.test(pathOf(item)))) {
    return sorted.sort((a, b) => Buffer.compare(Buffer.from(pathOf(a)), Buffer.from(pathOf(b))))
  }
  return sorted.sort((a, b) => {
    const [one, other] = [pathOf(a), pathOf(b)]
    return one < other ? -1 : one > other ? 1 : 0
  })
}
