import type { Abortable } from '../async/abortable.ts'
import type { Source, Target } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { isAttestation, parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from '../oci/manifest.ts'
import { DOCKER_CONFIG, OCI_CONFIG, isIndexType, isManifestType } from '../oci/media-type.ts'
import { isTag } from '../oci/tag.ts'
import { REF_NAME, withoutAttached } from './entries.ts'
import { blobFile } from './files.ts'

/** One image of Docker's manifest.json, as `docker save` writes it. */
interface DockerImage {
  readonly Config: string
  /** Full references; an image without one is loaded by its ID only. */
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}

/**
 * The manifest.json that makes an archive of a layout fit for `docker load`, which knows one platform only: of an index
 * that is linux/amd64, or the first where there is none. What is no image is left out, a signature of cosign's older form
 * too, which looks like one; and so is one whose layers are not all in the layout.
 *
 * @param images repositories that the tags belong to
 */
export async function dockerManifest(
  layout: Target,
  entries: readonly Descriptor[],
  { images, signal }: Abortable & { readonly images: readonly string[] },
): Promise<readonly DockerImage[]> {
  const tags = new Map<Digest, { readonly entry: Descriptor; readonly names: string[] }>()
  for (const entry of withoutAttached(entries)) {
    const known = tags.get(entry.digest) ?? { entry, names: [] }
    const name = entry.annotations?.[REF_NAME]
    // What is not a tag would be read as something else: `x/y:z` is a repository.
    if (name !== undefined && isTag(name)) known.names.push(...images.map(image => `${image}:${name}`))
    tags.set(entry.digest, known)
  }
  const found = await Promise.all(
    [...tags.values()].map(async ({ entry, names }) => {
      const manifest = await runnable(layout, entry, { signal })
      if (!manifest) return undefined
      const there = await Promise.all(manifest.layers.map(layer => layout.has(layer, { signal })))
      return there.includes(false) ? undefined : dockerImage(manifest, names)
    }),
  )
  return found.filter(one => one !== undefined)
}

function dockerImage({ config, layers }: Manifest, names: readonly string[]): DockerImage {
  return {
    Config: blobFile(config.digest),
    RepoTags: names,
    Layers: layers.map(({ digest }) => blobFile(digest)),
  }
}

async function runnable(source: Source, descriptor: Descriptor, options: Abortable): Promise<Manifest | undefined> {
  const { digest, mediaType } = descriptor
  if (!isManifestType(mediaType)) return undefined
  const bytes = await readAll(source.open(descriptor, options), {
    maxBytes: MAX_MANIFEST_BYTES,
    what: digest,
    ...options,
  })
  if (!isIndexType(mediaType)) {
    const manifest = parseManifest(bytes, digest, mediaType)
    return [OCI_CONFIG, DOCKER_CONFIG].includes(manifest.config.mediaType) ? manifest : undefined
  }
  const children = parseImageIndex(bytes, digest, mediaType).manifests.filter(one => !isAttestation(one))
  const usual = children.find(({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64')
  const child = usual ?? children[0]
  return child && runnable(source, child, options)
}
