import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Content } from './server/store.ts'

/** What a descriptor says of something. */
interface Pointer {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  /** From where else it is had. */
  readonly urls?: readonly string[]
}

/** An image, index or artifact, whole. */
export interface Sample extends Omit<Content, 'tags'> {
  readonly root: Pointer
  /** Manifests among the others that say something about one of them. */
  readonly referrers: readonly { readonly subject: string; readonly digest: string }[]
}

/** Shapes that registries hold today; a client has to carry each of them byte for byte. */
export type Shape =
  | 'index'
  | 'image'
  | 'docker'
  | 'nested'
  | 'artifact'
  | 'no-layers'
  | 'empty-layer'
  | 'unknown-fields'
  | 'no-media-type'
  | 'foreign-layer'
  | 'attested'
  | 'sha512'
  | 'large'
  | 'signed'

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
const FOREIGN_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const EMPTY = 'application/vnd.oci.empty.v1+json'

type Json = Readonly<Record<string, unknown>>

/** Collects what a sample is made of. */
class Making {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests: { digest: string; mediaType: string; bytes: Buffer }[] = []
  readonly referrers: { subject: string; digest: string }[] = []
  readonly #seed: number
  readonly #algorithm: 'sha256' | 'sha512'

  constructor(seed: number, algorithm: 'sha256' | 'sha512' = 'sha256') {
    this.#seed = seed
    this.#algorithm = algorithm
  }

  blob(mediaType: string, bytes: Buffer): Pointer {
    const digest = digestOf(bytes, this.#algorithm)
    this.blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }

  /** A tar of one file of noise, packed. */
  layer(bytes: number, mediaType: string = OCI_LAYER): Pointer & { readonly diffId: string } {
    const name = `file-${this.blobs.size}`
    const noise = createHash('shake256', { outputLength: bytes }).update(`${this.#seed} ${name}`).digest()
    const tar = tarOf(name, noise)
    return { ...this.blob(mediaType, gzipSync(tar)), diffId: digestOf(tar) }
  }

  manifest(mediaType: string, document: Json): Pointer {
    const bytes = Buffer.from(JSON.stringify(document))
    const digest = digestOf(bytes, this.#algorithm)
    this.manifests.push({ digest, mediaType, bytes })
    return { mediaType, digest, size: bytes.byteLength }
  }

  image(
    layers: readonly (Pointer & { readonly diffId: string })[],
    { architecture = 'amd64', types = [OCI_MANIFEST, OCI_CONFIG], more = {} }: ImageOptions = {},
  ): Pointer & { readonly platform: Json } {
    const platform = { architecture, os: 'linux' }
    const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) }
    const config = this.blob(types[1], Buffer.from(JSON.stringify({ ...platform, config: {}, rootfs })))
    const list = layers.map(({ mediaType, digest, size, urls }) => ({ mediaType, digest, size, urls }))
    const document = { schemaVersion: 2, mediaType: types[0], config, layers: list, ...more }
    return { ...this.manifest(types[0], document), platform }
  }

  index(manifests: readonly Pointer[], mediaType: string = OCI_INDEX, more: Json = {}): Pointer {
    return this.manifest(mediaType, { schemaVersion: 2, mediaType, manifests, ...more })
  }

  /** A note about a manifest. */
  referrer({ mediaType, digest, size }: Pointer, n: number): void {
    const config = this.blob(EMPTY, Buffer.from('{}'))
    const note = this.blob('text/plain', Buffer.from(`note ${n} of ${this.#seed}\n`))
    const made = this.manifest(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.example.note',
      config,
      layers: [note],
      subject: { mediaType, digest, size },
    })
    this.referrers.push({ subject: digest, digest: made.digest })
  }

  done(root: Pointer): Sample {
    const { mediaType, digest, size } = root
    const { blobs, manifests, referrers } = this
    return { root: { mediaType, digest, size }, blobs, manifests, referrers }
  }
}

interface ImageOptions {
  readonly architecture?: string
  readonly types?: readonly [manifest: string, config: string]
  readonly more?: Json
}

