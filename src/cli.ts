#!/usr/bin/env node
import process from 'node:process'
import { abortOn } from './async/abort-on.ts'
import { runCli } from './cli/program.ts'
import { copyImage } from './copy/copy-image.ts'
import { copyTags } from './copy/copy-tags.ts'
import type { Reference } from './oci/reference.ts'
import { prepareProcess } from './process.ts'
import type { PublishDeps } from './publish/deps.ts'
import { VERSION } from './version.ts'
import { wire } from './wire.ts'

prepareProcess(process.env)

// A reader that has seen enough (`| head -1`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// By far the largest part, which the other commands do not need.
type Publish = typeof import('./publish/publish.ts').publish
const publish: Publish = async (...args) => (await import('./publish/publish.ts')).publish(...args)

const signal = abortOn('SIGINT', 'SIGTERM')
const locate = (reference: Reference, deps: PublishDeps) => deps.locate(reference)
const parts = { publish, copy: copyImage, copyTags, wire, locate, env: process.env, signal, version: VERSION }
process.exitCode = await runCli(process.argv.slice(2), process, parts)
