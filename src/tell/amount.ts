const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

/** Bytes for people, three digits at most: `0 B`, `999 B`, `1.2 kB`, `35 MB`. Powers of ten, as registries count. */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of UNITS) {
    if (Math.round(value) < 1000) break
    value /= 1000
    unit = next
  }
  const text = unit === 'B' || value >= 9.95 ? Math.round(value).toString() : value.toFixed(1)
  return `${text} ${unit}`
}

/** Time for people: `80 ms`, `4.2 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `1 blob`, `3 blobs`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