const SHAPES: Readonly<Record<Shape, (making: Making) => Pointer>> = {
  index: making => {
    const shared = making.layer(20_000)
    return making.index([
      making.image([shared, making.layer(60_000)]),
      making.image([shared, making.layer(90_000)], { architecture: 'arm64' }),
    ])
  },
  image: making => making.image([making.layer(20_000), making.layer(60_000)]),
  docker: making => {
    const types = [DOCKER_MANIFEST, DOCKER_CONFIG] as const
    const image = making.image([making.layer(9_000, DOCKER_LAYER)], { types })
    const other = making.image([making.layer(8_000, DOCKER_LAYER)], { types, architecture: 'arm64' })
    return making.index([image, other], DOCKER_INDEX)
  },
  nested: making => {
    const inner = making.index([making.image([making.layer(5_000)])])
    return making.index([inner, making.image([making.layer(6_000)], { architecture: 'arm64' })])
  },
  artifact: making => {
    const config = making.blob(EMPTY, Buffer.from('{}'))
    return making.manifest(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.example.report',
      config,
      layers: [making.blob('text/plain', Buffer.from('all is well\n'))],
    })
  },
  'no-layers': making => making.image([]),
  'empty-layer': making => {
    const config = making.blob(EMPTY, Buffer.from('{}'))
    const layers = [making.blob('application/octet-stream', Buffer.alloc(0))]
    const artifactType = 'application/vnd.example.nothing'
    return making.manifest(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config, layers })
  },
  'unknown-fields': making => {
    const more = {
      'org.example.later': { than: ['today', 1, null] },
      annotations: { 'org.example.note': 'ä "quoted"' },
    }
    const image = making.image([making.layer(4_000)], { more })
    return making.index([image], OCI_INDEX, more)
  },
  'no-media-type': making => {
    // The specification says SHOULD of mediaType; umoci and others leave it out.
    const image = making.image([making.layer(4_000)])
    const index = { schemaVersion: 2, manifests: [image] }
    return { ...making.manifest(OCI_INDEX, index), mediaType: OCI_INDEX }
  },
  'foreign-layer': making => {
    const kept = making.layer(4_000)
    const away = making.layer(3_000, FOREIGN_LAYER)
    making.blobs.delete(away.digest)
    return making.image([kept, { ...away, urls: ['https://example.invalid/layer'] }])
  },
  attested: making => {
    const image = making.image([making.layer(4_000)])
    const statement = making.blob('application/vnd.in-toto+json', Buffer.from('{"_type":"statement"}'))
    const rootfs = { type: 'layers', diff_ids: [statement.digest] }
    const config = making.blob(
      OCI_CONFIG,
      Buffer.from(JSON.stringify({ architecture: 'unknown', os: 'unknown', config: {}, rootfs })),
    )
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [statement] }
    const attestation = {
      ...making.manifest(OCI_MANIFEST, document),
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': image.digest,
      },
      platform: { architecture: 'unknown', os: 'unknown' },
    }
    return making.index([image, attestation])
  },
  sha512: making => making.image([making.layer(4_000)]),
  large: making => making.image([making.layer(6 << 20)]),
  // As many as a list of referrers that is changed without a lock surely loses some of.
  signed: making => {
    const image = making.image([making.layer(5_000)])
    const root = making.index([image])
    for (let n = 0; n < 12; n++) making.referrer(root, n)
    making.referrer(image, 12)
    making.referrer(image, 13)
    return root
  },
}

/** The same bytes for the same shape and seed. */
export function makeSample(shape: Shape, seed = 1): Sample {
  const making = new Making(seed, shape === 'sha512' ? 'sha512' : 'sha256')
  return making.done(SHAPES[shape](making))
}

/** Writes an OCI layout with one image (image-spec v1.1.1, image-layout.md). */
export async function writeLayout(
  path: string,
  { root, blobs, manifests }: Omit<Sample, 'referrers'>,
  tag: string,
): Promise<void> {
  const all = [...blobs, ...manifests.map(({ digest, bytes }) => [digest, bytes] as const)]
  for (const [digest, bytes] of all) {
    const [algorithm = '', hex = ''] = digest.split(':')
    await mkdir(join(path, 'blobs', algorithm), { recursive: true })
    await writeFile(join(path, 'blobs', algorithm, hex), bytes)
  }
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const entry = { ...root, annotations: { 'org.opencontainers.image.ref.name': tag } }
  await writeFile(
    join(path, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }),
  )
}

export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** One file (POSIX.1-1988, ustar). */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  }
  header.write(name, 0)
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(content.byteLength, 124, 12)
  octal(0, 136, 12)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  const padding = Buffer.alloc((512 - (content.byteLength % 512)) % 512)
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)])
}
