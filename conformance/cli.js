#!/usr/bin/env node
// The door of the suite. It is TypeScript that Node runs as it is, which an older one cannot.
import process from 'node:process'

if (process.features.typescript) {
  const { main } = await import('./command.ts')
  process.exitCode = await main(process.argv.slice(2))
} else {
  process.stderr.write(`conformance needs Node 24 or later, this is ${process.version}\n`)
  process.exitCode = 2
}
