import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { layerCompression } from '../oci/media-type.ts'
import type { Prepared, PreparedTarget } from './prepare.ts'
import type { MountSource } from './request.ts'

export type MountsFor = (blob: Descriptor) => readonly string[]

/**
 * Repositories that a target may mount a blob from, the surest first: of a base on the same host, that of the base for
 * its layers; those of the run whose earlier images have the blob; for layers, what the user named.
 */
export function mountsFor(one: PreparedTarget, { request, base, targets }: Prepared): MountsFor {
  const domain = one.target.mountDomain
  if (domain === undefined) return () => []
  const { mountDomain, repository } = base?.located ?? {}
  const ofBase = digestsOf((base?.image.bases ?? []).flatMap(({ layers }) => layers))
  const held = others(one, targets).flatMap(({ repository, previous }) => {
    const layers = digestsOf(previous.images.flatMap(image => image.layers))
    return layers.size > 0 ? [{ repository, layers }] : []
  })
  const named = request.mountFrom.filter(source => isOn(source, domain)).map(source => source.repository)
  return ({ digest, mediaType }) => {
    const inBase = ofBase.has(digest)
    return [
      ...(inBase && repository !== undefined && mountDomain === domain ? [repository] : []),
      ...held.filter(({ layers }) => layers.has(digest)).map(({ repository }) => repository),
      ...(inBase || layerCompression(mediaType) !== undefined ? named : []),
    ]
  }
}

/**
 * The same for a plan, in which nothing is sent that the next target could mount: whatever a target of the same host
 * before this one has by then, is had from there.
 */
export function plannedMountsFor(one: PreparedTarget, prepared: Prepared): MountsFor {
  const before = prepared.targets.slice(0, prepared.targets.indexOf(one))
  const [first] = others(one, before)
  const mounts = mountsFor(one, prepared)
  return blob => [...(first ? [first.repository] : []), ...mounts(blob)]
}

interface Other {
  readonly repository: string
  readonly previous: PreparedTarget['previous']
}

function others(one: PreparedTarget, targets: readonly PreparedTarget[]): readonly Other[] {
  return targets.flatMap(({ target, output, previous }) => {
    if (output === one.output || output.kind !== 'registry') return []
    return target.mountDomain === one.target.mountDomain ? [{ repository: output.image.repository, previous }] : []
  })
}

function digestsOf(blobs: readonly { readonly descriptor: Descriptor }[]): ReadonlySet<Digest> {
  return new Set(blobs.map(({ descriptor }) => descriptor.digest))
}

function isOn({ host }: MountSource, domain: string): boolean {
  return host === undefined || host.toLowerCase() === domain
}
