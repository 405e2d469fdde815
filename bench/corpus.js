// Makes the files that are published in the benchmark: the same bytes everywhere, from a seed.
//
//   node bench/corpus.js DIRECTORY
//
// shared/                 157 MB of small text files in nested folders, as a node_modules or a documentation tree is;
//                         gzip -6 makes them 4.4 times smaller, as it does such trees
// dist/linux-amd64/ ...   binaries, 75 MB for amd64 and 45 MB for arm64; gzip -6 makes them 2.9 times smaller, as it
//                         does a /usr/lib
// base/                   the little that the base image has
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MB = 1_000_000
const TEXT_BYTES = 157 * MB
const BINARY_BYTES = { amd64: 75 * MB, arm64: 45 * MB }

/** A small generator of pseudo random numbers in [0, 1), so that the corpus is the same on every machine. */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** The sizes of files are spread like this, by their logarithm: many small ones, and a few that are large. */
function normal(next) {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** Few words are frequent and many are rare, as in real text. */
function zipf(items, next) {
  return () => items[Math.floor(items.length ** next()) - 1] ?? items[0]
}

function words(count, next) {
  const syllables = 'ba co de fi gu ha je ki lo mu ne or pa que ra st ti un ve wo xy za ex in con tion ly er re'.split(
    ' ',
  )
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(next() * 4) }, () => syllables[Math.floor(next() * syllables.length)]).join(''),
  )
}

function* textFiles(bytes) {
  const next = random(1)
  const word = zipf(words(12_000, next), next)
  const line = () => {
    const indent = ' '.repeat(2 * Math.floor(next() * 4))
    const count = 2 + Math.floor(next() * 9)
    const punctuation = [';', ',', ' {', ');', '.', ''][Math.floor(next() * 6)]
    return `${indent}${Array.from({ length: count }, word).join(next() < 0.3 ? '.' : ' ')}${punctuation}\n`
  }
  // Idioms that come again in every file of a project.
  const idioms = Array.from({ length: 400 }, () => line() + line())
  const idiom = zipf(idioms, next)
  const header = Array.from({ length: 12 }, line).join('')
  let folder = 'p0'
  for (let made = 0, i = 0; made < bytes; i++) {
    if (i % 37 === 0) folder = [`package-${i}`, 'lib', 'src', 'esm'].slice(0, 1 + Math.floor(next() * 4)).join('/')
    const size = Math.min(Math.round(3700 * Math.exp(1.35 * normal(next))), 400_000)
    const lines = [header]
    let length = header.length
    while (length < size) {
      const piece = next() < 0.28 ? idiom() : line()
      lines.push(piece)
      length += piece.length
    }
    const text = lines.join('').slice(0, Math.min(size, bytes - made))
    made += text.length
    yield [`${folder}/${word()}-${i}.${['js', 'd.ts', 'md', 'json'][i % 4]}`, text]
  }
}

/** Code, tables, text and what is compressed already, in turns. */
function binary(bytes, seed) {
  const next = random(seed)
  const file = Buffer.alloc(bytes)
  const instructions = Array.from({ length: 1000 }, () => {
    const length = 3 + Math.floor(next() * 8)
    return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)))
  })
  const instruction = zipf(instructions, next)
  let at = 0
  while (at < bytes) {
    const end = Math.min(bytes, at + 4096 + Math.floor(next() * 60_000))
    const kind = next()
    while (at < end) {
      if (kind < 0.74) at += instruction().copy(file, at)
      else if (kind < 0.84) {
        file.writeUInt32LE((at * 7 + Math.floor(next() * 64)) >>> 0, Math.min(at, bytes - 4))
        at += 4
      } else if (kind < 0.965)
        at += 512 // zeros, as between sections
      else file[at++] = Math.floor(next() * 256)
    }
  }
  return file
}

/** Writes the corpus, unless one from this very source is there. */
export function makeCorpus(directory) {
  const done = join(directory, '.complete')
  const source = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
  if (existsSync(done) && readFileSync(done, 'utf8') === source) return
  for (const part of ['.complete', 'shared', 'dist', 'base'])
    rmSync(join(directory, part), { recursive: true, force: true })
  const folders = new Set()
  for (const [path, text] of textFiles(TEXT_BYTES)) {
    const folder = join(directory, 'shared', path, '..')
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true })
    folders.add(folder)
    writeFileSync(join(directory, 'shared', path), text)
  }
  let seed = 7
  for (const [architecture, bytes] of Object.entries(BINARY_BYTES)) {
    const folder = join(directory, 'dist', `linux-${architecture}`)
    mkdirSync(folder, { recursive: true })
    for (const [name, share] of [
      ['server', 0.7],
      ['worker', 0.25],
      ['tool', 0.05],
    ]) {
      writeFileSync(join(folder, name), binary(Math.round(bytes * share), seed++), { mode: 0o755 })
    }
  }
  for (const name of ['etc', 'tmp', 'usr/bin']) mkdirSync(join(directory, 'base', name), { recursive: true })
  writeFileSync(join(directory, 'base/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/srv:/bin/sh\n')
  writeFileSync(join(directory, 'base/etc/group'), 'root:x:0:\napp:x:1000:\n')
  writeFileSync(join(directory, 'base/usr/bin/true'), binary(1 * MB, 3), { mode: 0o755 })
  writeFileSync(done, source)
}

if (process.argv[1] === import.meta.filename) {
  const [, , directory] = process.argv
  if (directory === undefined) throw new Error('usage: node bench/corpus.js DIRECTORY')
  makeCorpus(directory)
}
