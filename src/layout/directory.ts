import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import type { PushOptions, Pushed, ReferrerLister, Target } from '../content/ports.ts'
import { TagError } from '../content/tag-error.ts'
import { readAll, verified } from '../content/verify.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { RegistryReference } from '../oci/reference.ts'
import { parseJson } from '../parse.ts'
import { repositoryOf, serializeEntries, withEntry } from './entries.ts'
import { INDEX_FILE, LAYOUT_FILE, absent, blobFile, directoryFiles, type LayoutFiles } from './files.ts'
import { referrersOf } from './referrers.ts'
import { checkFolders } from './regular-file.ts'
import { layoutSource, entriesSoFar } from './source.ts'
import { systemCode } from './system-code.ts'
import { writeWhole } from './write-whole.ts'

export interface LayoutOptions {
  /** Repositories that the tags belong to, for readers that want full references. */
  readonly images?: readonly RegistryReference[] | undefined
  /** For messages, where it is not the directory that the user named. */
  readonly place?: string | undefined
}

/**
 * An OCI image layout in a directory, which need not be there yet (image-spec v1.1.1, image-layout.md).
 *
 * Blobs and index.json appear whole or not at all. Nothing is done before the first call, and a directory that holds
 * anything else than a layout is refused by all of them.
 *
 * @throws {OciPublishError} NOT_A_LAYOUT
 */
export function openLayout(
  path: string,
  { images = [], place = `oci:${path}` }: LayoutOptions = {},
): Target & ReferrerLister {
  const files = directoryFiles(path, place)
  const source = layoutSource(files)
  const referrers = referrersOf(source)
  const writes = new Once<Digest, Pushed>()
  const once = new Once<'check' | 'prepare', void>()
  const inTurn = limit(1)

  const check = (): Promise<void> => once.run('check', () => checkLayout(path, files))

  const prepare = (): Promise<void> =>
    once.run('prepare', async () => {
      await check()
      // Before anything else, so that what a crash leaves behind is still a layout.
      await mkdir(path, { recursive: true })
      await writeFile(join(path, LAYOUT_FILE), VERSION, { flag: 'wx' }).catch(ignoreExisting)
    })

  async function has({ digest, size }: Descriptor, { signal }: Abortable = {}): Promise<boolean> {
    await check()
    return (await files.sizeOf(blobFile(digest), { signal })) === size
  }

  async function write(blob: Blob, { onBytes, signal }: PushOptions): Promise<Pushed> {
    const { descriptor } = blob
    const name = blobFile(descriptor.digest)
    await checkFolders(path, name, place)
    const file = join(path, name)
    const bytes = verified(blob.open({ signal }), descriptor, `blob ${descriptor.digest}`)
    await writeWhole(file, bytes, { tempDir: path, onBytes, signal })
    return { how: 'uploaded', bytes: descriptor.size }
  }

  return {
    place,

    async resolve(name, options) {
      await check()
      return source.resolve(name, options)
    },

    async *open(descriptor, options) {
      await check()
      yield* source.open(descriptor, options)
    },

    async *tags(options) {
      await check()
      yield* source.tags(options)
    },

    async *referrers({ digest }, options = {}) {
      await check()
      yield* referrers(await entriesSoFar(files, options), digest, options)
    },

    has,

    async push(blob, options = {}) {
      const { descriptor } = blob
      options.signal?.throwIfAborted()
      if (await has(descriptor, options)) return { how: 'exists', bytes: 0 }
      await prepare()
      try {
        return await writes.run(descriptor.digest, () => write(blob, options))
      } finally {
        writes.forget(descriptor.digest) // from here on the file tells
      }
    },

    tag({ descriptor }, names, { signal } = {}) {
      return inTurn(async () => {
        signal?.throwIfAborted()
        try {
          if (!(await has(descriptor, { signal }))) throw absent(place, join(path, blobFile(descriptor.digest)))
          const before = await entriesSoFar(files, { signal })
          const entries = serializeEntries(withEntry(before, descriptor, names, images.map(repositoryOf)))
          await writeWhole(join(path, INDEX_FILE), [entries], { signal })
        } catch (error) {
          signal?.throwIfAborted()
          throw new TagError(place, [], names, error)
        }
      })
    },
  }
}

/** image-layout.md, "oci-layout file". */
const VERSION = '{"imageLayoutVersion":"1.0.0"}'

function ignoreExisting(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error
}

/** Of the file that says what a layout is. */
const MAX_LAYOUT_BYTES = 64 << 10

async function checkLayout(path: string, files: LayoutFiles): Promise<void> {
  const { place } = files
  let names: readonly string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return
    if (code !== 'ENOTDIR') throw error
    throw notALayout(place, `${path} is a file`, 'a layout in a tar is oci-archive:FILE')
  }
  if (names.length === 0) return
  if (!names.includes(LAYOUT_FILE)) {
    throw notALayout(place, `${path} is not empty and has no ${LAYOUT_FILE} file`, 'name an empty or a new directory')
  }
  const where = join(path, LAYOUT_FILE)
  const said = await readAll(files.read(LAYOUT_FILE), { maxBytes: MAX_LAYOUT_BYTES, what: where })
  const version = versionOf(parseJson(said, where))
  if (typeof version === 'string' && version.startsWith('1.')) return
  throw notALayout(place, `its imageLayoutVersion is ${JSON.stringify(version)}, not 1.0.0`)
}

function versionOf(document: unknown): unknown {
  const isObject = typeof document === 'object' && document !== null
  return isObject && 'imageLayoutVersion' in document ? document.imageLayoutVersion : undefined
}

function notALayout(place: string, because: string, hint?: string): OciPublishError {
  return new OciPublishError('NOT_A_LAYOUT', `${place} is not an OCI image layout: ${because}`, { hint })
}
