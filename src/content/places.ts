import type { Reference, RegistryReference } from '../oci/reference.ts'
import type { Source } from './ports.ts'

/** A place to read from, and the name to ask it for. */
export interface Located {
  readonly source: Source
  /** Tag, digest or the layout's own name; empty for the only image of a layout. */
  readonly name: string
  /** Targets of the same domain can mount what the source has. */
  readonly mountDomain: string | undefined
  /** As targets of the same domain call it. */
  readonly repository: string | undefined
}

/** A repository to publish to, and the tags that move there. */
export interface RegistryOutput {
  readonly kind: 'registry'
  readonly image: RegistryReference
  readonly tags: readonly string[]
}

/** An OCI layout to write: a directory, or a tar of one. */
export interface LayoutOutput {
  readonly kind: 'oci' | 'oci-archive'
  readonly path: string
  readonly tags: readonly string[]
  /** Full references of the image, for readers that want to know its repository (containerd, docker load). */
  readonly images: readonly RegistryReference[]
}

export type Output = RegistryOutput | LayoutOutput

/** Where a reference is, to put something beside what is there: no tag moves. */
export function outputAt(reference: Reference): Output {
  if (reference.kind !== 'registry') return { kind: reference.kind, path: reference.path, tags: [], images: [] }
  const { kind, host, repository } = reference
  return { kind, image: { kind, host, repository }, tags: [] }
}
