import { bytesBlob, type Blob } from '../../content/blob.ts'
import type { InputProblem } from '../../errors.ts'
import { toDocument } from '../../oci/manifest.ts'
import { TITLE } from '../artifact.ts'
import { blobOfFile } from '../file-blob.ts'
import type { FoundFile } from '../find-files.ts'
import { CLASS_WORDS, classOf, formatOf, rawType } from './model-classes.ts'
import { modelConfig, modelProblems } from './model-config.ts'
import { NO_TIME, type Preset } from './preset.ts'

const MODEL_TYPE = 'application/vnd.cncf.model.manifest.v1+json'
const MODEL_CONFIG = 'application/vnd.cncf.model.config.v1+json'

const FILE_PATH = 'org.cncf.model.filepath'
const FILE_METADATA = 'org.cncf.model.file.metadata+json'
const UNTESTED = 'org.cncf.model.file.mediatype.untested'

/**
 * An AI model as ModelPack has it: a layer for each file, which is the file itself. Directories are walked to their
 * files.
 *
 * @see ModelPack, docs/spec.md and docs/annotations.md
 */
export const modelpack: Preset = {
  words: CLASS_WORDS,
  takesMetadata: true,
  plan({ files: found, metadata }) {
    const files = found.flatMap(file => filesIn(file, found.length === 1))
    const problems: InputProblem[] = [...modelProblems(metadata)]
    const paths = new Set<string>()
    for (const { title } of files) {
      if (paths.has(title)) problems.push({ input: 'files', problem: `two files are called ${title}` })
      paths.add(title)
    }
    for (const { absolutePath } of found.flatMap(file => file.entries ?? []).filter(({ type }) => type === 'symlink')) {
      const problem = `${absolutePath} is a link, and layers are files; put the file itself there`
      problems.push({ input: 'files', problem })
    }
    if (found.length > 0 && files.length === 0) problems.push({ input: 'files', problem: 'there is no file in them' })
    return Promise.resolve({ files, problems })
  },
  async parts({ files, metadata, created, signal }) {
    const layers: Blob[] = []
    for (const file of files) layers.push(await layerOf(file, signal))
    const weights = layers.filter(({ descriptor }) => descriptor.mediaType === rawType('weight'))
    const format = formatOf(weights.map(({ descriptor }) => descriptor.annotations?.[FILE_PATH] ?? ''))
    const told = new Map([...(format === undefined ? [] : [['format', format] as const]), ...metadata])
    const config = toDocument(MODEL_CONFIG, {
      ...modelConfig(told, created),
      // Of a raw layer, the digest of the content is that of the layer.
      modelfs: { type: 'layers', diffIds: layers.map(({ descriptor }) => descriptor.digest) },
    })
    return { artifactType: MODEL_TYPE, config: bytesBlob(config), layers }
  },
}

/** Of the only directory its content, otherwise everything by its title. */
function filesIn(file: FoundFile, isOnly: boolean): readonly FoundFile[] {
  if (!file.entries) return [file]
  return file.entries.flatMap(entry => {
    if (entry.type !== 'file') return []
    const title = isOnly ? entry.path : `${file.title}/${entry.path}`
    const { absolutePath, found, size, isExecutable } = entry
    return [{ ...file, title, absolutePath, found, size, isExecutable, entries: undefined }]
  })
}

async function layerOf(file: FoundFile, signal: AbortSignal | undefined): Promise<Blob> {
  const { title, size, isExecutable } = file
  const mediaType = file.mediaType ?? rawType(classOf(title, size))
  const name = title.slice(title.lastIndexOf('/') + 1)
  const mode = isExecutable ? 0o755 : 0o644
  const annotations = {
    [FILE_METADATA]: JSON.stringify({ name, mode, uid: 0, gid: 0, size, mtime: NO_TIME, typeflag: 0 }),
    [UNTESTED]: `${file.mediaType === undefined}`,
    [FILE_PATH]: title,
    [TITLE]: title,
  }
  return blobOfFile(file, { mediaType, annotations, signal })
}
