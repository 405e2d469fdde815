import { imagesOf, type Inspected, type InspectedImage } from '../image/inspect.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { shortDigest } from '../oci/digest.ts'
import { formatPlatform, normalisePlatform } from '../oci/platform.ts'
import { bytesText, countText } from '../tell/amount.ts'

/** What was inspected, for a terminal. */
export function inspectedLines(reference: string, found: Inspected): readonly string[] {
  const { digest, mediaType, size } = found.descriptor
  return [
    reference,
    ...table([
      ['digest', [digest]],
      ['type', [`${kindText(found)}, ${mediaType}`]],
      ['size', [sizeText(found, size)]],
      ...aboutLines(found),
    ]),
    ...childLines(found, found),
  ]
}

type Row = readonly [name: string, values: readonly string[]]

const NAME_CELLS = 13

/** A name before the first of its values, the others below it; names without values are left out. */
function table(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(([name, values]) =>
    values.map((value, i) => `  ${(i === 0 ? name : '').padEnd(NAME_CELLS)}${value}`),
  )
}

function kindText(found: Inspected): string {
  switch (found.kind) {
    case 'index': {
      const images = imagesOf(found).length
      return images === 0 ? 'index' : `index of ${countText(images, 'platform')}`
    }
    case 'image':
      return `image for ${formatPlatform(found.platform)}`
    case 'artifact':
      return `artifact ${found.artifactType}`
    case 'attestation':
    case 'missing':
    case 'other':
      return found.kind
  }
}

function sizeText(found: Inspected, manifestBytes: number): string {
  if (found.kind !== 'image' && found.kind !== 'artifact') return bytesText(manifestBytes)
  return `${bytesText(storedBytes(found))} with config and ${countText(found.layers.length, 'layer')}`
}

/** A manifest with its config and layers. */
function storedBytes({ descriptor, config, layers }: Pick<InspectedImage, 'descriptor' | 'config' | 'layers'>): number {
  return [descriptor, config, ...layers].reduce((sum, { size }) => sum + size, 0)
}

function aboutLines(found: Inspected, parent?: Inspected): readonly Row[] {
  switch (found.kind) {
    case 'index':
      return [...artifactTypeRow(found.artifactType), ...subjectRow(found.subject), ...annotationRow(found, parent)]
    case 'image':
      return [
        ...subjectRow(found.subject),
        ...annotationRow(found, parent),
        ...settingRows(found),
        ['layers', found.layers.map(layerText)],
      ]
    case 'artifact':
      return [
        ...subjectRow(found.subject),
        ...annotationRow(found, parent),
        ['config', [layerText(found.config)]],
        ['layers', found.layers.map(layerText)],
      ]
    case 'attestation':
      return [['predicates', found.predicateTypes]]
    case 'missing':
    case 'other':
      return []
  }
}

function artifactTypeRow(artifactType: string | undefined): readonly Row[] {
  return artifactType === undefined ? [] : [['artifact type', [artifactType]]]
}

function subjectRow(subject: Descriptor | undefined): readonly Row[] {
  return subject === undefined ? [] : [['subject', [subject.digest]]]
}

/** What a child repeats of its parent is not told again. */
function annotationRow(found: Inspected, parent: Inspected | undefined): readonly Row[] {
  const known = parent && 'annotations' in parent ? parent.annotations : {}
  const own = 'annotations' in found ? Object.entries(found.annotations) : []
  return [['annotations', own.filter(([key, value]) => known[key] !== value).map(([key, value]) => `${key}=${value}`)]]
}

function settingRows({ settings }: InspectedImage): readonly Row[] {
  const { created, author, config = {} } = settings
  const { User, WorkingDir, Entrypoint, Cmd, Env, ExposedPorts, Volumes, StopSignal, Labels } = config
  const one = (value: string | undefined): readonly string[] => (value === undefined || value === '' ? [] : [value])
  const words = (value: readonly string[] | undefined): readonly string[] =>
    value === undefined ? [] : [JSON.stringify(value)]
  return [
    ['created', one(created)],
    ['author', one(author)],
    ['user', one(User)],
    ['workdir', one(WorkingDir)],
    ['entrypoint', words(Entrypoint)],
    ['cmd', words(Cmd)],
    ['env', Env ?? []],
    ['ports', one(Object.keys(ExposedPorts ?? {}).join(', '))],
    ['volumes', one(Object.keys(Volumes ?? {}).join(', '))],
    ['stop signal', one(StopSignal)],
    ['labels', Object.entries(Labels ?? {}).map(([key, value]) => `${key}=${value}`)],
  ]
}

function layerText({ digest, mediaType, size, annotations }: Descriptor): string {
  const title = annotations?.['org.opencontainers.image.title']
  return `${digest}  ${bytesText(size).padStart(6)}  ${mediaType}${title === undefined ? '' : `  ${title}`}`
}

function childLines(found: Inspected, root: Inspected): readonly string[] {
  if (found.kind !== 'index') return []
  return found.manifests.flatMap(child => [
    '',
    headline(child, root),
    ...table([
      ['digest', [child.descriptor.digest]],
      ['size', [sizeText(child, child.descriptor.size)]],
    ]),
    ...table(aboutLines(child, root)),
    ...childLines(child, root),
  ])
}

function headline(found: Inspected, root: Inspected): string {
  switch (found.kind) {
    case 'image':
      return formatPlatform(normalisePlatform(found.descriptor.platform ?? found.platform))
    case 'attestation': {
      if (found.of === undefined) return 'attestation'
      const image = imagesOf(root).find(({ descriptor }) => descriptor.digest === found.of)
      return `attestation of ${image ? formatPlatform(image.platform) : shortDigest(found.of)}`
    }
    case 'artifact':
    case 'index':
      return kindText(found)
    case 'missing': {
      const { platform } = found.descriptor
      return `${platform ? formatPlatform(normalisePlatform(platform)) : found.descriptor.mediaType}, which is not here`
    }
    case 'other':
      return found.descriptor.mediaType
  }
}
