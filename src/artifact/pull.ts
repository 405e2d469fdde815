import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Located } from '../content/places.ts'
import type { Source } from '../content/ports.ts'
import type { OnImageCopyEvent } from '../copy/event.ts'
import { InputError, OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, hexOf, shortDigest, type Digest } from '../oci/digest.ts'
import { parseManifest, type Manifest } from '../oci/manifest.ts'
import { isIndexType, isManifestType } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { TITLE } from './artifact.ts'
import { fetchFile } from './fetch-file.ts'
import { WORK_FOLDER } from './file-name.ts'
import { chosenOf, isImageConfig, readDocument } from './members.ts'
import { makeFolder, makeWay, moveTo, pathOf, placeOfFile, placeOfUnpacked, statusOf, type Place } from './placing.ts'
import { pullBudget, type PullBudget, type PullLimits } from './pull-limits.ts'
import { chartNameOf, isChart, planPull, type PulledLayer, type PullPlan } from './pull-plan.ts'
import { unpackDirectory, type Unpacked } from './unpack.ts'

export interface PullRequest {
  readonly reference: Reference
  /** Of an index. */
  readonly platform: Platform | undefined
  /** Folder that files are written to; it is made where it is not there. */
  readonly output: string
  /** File that the config is written to. */
  readonly config: string | undefined
  /** Whether files that are there with other content are replaced. */
  readonly overwrite: boolean
  readonly limits?: PullLimits | undefined
}

export interface PullDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Pick<Located, 'source' | 'name'>
  readonly onEvent: OnImageCopyEvent
}

/** A file, or a directory, that is in the output now. */
export interface PulledFile {
  readonly path: string
  readonly descriptor: Descriptor
  readonly isDirectory: boolean
  /** Whether it was there before, all of it. */
  readonly existed: boolean
}

export interface Pulled {
  readonly place: string
  readonly manifest: Descriptor
  readonly artifactType: string
  readonly files: readonly PulledFile[]
  /** Layers without a title. */
  readonly skipped: readonly Descriptor[]
}

/**
 * Writes the files of an artifact into a folder, and nothing outside of it. Files appear whole or not at all, verified;
 * what was fetched of large ones before a failure is used by the next attempt.
 *
 * @throws {OciPublishError} UNSAFE_ARTIFACT, INVALID_ARCHIVE for what could be written elsewhere; FILE_EXISTS before
 *   anything is replaced; TOO_LARGE beyond the limits; UNSUPPORTED for images
 */
export async function pullArtifact(request: PullRequest, deps: PullDeps, io: Abortable = {}): Promise<Pulled> {
  const { reference, output, config: configFile, overwrite } = request
  const { source, name } = deps.locate(reference)
  const descriptor = await chosenManifest(source, await source.resolve(name, io), request, io)
  const where = `${source.place}@${descriptor.digest}`
  const manifest = parseManifest(await readDocument(source, descriptor, io), where, descriptor.mediaType)
  checkArtifact(manifest, reference)
  const chartName = isChart(manifest)
    ? chartNameOf(await readDocument(source, manifest.config, io), `${where}, config`)
    : undefined
  const budget = pullBudget(request.limits)
  const plan = planPull(manifest, where, { chartName, budget })
  for (const { mediaType, digest } of plan.skipped) {
    deps.onEvent({ type: 'notice', text: `${shortDigest(digest)} (${mediaType}) was skipped: it has no title` })
  }

  await mkdir(output, { recursive: true })
  const pulling: Pulling = { ...deps, ...io, source, overwrite, budget, root: await realpath(output) }
  const config = configFile === undefined ? undefined : await prepareConfig(configFile, manifest.config, pulling)
  const files = plan.layers.length === 0 ? [] : await pullLayers(plan, pulling)
  await config?.()
  const artifactType = manifest.artifactType ?? manifest.config.mediaType
  return { place: source.place, manifest: descriptor, artifactType, files, skipped: plan.skipped }
}

