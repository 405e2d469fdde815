import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Abortable } from '../../async/abortable.ts'
import { Once } from '../../async/once.ts'
import type { Located } from '../../content/places.ts'
import type { Download } from '../../content/ports.ts'
import { IntegrityError, OciPublishError } from '../../errors.ts'
import { parseManifest } from '../../oci/manifest.ts'
import { parseRegistryReference, type Reference } from '../../oci/reference.ts'
import { parseTag } from '../../oci/tag.ts'
import type { ChartDependency } from './chart.ts'
import { CHART_CONFIG } from './chart-config.ts'
import { entriesFor, type IndexEntry } from './chart-index.ts'
import { isHelmVersion, isStrictVersion } from './check-metadata.ts'
import { MAX_CHART_BYTES } from './file-limits.ts'
import { CHART_CONTENT, packageChart } from './package-chart.ts'
import { readChart } from './read-chart.ts'
import { withoutTrailing } from '../../trim.ts'

export interface ChartSourcesDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly download: Download
}

/** Where one dependency comes from. */
interface ChartSource {
  /** Those that a range may choose from. Of a folder, its only one. */
  versions(range: string, io: Abortable): Promise<readonly string[]>
  /** The package of a version, checked against what the source says of it. */
  fetch(version: string, io: Abortable): Promise<Uint8Array>
}

/** Finds the source of a dependency. `folder` is that of the chart, which `file://` is relative to. */
export type ChartSources = (dependency: ChartDependency, folder: string) => ChartSource

/** Sources of dependencies; an index is read once in a run. */
export function openChartSources(deps: ChartSourcesDeps): ChartSources {
  const indexes = new Once<string, string>()
  return ({ name, repository }, folder) => {
    const scheme = /^([a-z]+):\/\//.exec(repository)?.[1]
    if (scheme === 'oci') return ociSource(`${withoutTrailing(repository.slice('oci://'.length), '/')}/${name}`, deps)
    if (scheme === 'https' || scheme === 'http') return indexSource(name, repository, indexes, deps)
    if (scheme === 'file') return folderSource(repository, folder)
    const isAlias = repository.startsWith('@') || repository.startsWith('alias:')
    const message = `"${repository}", the repository of ${name}, is not oci://, https:// or file://`
    throw failed(message, isAlias ? 'write its address in place of the alias' : undefined)
  }
}

function ociSource(repository: string, { locate }: ChartSourcesDeps): ChartSource {
  const at = (tag: string): Located => locate({ ...parseRegistryReference(repository), tag: parseTag(tag) })
  return {
    async versions(range, io) {
      // As helm does: a version is asked for by its tag, which need not be one that a range may find (v1.2.3).
      if (isHelmVersion(range.trim())) return [range.trim()]
      const { source } = at('latest')
      const found: string[] = []
      // A name that is not a tag is no version either.
      for await (const tag of source.tags?.({ ...io, onOther: () => undefined }) ?? []) {
        const version = tag.replaceAll('_', '+')
        if (isStrictVersion(version)) found.push(version)
      }
      return found
    },
    async fetch(version, io) {
      const tag = version.replaceAll('+', '_')
      try {
        return await fetchFrom(at(tag), io)
      } catch (error) {
        const isMissing = error instanceof OciPublishError && error.code === 'NOT_FOUND'
        if (!isMissing || !/^v?[0-9]+(?:[.][0-9]+)?$/.test(version)) throw error
        // Helm's, too, and the likeliest mistake.
        const hint = `"${version}" is one version here, not a range: for the newest one write ^${version} or ${version}.x`
        throw new OciPublishError('NOT_FOUND', error.message, { cause: error, hint })
      }
    },
  }
}

async function fetchFrom({ source, name }: Located, io: Abortable): Promise<Uint8Array> {
  const where = `${source.place}:${name}`
  const root = await source.resolve(name, io)
  const manifest = parseManifest(await whole(source.open(root, io)), where, root.mediaType)
  const content = manifest.layers.find(({ mediaType }) => mediaType === CHART_CONTENT)
  if (manifest.config.mediaType !== CHART_CONFIG || !content) throw failed(`${where} is no chart`)
  if (content.size > MAX_CHART_BYTES) throw failed(`${where} has ${content.size} bytes, more than helm reads`)
  return whole(source.open(content, io))
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return Buffer.concat(collected)
}

const MAX_INDEX_BYTES = 128 << 20

function indexSource(
  name: string,
  repository: string,
  indexes: Once<string, string>,
  deps: ChartSourcesDeps,
): ChartSource {
  const base = new URL(repository.endsWith('/') ? repository : `${repository}/`)
  const entriesOf = async (io: Abortable): Promise<readonly IndexEntry[]> => {
    const url = new URL('index.yaml', base)
    const text = await indexes.run(url.href, async () => {
      const bytes = await deps.download(url, { maxBytes: MAX_INDEX_BYTES, ...io })
      return Buffer.from(bytes).toString()
    })
    const found = await entriesFor(name, text, url.href)
    if (found) return found
    throw failed(`${url.href} has no chart ${name}`)
  }
  return {
    versions: async (_range, io) => (await entriesOf(io)).map(({ version }) => version),
    async fetch(version, io) {
      const entry = (await entriesOf(io)).find(one => one.version === version)
      const [address] = entry?.urls ?? []
      if (!entry || address === undefined) throw failed(`${base.href} has no package of ${name} ${version}`)
      const bytes = address.startsWith('oci://')
        ? await fetchFrom(deps.locate(parseRegistryReference(address.slice('oci://'.length))), io)
        : await deps.download(new URL(address, base), { maxBytes: MAX_CHART_BYTES, ...io })
      const wanted = entry.digest?.replace(/^sha256:/, '').toLowerCase()
      const actual = createHash('sha256').update(bytes).digest('hex')
      if (wanted && wanted !== actual) {
        throw new IntegrityError(`${name} ${version} of ${base.href}`, `sha256:${wanted}`, `sha256:${actual}`)
      }
      return bytes
    },
  }
}

function folderSource(repository: string, folder: string): ChartSource {
  const typed = repository.slice('file://'.length)
  const path = typed.startsWith('/') ? fileURLToPath(repository) : resolve(folder, typed)
  return {
    versions: async (_range, io) => [(await readChart(path, io)).metadata.version],
    async fetch(_version, io) {
      const content = await packageChart(await readChart(path, io), io)
      return whole(content.open(io))
    },
  }
}

function failed(message: string, hint?: string): OciPublishError {
  return new OciPublishError('DEPENDENCY_UNAVAILABLE', message, { hint })
}
