import type { Descriptor } from '../oci/descriptor.ts'
import type { Prepared, PreparedTarget } from './prepare.ts'

/** Where a target may mount blobs from: layers of the base from its repository, if that is on the same host. */
export function mountsFor({ target }: PreparedTarget, { base }: Prepared): (blob: Descriptor) => readonly string[] {
  const { mountDomain, repository } = base?.located ?? {}
  if (!base || repository === undefined || mountDomain === undefined || mountDomain !== target.mountDomain)
    return () => []
  const layers = new Set(base.image.bases.flatMap(one => one.layers.map(({ descriptor }) => descriptor.digest)))
  return ({ digest }) => (layers.has(digest) ? [repository] : [])
}