async function chosenManifest(
  source: Source,
  root: Descriptor,
  { reference, platform }: PullRequest,
  io: Abortable,
): Promise<Descriptor> {
  const name = formatReference(reference)
  if (!isManifestType(root.mediaType)) {
    throw new OciPublishError('UNSUPPORTED', `${name} is of type ${root.mediaType}, which is no manifest`)
  }
  if (!isIndexType(root.mediaType)) return root
  if (platform === undefined) {
    const problem = `${name} is an index: say of which platform the files are wanted`
    throw new InputError([{ input: 'platform', problem, hint: `inspect ${name} shows what there is` }])
  }
  const [chosen] = await chosenOf(source, root, [platform], { input: 'platform', ...io })
  return chosen?.descriptor ?? root
}

/** Layers of an image are changes to a file system; as files they are of no use. */
function checkArtifact({ config, layers }: Manifest, reference: Reference): void {
  if (!isImageConfig(config) || layers.some(({ annotations }) => annotations?.[TITLE])) return
  const name = formatReference(reference)
  throw new OciPublishError('UNSUPPORTED', `${name} is an image: it has layers, but no files to pull`, {
    hint: `oci-publish copy ${name} oci:DIR writes all of it to a layout`,
  })
}

interface Pulling extends PullDeps, Abortable {
  readonly source: Source
  readonly overwrite: boolean
  readonly budget: PullBudget
  /** The output, without links on the way to it. */
  readonly root: string
}

/** A directory that was unpacked, and what has to be moved into the output. */
interface UnpackedLayer {
  readonly layer: PulledLayer
  readonly from: string
  readonly missing: readonly Unpacked[]
}

async function pullLayers(plan: PullPlan, pulling: Pulling): Promise<readonly PulledFile[]> {
  const { root, signal } = pulling
  const conflicts = new Map<string, Place>()
  const note = (name: string, place: Place): boolean => {
    if (place === 'blocked' || (place === 'other' && !pulling.overwrite)) conflicts.set(name, place)
    return place !== 'same'
  }
  const missing: PulledLayer[] = []
  for (const layer of plan.layers.filter(({ isDirectory }) => !isDirectory)) {
    if (note(layer.name, await placeOfFile(root, layer.name, layer.descriptor, { signal }))) missing.push(layer)
  }
  checkConflicts(conflicts, root)

  const work = join(root, WORK_FOLDER)
  await prepareWork(work)
  const temporary: string[] = []
  try {
    const directories: UnpackedLayer[] = []
    for (const layer of plan.layers.filter(({ isDirectory }) => isDirectory)) {
      const from = join(work, randomUUID())
      temporary.push(from)
      const unpacked = await unpackLayer(layer, from, plan, pulling)
      const wanted: Unpacked[] = []
      for (const one of unpacked) {
        if (note(one.name, await placeOfUnpacked(root, one, from, { signal }))) wanted.push(one)
      }
      directories.push({ layer, from, missing: wanted })
    }
    checkConflicts(conflicts, root)
    const fetched = await fetchAll(missing, work, pulling)
    for (const directory of directories) await placeDirectory(directory, root)
    await placeFiles(missing, fetched, work, root)
    const changed = new Set<PulledLayer>([
      ...missing,
      ...directories.flatMap(directory => (directory.missing.length > 0 ? [directory.layer] : [])),
    ])
    return plan.layers.map(layer => ({
      path: pathOf(root, layer.name),
      descriptor: layer.descriptor,
      isDirectory: layer.isDirectory,
      existed: !changed.has(layer),
    }))
  } finally {
    for (const path of temporary) await rm(path, { recursive: true, force: true })
    await rmdir(work).catch(() => undefined) // where large files wait for another attempt, it stays
  }
}

function checkConflicts(conflicts: ReadonlyMap<string, Place>, root: string): void {
  if (conflicts.size === 0) return
  const what = `${[...conflicts.keys()].join(', ')} ${conflicts.size === 1 ? 'is' : 'are'}`
  const isBlocked = [...conflicts.values()].includes('blocked')
  throw new OciPublishError('FILE_EXISTS', `${root}: ${what} there with other content; nothing was written`, {
    hint: isBlocked ? 'a folder is where a file should be, or the other way round' : '--overwrite replaces files',
  })
}

