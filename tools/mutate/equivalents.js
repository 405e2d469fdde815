// Mutants that do not change behavior, listed with a reason in equivalents.json. They do not count.
import { readFileSync } from 'node:fs'

const KEPT = new URL('./equivalents.json', import.meta.url)

/** The lines of a mutant before and after, each as one line. Identifies it when other lines of the file change. */
export function asDiff({ start, end, text }, source) {
  const from = source.lastIndexOf('\n', start - 1) + 1
  const to = source.indexOf('\n', end) < 0 ? source.length : source.indexOf('\n', end)
  const [before, after] = [source.slice(from, start), source.slice(end, to)]
  return { was: onOneLine(before + source.slice(start, end) + after), is: onOneLine(before + text + after) }
}

function onOneLine(text) {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= 200 ? line : `${line.slice(0, 140)} … ${line.slice(-57)}`
}

export function readEquivalents() {
  const entries = JSON.parse(readFileSync(KEPT, 'utf8'))
  const used = new Set()
  const find = ({ file, within, was, is }) =>
    entries.find(one => one.file === file && one.within === within && one.was === was && one.is === is)
  return {
    whyEqual(mutant) {
      const entry = find(mutant)
      if (entry) used.add(entry)
      return entry?.why
    },
    stale: files => entries.filter(one => files.includes(one.file) && !used.has(one)),
  }
}
