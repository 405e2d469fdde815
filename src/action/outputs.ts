import type { PublishReport } from '../publish/report.ts'
import type { Runner } from './runner.ts'

/** The outputs of the action by name; texts, lists a line each, JSON. Set after a dry run and without a push as well. */
export function outputsOf(report: PublishReport): Readonly<Record<string, string>> {
  const { digest, mediaType, size, imageid, refs, tags, platforms, targets, base, signed } = report
  const digests = Object.fromEntries(platforms.map(one => [one.platform, one.digest]))
  return {
    digest,
    imageid: imageid ?? '',
    'platform-digests': JSON.stringify(digests),
    refs: refs.join('\n'),
    tags: tags.join('\n'),
    'tag-names': [...new Set(targets.flatMap(target => target.tags))].join('\n'),
    signed: signed?.refs.join('\n') ?? '',
    'cosign-verify-commands': signed?.verifyCommands.join('\n') ?? '',
    'bundle-path': signed?.bundlePath ?? '',
    'attestation-id': signed?.attestations.map(({ id }) => id).join('\n') ?? '',
    'attestation-url': signed?.attestations.map(({ url }) => url).join('\n') ?? '',
    // The first four as docker's build-push-action has them.
    metadata: JSON.stringify({
      'containerimage.digest': digest,
      ...(imageid !== undefined && { 'containerimage.config.digest': imageid }),
      'containerimage.descriptor': { mediaType, digest, size },
      'image.name': [...new Set(refs.map(withoutDigest))].join(','),
      'oci-publish.platform-digests': digests,
      ...(base && { 'oci-publish.base': base }),
    }),
    json: JSON.stringify(report),
  }
}

function withoutDigest(ref: string): string {
  const at = ref.lastIndexOf('@')
  return at < 0 ? ref : ref.slice(0, at)
}

export function writeOutputs(runner: Pick<Runner, 'setOutput'>, report: PublishReport): void {
  for (const [name, value] of Object.entries(outputsOf(report))) runner.setOutput(name, value)
}
