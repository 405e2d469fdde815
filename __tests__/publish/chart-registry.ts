import type { SpecRegistry } from '../../conformance/server/registry.ts'

interface ChartManifest {
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[]
}

/** The package of a chart, as it is in a registry. */
export async function packageAt(registry: SpecRegistry, repository: string, tag: string): Promise<Uint8Array> {
  const base = `http://${registry.host}/v2/${repository}`
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = (await (await fetch(`${base}/manifests/${tag}`, { headers: { accept } })).json()) as ChartManifest
  const layer = manifest.layers.find(({ mediaType }) => mediaType.endsWith('tar+gzip'))
  return new Uint8Array(await (await fetch(`${base}/blobs/${layer?.digest ?? ''}`)).arrayBuffer())
}
