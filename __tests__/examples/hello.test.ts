import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HELLO = join(import.meta.dirname, '../../examples/hello')

test.each(['amd64', 'arm64'])('the committed program for %s is what its source says', architecture => {
  const directory = mkdtempSync(join(tmpdir(), 'hello-'))
  try {
    execFileSync('node', [join(HELLO, 'build.js'), directory])
    const path = `linux-${architecture}/hello`
    expect(readFileSync(join(HELLO, 'dist', path)).equals(readFileSync(join(directory, path)))).toBe(true)
    expect(statSync(join(directory, path)).size).toBeLessThan(300)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
