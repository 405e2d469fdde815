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

test('the example greets, so that a newcomer sees that the image works', () => {
  const program = join(HELLO, 'dist/linux-amd64/hello')
  // Where it does not run, the text is at least in it; the interop tests run both programs in containers.
  const runs = process.platform === 'linux' && process.arch === 'x64'
  const said = runs ? execFileSync(program, { encoding: 'utf8' }) : readFileSync(program, 'latin1')
  expect(said).toContain('Hello from linux/amd64\n')
})
