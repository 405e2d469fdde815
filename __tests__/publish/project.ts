import { bytesBlob } from '../../src/content/blob.ts'
import { isDigest } from '../../src/oci/digest.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { readLayer } from '../layer/layer-blob.ts'
import { pushBase, type PushedBase } from './push-base.ts'
import type { SpecRegistry } from '../../conformance/server/registry.ts'
import type { Workshop } from './workshop.ts'

const ROOT = [
  { path: 'bin', type: 'symlink', link: 'usr/bin' },
  { path: 'etc', type: 'directory' },
  { path: 'etc/passwd', text: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' },
  { path: 'usr', type: 'directory' },
  { path: 'usr/bin', type: 'directory' },
] as const

/** A base for two platforms, `base/os:1`, whose `/bin` is a symlink as on every system of today. */
export function pushOs({ url }: SpecRegistry): Promise<PushedBase> {
  return pushBase(
    { url, repository: 'base/os', tag: '1' },
    ['amd64', 'arm64'].map(architecture => ({
      architecture,
      layers: [ROOT, [{ path: 'usr/bin/sh', text: `sh for ${architecture}`, mode: 0o755 }]],
      config: { Env: ['PATH=/usr/bin'], Cmd: ['sh'] },
    })),
  )
}

export function putProject(workshop: Workshop): void {
  workshop.put({
    'dist/amd64/tool': { text: 'a tool for amd64', mode: 0o755 },
    'dist/arm64/tool': { text: 'a tool for arm64', mode: 0o755 },
    'assets/index.html': '<h1>hello</h1>',
    'assets/img/logo.svg': '<svg/>',
    'app.conf': 'answer = 42\n',
  })
}

/** What is made of the project: a layer for each platform, and two that all share. */
export const PROJECT: FieldValues = {
  tags: ['v1'],
  platforms: ['linux/amd64,linux/arm64'],
  layers: ['dist/{arch}/tool:/bin/tool', 'assets/:/srv/www/', 'app.conf:/etc/app.conf'],
  entrypoint: ['tool'],
}

/** The project on `base/os:1` of a registry, by default for `team/app` there. */
export function onBase(
  registry: SpecRegistry,
  images: readonly string[] = [`${registry.host}/team/app`],
  more: FieldValues = {},
): FieldValues {
  return { ...PROJECT, images, 'base-image': `${registry.host}/base/os:1`, ...more }
}

/** `PUT /v2/team/app/manifests/v1`: what may change something, in the order of arrival, since a mark. */
export function writes({ requests }: SpecRegistry, since = 0): readonly string[] {
  return requests
    .slice(since)
    .filter(({ method }) => !['GET', 'HEAD'].includes(method))
    .map(({ method, path }) => `${method} ${path}`)
}

export interface Document {
  readonly mediaType: string
  readonly manifests: readonly { readonly digest: string; readonly platform: object }[]
  readonly layers: readonly { readonly digest: string }[]
  readonly annotations?: Readonly<Record<string, string>>
}

export function document(registry: SpecRegistry, reference: string, repository = 'team/app'): Document {
  return JSON.parse(registry.manifest(repository, reference)?.bytes.toString() ?? '{}') as Document
}

/** Paths in a layer that is in the registry. */
export async function pathsIn(registry: SpecRegistry, digest: string, repository = 'team/app'): Promise<string[]> {
  const bytes = await registry.blob(repository, digest)
  if (!bytes || !isDigest(digest)) throw new Error(`there is no ${digest} in ${repository}`)
  const entries = await readLayer(bytesBlob({ bytes, descriptor: { mediaType: 'x', digest, size: bytes.byteLength } }))
  return entries.map(({ path }) => path)
}
