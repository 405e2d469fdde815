// An image of two platforms for benchmarks that copy one: its layers look random, so that nothing shrinks on the way, and are
// the same in every run, so that what fails by a seed and a digest fails again.
import { createCipheriv, createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

const OCI = 'application/vnd.oci.image'

function describe(mediaType, bytes) {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.byteLength }
}

function noise(number, size) {
  const iv = Buffer.alloc(16)
  iv.writeUInt32BE(number)
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), iv).update(Buffer.alloc(size))
}

async function put(url, body, headers = {}) {
  const answer = await fetch(url, { method: 'PUT', body, headers })
  if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
}

/**
 * Pushes an image to `team/app:v1` of a registry on loopback.
 *
 * @param layers of both platforms together, each of so many bytes
 * @returns its digest, the descriptors of its blobs, and the bytes of all that it consists of
 */
export async function pushImage(host, { layers, layerBytes }) {
  const repository = `http://${host}/v2/team/app`
  const blobs = []
  let bytes = 0
  let made = 0
  const pushBlob = async (mediaType, content) => {
    const descriptor = describe(mediaType, content)
    const session = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' })
    const location = new URL(session.headers.get('location'), repository)
    location.searchParams.set('digest', descriptor.digest)
    await put(location, content)
    blobs.push(descriptor)
    bytes += descriptor.size
    return descriptor
  }
  const pushManifest = async (manifest, tag) => {
    const content = Buffer.from(JSON.stringify(manifest))
    const descriptor = describe(manifest.mediaType, content)
    await put(`${repository}/manifests/${tag ?? descriptor.digest}`, content, { 'content-type': manifest.mediaType })
    bytes += descriptor.size
    return descriptor
  }
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const descriptors = []
    const diffIds = []
    for (let i = 0; i < layers / 2; i++) {
      const tar = noise(made++, layerBytes)
      diffIds.push(describe('', tar).digest)
      descriptors.push(await pushBlob(`${OCI}.layer.v1.tar+gzip`, gzipSync(tar, { level: 1 })))
    }
    const settings = { os: 'linux', architecture, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }
    const config = await pushBlob(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(settings)))
    const manifest = { schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config, layers: descriptors }
    manifests.push({ ...(await pushManifest(manifest)), platform: { os: 'linux', architecture } })
  }
  const { digest } = await pushManifest({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests }, 'v1')
  return { digest, blobs, bytes }
}

/** @returns whether the very image is there under its tag, with all of its blobs */
export async function hasImage(host, { digest, blobs }) {
  const repository = `http://${host}/v2/team/app`
  const headers = { accept: `${OCI}.index.v1+json` }
  const tagged = await fetch(`${repository}/manifests/v1`, { method: 'HEAD', headers })
  if (tagged.headers.get('docker-content-digest') !== digest) return false
  for (const { digest: blob, size } of blobs) {
    const found = await fetch(`${repository}/blobs/${blob}`, { method: 'HEAD' })
    if (!found.ok || Number(found.headers.get('content-length')) !== size) return false
  }
  return true
}
