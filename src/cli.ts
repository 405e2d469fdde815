#!/usr/bin/env node
import process from 'node:process'
import { abortOn } from './async/abort-on.ts'
import { runCli } from './cli/program.ts'
import type { CopyOptions } from './cli/copy.ts'
import type { CliParts } from './cli/publish.ts'
import { copyImage, type CopyDeps } from './copy/copy-image.ts'
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

const signal = abortOn('SIGINT', 'SIGTERM')
const locate = (reference: Reference, deps: PublishDeps) => deps.locate(reference)
/** With a look at signatures before anything is copied, where that is asked for. */
const checking = (deps: PublishDeps, policies: CopyOptions['verify']): CopyDeps => ({
  ...deps,
  check: async (from, found, io) => {
    if (policies.length === 0) return
    const { verifyRoot } = await import('./publish/verify-root.ts')
    await verifyRoot(from, found, policies, deps, io)
  },
})
const parts: CliParts<PublishDeps> = {
  ...{ wire, locate, env: process.env, signal, version: VERSION },
  copy: (request, deps, { verify, ...io }) => copyImage(request, checking(deps, verify), io),
  copyTags: (request, deps, { verify, ...io }) => copyTags(request, checking(deps, verify), io),
  // The larger parts, each for the commands that need it.
  publish: async (...asked) => (await import('./publish/publication.ts')).publishAll(...asked),
  attach: async (...asked) => (await import('./artifact/attach.ts')).attachArtifact(...asked),
  discover: async (...asked) => (await import('./artifact/discover.ts')).discover(...asked),
  pull: async (...asked) => (await import('./artifact/pull.ts')).pullArtifact(...asked),
  generateSbom: async (...asked) => (await import('./artifact/sbom/generate-sbom.ts')).generateSbom(...asked),
  sign: async (...asked) => (await import('./publish/sign-existing.ts')).signExisting(...asked),
  verify: async (request, deps, io) => {
    const { locate, onEvent, signing } = deps
    const { verifySignatures } = await import('./sign/verify.ts')
    const { readPublicKey: readKey, loadTrustedRoot } = signing
    return verifySignatures(request, { locate, readKey, loadTrustedRoot, onEvent }, io)
  },
  attachSboms: async (...asked) => (await import('./artifact/sbom/generate-sbom.ts')).attachSboms(...asked),
}
process.exitCode = await runCli(process.argv.slice(2), process, parts)
