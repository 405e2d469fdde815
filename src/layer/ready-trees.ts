import type { Abortable } from '../async/abortable.ts'
import type { Cache } from '../content/cache.ts'
import type { Platform } from '../oci/platform.ts'
import type { SourceOptions } from '../files/source-path.ts'
import { fileChunks } from './from-tar.ts'
import { readTree, type LayerTree } from './layer-tree.ts'
import { expandLine, type LayerSpec } from './line.ts'
import { lookAtTar, type ReadyTar } from './ready-tar.ts'
import { recallTree, rememberTree } from './tree-cache.ts'

/** Trees of ready tars by absolute path. */
export type ReadyTrees = ReadonlyMap<string, LayerTree>

/**
 * Reads the headers of the ready tars that files are going to be laid over, where nobody remembers them. One that no
 * line stands on, or that is not there, is passed over: `planLayers` tells.
 *
 * @throws {OciPublishError} INVALID_ARCHIVE, naming the file
 */
export async function loadReadyTrees(
  lines: readonly LayerSpec[],
  platforms: readonly Platform[],
  { cache, signal, ...sources }: Abortable & SourceOptions & { readonly cache: Cache },
): Promise<ReadyTrees> {
  const trees = new Map<string, LayerTree>()
  const last = lines.findLastIndex(({ kind }) => kind === 'files')
  const stoodOn = lines.filter((_, i) => i < last)
  for (const spec of platforms.flatMap(platform => stoodOn.map(line => expandLine(line, platform)))) {
    const tar = spec.kind === 'tar' ? lookAtTar(spec, sources, []) : undefined
    if (tar && !trees.has(tar.file)) trees.set(tar.file, await loadTree(tar, cache, { signal }))
  }
  return trees
}

async function loadTree(
  { file, found, fingerprint, settled }: ReadyTar,
  cache: Cache,
  { signal }: Abortable,
): Promise<LayerTree> {
  const id = `file-${fingerprint.exact}`
  const known = await recallTree(cache, id, { signal })
  if (known) return known
  const tree = await readTree(fileChunks(file, found), { from: file, signal })
  if (settled) await rememberTree(cache, id, tree, { signal })
  return tree
}
