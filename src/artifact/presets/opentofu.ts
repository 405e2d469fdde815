import type { InputProblem } from '../../errors.ts'
import { blobOfFile } from '../file-blob.ts'
import type { FoundFile } from '../find-files.ts'
import { temporaryBlob } from '../temporary-blob.ts'
import { contentsOf } from './contents.ts'
import type { Preset } from './preset.ts'
import { writeZip } from './zip.ts'

const MODULE_PACKAGE = 'application/vnd.opentofu.modulepkg'
const ZIP = 'archive/zip'

/** A module package for OpenTofu's `oci://` sources: one zip, made from the files or given. */
export const opentofu: Preset = {
  plan({ files }) {
    const links = contentsOf(files).filter(({ type }) => type === 'symlink')
    const problems = links.map(({ absolutePath }): InputProblem => {
      const problem = `${absolutePath} is a link, which a module package cannot hold; put the file itself there`
      return { input: 'files', problem }
    })
    return Promise.resolve({ files, problems })
  },
  async parts({ files, tempDir, signal }) {
    const given = onlyZip(files)
    const layer = given
      ? await blobOfFile(given, { mediaType: ZIP, signal })
      : await temporaryBlob(writeZip(contentsOf(files)), { mediaType: ZIP, tempDir, signal })
    return { artifactType: MODULE_PACKAGE, layers: [layer] }
  },
}

function onlyZip(files: readonly FoundFile[]): FoundFile | undefined {
  const [first, ...more] = files
  return first && more.length === 0 && !first.entries && first.title.endsWith('.zip') ? first : undefined
}
