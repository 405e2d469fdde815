import type { Abortable } from '../async/abortable.ts'
import { describedAs, type Blob } from '../content/blob.ts'
import { archiveBlob, inFolder } from './archive-blob.ts'
import { TITLE } from './artifact.ts'
import { blobOfFile } from './file-blob.ts'
import type { FoundFile } from './find-files.ts'

const FILE_TYPE = 'application/octet-stream'
const DIRECTORY_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip'

/** Keys by which `oras pull` knows a directory, and checks what it unpacked. */
export const UNPACK = 'io.deis.oras.content.unpack'
export const CONTENT_DIGEST = 'io.deis.oras.content.digest'

export interface FileLayersOptions extends Abortable {
  /** Where directories are packed. */
  readonly tempDir: string
  /** Media types of files for which none is given. */
  readonly typeOf?: ((file: FoundFile) => string | undefined) | undefined
}

/** Makes the layers, in order: a file as it is, a directory as a reproducible archive that others unpack. */
export async function fileLayers(
  files: readonly FoundFile[],
  { tempDir, typeOf, signal }: FileLayersOptions,
): Promise<readonly Blob[]> {
  const layers: Blob[] = []
  for (const file of files) {
    const { title, entries } = file
    const mediaType = file.mediaType ?? typeOf?.(file) ?? (entries ? DIRECTORY_TYPE : FILE_TYPE)
    if (!entries) {
      layers.push(await blobOfFile(file, { mediaType, annotations: { [TITLE]: title }, signal }))
      continue
    }
    const { blob, contentDigest } = await archiveBlob(inFolder(entries, title), { mediaType, tempDir, signal })
    const annotations = { [CONTENT_DIGEST]: contentDigest, [TITLE]: title, [UNPACK]: 'true' }
    layers.push(describedAs(blob, { ...blob.descriptor, annotations }))
  }
  return layers
}