/** @throws {OciPublishError} LINK_IN_THE_WAY */
async function prepareWork(work: string): Promise<void> {
  const status = await statusOf(work)
  if (status && !status.isDirectory()) {
    throw new OciPublishError('LINK_IN_THE_WAY', `${work} is not a folder, and files would be kept there`)
  }
  await makeFolder(work)
}

async function unpackLayer(
  { descriptor, name, contentDigest }: PulledLayer,
  into: string,
  { names }: PullPlan,
  { source, onEvent, budget, signal }: Pulling,
): Promise<readonly Unpacked[]> {
  const { place } = source
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.open(descriptor, { signal })) {
      onEvent({ type: 'blob-progress', blob: descriptor, bytes: chunk.byteLength, place })
      yield chunk
    }
  }
  await makeFolder(into)
  const from = `${place}, ${name} (${descriptor.digest})`
  const unpacked = await unpackDirectory(counted(), { from, into, name, contentDigest, names, budget, signal })
  onEvent({ type: 'file-done', blob: descriptor, place, name })
  return unpacked
}

const CONCURRENCY = 3

/** @returns where each blob waits, whole and verified */
async function fetchAll(
  layers: readonly PulledLayer[],
  work: string,
  { source, onEvent, signal }: Pulling,
): Promise<ReadonlyMap<Digest, string>> {
  const slot = limit(CONCURRENCY)
  const { place } = source
  const wanted = new Map(layers.map(layer => [layer.descriptor.digest, layer]))
  const fetched = await allOrErrors(
    [...wanted.values()].map(({ descriptor: blob, name }) =>
      slot(async () => {
        const file = join(work, `${algorithmOf(blob.digest)}-${hexOf(blob.digest)}`)
        const onBytes = (bytes: number): void => {
          onEvent({ type: 'blob-progress', blob, bytes, place })
        }
        await fetchFile(source, blob, file, { onBytes, signal })
        onEvent({ type: 'file-done', blob, place, name })
        return [blob.digest, file] as const
      }),
    ),
  )
  return new Map(fetched)
}

async function placeDirectory({ from, missing }: UnpackedLayer, root: string): Promise<void> {
  for (const { name, kind } of missing) {
    if (kind === 'folder') {
      await makeWay(root, name)
      await makeFolder(pathOf(root, name))
    } else {
      await moveTo(root, name, pathOf(from, name))
    }
  }
}

async function placeFiles(
  layers: readonly PulledLayer[],
  fetched: ReadonlyMap<Digest, string>,
  work: string,
  root: string,
): Promise<void> {
  const last = new Map(layers.map(layer => [layer.descriptor.digest, layer]))
  for (const layer of layers) {
    const { digest } = layer.descriptor
    let file = fetched.get(digest)
    if (file === undefined) throw new TypeError(`${digest} was not fetched`)
    if (last.get(digest) !== layer) {
      const copy = join(work, randomUUID())
      await copyFile(file, copy, constants.COPYFILE_FICLONE)
      file = copy
    }
    await moveTo(root, layer.name, file)
  }
}

/** @returns what writes the config, once everything else is there */
async function prepareConfig(
  file: string,
  config: Descriptor,
  { source, overwrite, signal }: Pulling,
): Promise<() => Promise<void>> {
  const path = resolve(file)
  const place = await placeOfFile(dirname(path), basename(path), config, { signal })
  if (place === 'blocked' || (place === 'other' && !overwrite)) {
    const hint = place === 'blocked' ? undefined : '--overwrite replaces it'
    throw new OciPublishError('FILE_EXISTS', `${path} is there with other content; nothing was written`, { hint })
  }
  const bytes = await readDocument(source, config, { signal })
  return async () => {
    const temporary = join(dirname(path), `.${randomUUID()}.tmp`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(temporary, bytes, { flag: 'wx' })
    await rename(temporary, path)
  }
}
