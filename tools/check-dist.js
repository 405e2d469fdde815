// Fails when dist/ is not what the sources build. `npm run check-dist`; `npm run build` makes it right.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Paths below a directory, with `/` on every system. */
function files(directory) {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}

/** A line for every file that is not the same in both. */
function differences(committed, built) {
  const there = new Set(files(committed))
  const wanted = new Set(files(built))
  return [...new Set([...there, ...wanted])].sort().flatMap(path => {
    if (!there.has(path)) return [`missing: ${path}`]
    if (!wanted.has(path)) return [`extra: ${path}`]
    const same = readFileSync(join(committed, path)).equals(readFileSync(join(built, path)))
    return same ? [] : [`different: ${path}`]
  })
}

const built = mkdtempSync(join(tmpdir(), 'dist-'))
try {
  const build = [join(root, 'tools/build.js'), built]
  execFileSync(process.execPath, build, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const lines = differences(join(root, 'dist'), built)
  if (lines.length > 0) {
    const advice = 'dist/ is not what the sources build: run "npm run build" and commit it'
    process.stderr.write([...lines, advice, ''].join('\n'))
    process.exitCode = 1
  }
} finally {
  rmSync(built, { recursive: true })
}
