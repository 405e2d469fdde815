#!/usr/bin/env node
import process from 'node:process'
import { abortOn } from './async/abort-on.ts'
import { cliParts } from './cli-parts.ts'
import { runCli, tellUncaught } from './cli/program.ts'
import { prepareProcess } from './process.ts'

prepareProcess(process.env)

process.on('uncaughtException', error => {
  tellUncaught(error, process, process.env)
  process.exit(1)
})

// A reader that has seen enough (`| head -1`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const parts = cliParts({ env: process.env, signal: abortOn('SIGINT', 'SIGTERM') })
process.exitCode = await runCli(process.argv.slice(2), process, parts)
