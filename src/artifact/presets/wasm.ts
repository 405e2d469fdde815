import { bytesBlob } from '../../content/blob.ts'
import { OciPublishError, type InputProblem } from '../../errors.ts'
import { toDocument } from '../../oci/manifest.ts'
import { TITLE } from '../artifact.ts'
import { blobOfFile } from '../file-blob.ts'
import type { FoundFile } from '../find-files.ts'
import { NO_TIME, type Preset } from './preset.ts'
import { readWasm } from './wasm-binary.ts'

const WASM_CONFIG = 'application/vnd.wasm.config.v0+json'
const WASM = 'application/wasm'
const AUTHORS = 'org.opencontainers.image.authors'

/**
 * A WebAssembly module or component: exactly one layer, and a config that says what the binary needs. The author there
 * is that of the annotations.
 *
 * @see CNCF TAG Runtime, "Wasm OCI Artifact layout"
 */
export const wasm: Preset = {
  async plan({ files }) {
    const problems: InputProblem[] = []
    const file = onlyFile(files)
    if (!file) problems.push({ input: 'files', problem: `type wasm takes one .wasm file, not ${countText(files)}` })
    else {
      try {
        await readWasm(file.absolutePath, file.found)
      } catch (error) {
        if (!(error instanceof OciPublishError)) throw error
        problems.push({ input: 'files', problem: error.message })
      }
    }
    return { files, problems }
  },
  async parts({ files, annotations, created = NO_TIME, signal }) {
    const file = onlyFile(files)
    if (!file) throw new TypeError('not one file') // a plan with problems is not carried out
    const binary = await readWasm(file.absolutePath, file.found)
    const layer = await blobOfFile(file, {
      mediaType: WASM,
      annotations: { [TITLE]: file.title },
      signal,
    })
    const author = annotations[AUTHORS]
    const config = toDocument(WASM_CONFIG, {
      created,
      ...(author !== undefined && { author }),
      architecture: 'wasm',
      os: binary.kind === 'component' ? 'wasip2' : 'wasip1',
      layerDigests: [layer.descriptor.digest],
      ...(binary.kind === 'component' && { component: { exports: binary.exports, imports: binary.imports } }),
    })
    return { config: bytesBlob(config), layers: [layer] }
  },
}

function onlyFile(files: readonly FoundFile[]): FoundFile | undefined {
  const [first, ...more] = files
  return first && more.length === 0 && !first.entries ? first : undefined
}

function countText(files: readonly FoundFile[]): string {
  return files.length === 1 ? 'a directory' : `${files.length}`
}
