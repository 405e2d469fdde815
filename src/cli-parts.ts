import type { CopyOptions } from './cli/copy.ts'
import type { CliParts } from './cli/publish.ts'
import { copyImage, type CopyDeps } from './copy/copy-image.ts'
import { copyTags } from './copy/copy-tags.ts'
import type { Located } from './content/places.ts'
import type { Reference } from './oci/reference.ts'
import type { PublishDeps } from './publish/deps.ts'
import { VERSION } from './version.ts'
import { wire } from './wire.ts'

const locate = (reference: Reference, deps: PublishDeps): Located => deps.locate(reference)
/** With a look at signatures before anything is copied, where that is asked for. */
const checking = (deps: PublishDeps, policies: CopyOptions['verify']): CopyDeps => ({
  ...deps,
  check: async (from, found, io) => {
    if (policies.length === 0) return
    const { verifyRoot } = await import('./publish/verify-root.ts')
    await verifyRoot(from, found, policies, deps, io)
  },
})
/** What the command line is made of, on everything real. */
export function cliParts({ env, signal }: Pick<CliParts<PublishDeps>, 'env' | 'signal'>): CliParts<PublishDeps> {
  return {
    ...{ wire, locate, env, signal, version: VERSION },
    copy: (request, deps, { verify, ...io }) => copyImage(request, checking(deps, verify), io),
    copyTags: (request, deps, { verify, ...io }) => copyTags(request, checking(deps, verify), io),
    // The larger parts, each for the commands that need it.
    publish: async (...asked) => (await import('./publish/publication.ts')).publishAll(...asked),
    attach: async (words, deps, io) => {
      const { attachArtifact } = await import('./artifact/attach.ts')
      return attachArtifact({ ...words, problems: deps.facts.problems }, deps, io)
    },
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
}
