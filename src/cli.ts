#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { abortOn } from './async/abort-on.ts'
import { runCli } from './cli/program.ts'
import { publish } from './publish/publish.ts'
import { wire } from './wire.ts'

// A reader that has seen enough (`| head -1`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const signal = abortOn('SIGINT', 'SIGTERM')
const version = versionOf(new URL('../package.json', import.meta.url))
process.exitCode = await runCli(process.argv.slice(2), process, { publish, wire, env: process.env, signal, version })

function versionOf(packageJson: URL): string {
  try {
    const { version } = JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }
    return version
  } catch {
    return 'unknown' // dist/ was copied without it
  }
}
