import { createHash } from 'node:crypto'
import type { SpecRegistry } from '../../../conformance/server/registry.ts'

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'

export function digestOf(bytes: string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** A plain request, so that no client of ours is between a test and the registry. */
export function ask(registry: SpecRegistry, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, registry.url), init)
}

/** The codes of an error answer. */
export async function errorCodes(response: Response): Promise<string[]> {
  const { errors } = (await response.json()) as { errors: { code: string }[] }
  return errors.map(({ code }) => code)
}

/** Opens an upload to team/app. @returns its Location */
export async function startUpload(registry: SpecRegistry, headers: Record<string, string> = {}): Promise<string> {
  const response = await ask(registry, '/v2/team/app/blobs/uploads/', { method: 'POST', headers })
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

/** Pushes to team/app. @returns the digest */
export async function pushBlob(registry: SpecRegistry, bytes: string, algorithm = 'sha256'): Promise<string> {
  const location = await startUpload(registry)
  const digest = digestOf(bytes, algorithm)
  const response = await ask(registry, `${location}&digest=${digest}`, { method: 'PUT', body: bytes })
  expect(response.status).toBe(201)
  expect(response.headers.get('docker-content-digest')).toBe(digest)
  return digest
}

/** Puts an image manifest, or an index where the document has `manifests`, to team/app. */
export function putManifest(registry: SpecRegistry, reference: string, document: object): Promise<Response> {
  return ask(registry, `/v2/team/app/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': 'manifests' in document ? INDEX : MANIFEST },
    body: JSON.stringify(document),
  })
}

/** An image manifest without layers whose config is in team/app. */
export async function imageOf(registry: SpecRegistry, more: object = {}): Promise<object> {
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: await pushBlob(registry, '{}'),
    size: 2,
  }
  return { schemaVersion: 2, mediaType: MANIFEST, config, layers: [], ...more }
}
