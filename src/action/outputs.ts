import type { PublishReport } from '../publish/report.ts'
import { outputText, type Edge, type OutputValue } from './edge.ts'

/** The outputs of the action by name; texts, lists a line each, JSON. Set after a dry run and without a push as well. */
function valuesOf(report: PublishReport): Readonly<Record<string, OutputValue>> {
  const { digest, mediaType, size, imageid, refs, tags, platforms, targets, base, signed } = report
  const digests = Object.fromEntries(platforms.map(one => [one.platform, one.digest]))
  return {
    digest,
    imageid: imageid ?? '',
    'platform-digests': { json: digests },
    refs,
    tags,
    'tag-names': [...new Set(targets.flatMap(target => target.tags))],
    signed: signed?.refs ?? [],
    'cosign-verify-commands': signed?.verifyCommands ?? [],
    'bundle-path': signed?.bundlePath ?? '',
    'attestation-id': signed?.attestations.map(({ id }) => id) ?? [],
    'attestation-url': signed?.attestations.map(({ url }) => url) ?? [],
    // The first four as docker's build-push-action has them.
    metadata: {
      json: {
        'containerimage.digest': digest,
        ...(imageid !== undefined && { 'containerimage.config.digest': imageid }),
        'containerimage.descriptor': { mediaType, digest, size },
        'image.name': [...new Set(refs.map(withoutDigest))].join(','),
        'oci-publish.platform-digests': digests,
        ...(base && { 'oci-publish.base': base }),
      },
    },
    json: { json: report },
  }
}

/** As the runner is given them. */
export function outputsOf(report: PublishReport): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(valuesOf(report)).map(([name, value]) => [name, outputText(value)]))
}

function withoutDigest(ref: string): string {
  const at = ref.lastIndexOf('@')
  return at < 0 ? ref : ref.slice(0, at)
}

export function writeOutputs(edge: Edge, report: PublishReport): void {
  for (const [name, value] of Object.entries(valuesOf(report))) edge.output(name, value)
}
