import { gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { ContentOf } from '../../src/copy/walk.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf, parseDigest, type Digest } from '../../src/oci/digest.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parsePlatform } from '../../src/oci/platform.ts'

/** A blob of some text. */
export function textBlob(text: string, mediaType = 'application/octet-stream'): Blob {
  return rawBlob(new TextEncoder().encode(text), mediaType)
}

export function rawBlob(bytes: Uint8Array, mediaType = 'application/octet-stream'): Blob {
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}

/** Some blobs that can be looked up by digest; their last is the root. */
export interface Sample {
  readonly blobs: readonly Blob[]
  readonly root: Blob
  readonly contentOf: ContentOf
}

export function sampleOf(blobs: readonly Blob[]): Sample {
  const known = new Map<Digest, Blob>(blobs.map(blob => [blob.descriptor.digest, blob]))
  const root = blobs.at(-1)
  if (!root) throw new Error('a sample has at least one blob')
  return {
    blobs,
    root,
    contentOf: descriptor => ({
      descriptor,
      open(options) {
        const found = known.get(descriptor.digest)
        if (!found) throw new OciPublishError('NOT_FOUND', `the sample has no ${descriptor.digest}`)
        return found.open(options)
      },
    }),
  }
}

/** An image of some layers, which are tars with one file each, named and filled by the text. */
export function image(platform: string, layers: readonly string[]): readonly Blob[] {
  const tars = layers.map(tarOf)
  const layerBlobs = tars.map(tar => rawBlob(gzipSync(tar), `${OCI_LAYER}+gzip`))
  const { os, architecture } = parsePlatform(platform)
  const config = bytesBlob(
    toDocument(OCI_CONFIG, {
      architecture,
      os,
      config: { Cmd: ['/bin/sh'] },
      rootfs: {
        type: 'layers',
        diff_ids: tars.map(tar => parseDigest(`sha256:${createHash('sha256').update(tar).digest('hex')}`)),
      },
    }),
  )
  return [
    ...layerBlobs,
    config,
    manifest(
      config.descriptor,
      layerBlobs.map(({ descriptor }) => descriptor),
    ),
  ]
}

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'

export function manifest(config: Descriptor, layers: readonly Descriptor[]): Blob {
  return bytesBlob(toDocument(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }))
}

export function index(manifests: readonly Descriptor[]): Blob {
  return bytesBlob(toDocument(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
}

/** Two platforms that share their first layer. */
export function multiPlatform(): Sample {
  const parts = ['linux/amd64', 'linux/arm64'].map(platform => {
    const blobs = image(platform, ['shared', platform.replace('/', '-')])
    const root = blobs.at(-1)
    if (!root) throw new Error('an image has a manifest')
    return { blobs, entry: { ...root.descriptor, platform: parsePlatform(platform) } }
  })
  return sampleOf([...parts.flatMap(({ blobs }) => blobs), index(parts.map(({ entry }) => entry))])
}

/** The plainest tar of one file, by hand: the tests of this file's users are not about our own tar writer. */
function tarOf(text: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(text, 0)
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write('0ustar\x0000', 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(512)
  body.write(text, 0)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}
