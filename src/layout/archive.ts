import { randomUUID } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeTar, type TarItem } from '../archive/tar/write.ts'
import type { Abortable } from '../async/abortable.ts'
import type { ReferrerLister, Source, Target } from '../content/ports.ts'
import { OciPublishError } from '../errors.ts'
import { openLayout, type LayoutOptions } from './directory.ts'
import { dockerManifest } from './docker-manifest.ts'
import { repositoryOf } from './entries.ts'
import { INDEX_FILE, LAYOUT_FILE, directoryFiles } from './files.ts'
import { referrersOf } from './referrers.ts'
import { layoutSource, entriesSoFar } from './source.ts'
import { isAbsent } from './system-code.ts'
import { tarFiles } from './tar-files.ts'
import { writeWhole } from './write-whole.ts'

/** An OCI image layout in a tar, to read from; it has to stay as it is for as long as it is read. */
export function openLayoutArchive(path: string): Source & ReferrerLister {
  const files = tarFiles(path, `oci-archive:${path}`)
  const source = layoutSource(files)
  const referrers = referrersOf(source)
  return {
    ...source,

    async *referrers({ digest }, options = {}) {
      yield* referrers(await entriesSoFar(files, options), digest, options)
    },
  }
}

export interface ArchiveOptions extends Pick<LayoutOptions, 'images'> {
  /** Where blobs wait until the archive is written; removed by whoever made it. */
  readonly tempDir: string
}

export interface LayoutArchive extends Target {
  close(options?: Abortable): Promise<void>
}

/**
 * A tar to write an OCI image layout to, which `docker load` reads as well. The file appears whole, in place of what was
 * there, when it is closed; the same content gives the same bytes.
 */
export function openLayoutArchiveTarget(path: string, { images = [], tempDir }: ArchiveOptions): LayoutArchive {
  const place = `oci-archive:${path}`
  const waiting = join(tempDir, `archive-${randomUUID()}`)
  const layout = openLayout(waiting, { images, place })
  return {
    ...layout,

    async push(blob, options) {
      await refuseDirectory(path, place)
      return layout.push(blob, options)
    },

    async close({ signal } = {}) {
      const files = directoryFiles(waiting, place)
      if ((await files.sizeOf(LAYOUT_FILE, { signal })) === undefined) return // nothing came, as in a dry run
      const entries = await entriesSoFar(files, { signal })
      if (entries.length === 0) {
        throw new OciPublishError(
          'NOTHING_TAGGED',
          `${place} was not written: nothing in it is tagged, or entered without a name`,
        )
      }
      const docker = await dockerManifest(layout, entries, { images: images.map(repositoryOf), signal })
      const items = itemsOf(waiting, docker.length > 0 ? JSON.stringify(docker) : undefined)
      await writeWhole(path, writeTar(items, { signal }), { signal })
      await rm(waiting, { recursive: true, force: true })
    },
  }
}

async function refuseDirectory(path: string, place: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined
    throw error
  })
  if (!found?.isDirectory()) return
  throw new OciPublishError('NOT_A_LAYOUT', `${place} is a directory`, { hint: 'a layout in a directory is oci:DIR' })
}

const OWNER = { uid: 0, gid: 0, mtime: 0 }
const FILE = { type: 'file', mode: 0o644, ...OWNER } as const
const DIRECTORY = { type: 'directory', mode: 0o755, size: 0, ...OWNER } as const

/** What readers look for first stands first; blobs are in the order of their names. */
async function* itemsOf(layout: string, manifest: string | undefined): AsyncGenerator<TarItem> {
  yield await fileItem(layout, LAYOUT_FILE)
  yield await fileItem(layout, INDEX_FILE)
  if (manifest !== undefined) yield textItem('manifest.json', manifest)
  yield { entry: { ...DIRECTORY, path: 'blobs' } }
  for (const algorithm of (await readdir(join(layout, 'blobs'))).sort()) {
    yield { entry: { ...DIRECTORY, path: `blobs/${algorithm}` } }
    const names = await readdir(join(layout, 'blobs', algorithm))
    for (const name of names.sort()) yield await fileItem(layout, `blobs/${algorithm}/${name}`)
  }
}

async function fileItem(layout: string, name: string): Promise<TarItem> {
  const path = join(layout, name)
  const { size } = await stat(path)
  return { entry: { ...FILE, path: name, size }, body: { path } }
}

function textItem(name: string, text: string): TarItem {
  const bytes = new TextEncoder().encode(text)
  return {
    entry: { ...FILE, path: name, size: bytes.byteLength },
    body: {
      async *open() {
        yield await Promise.resolve(bytes)
      },
    },
  }
}
