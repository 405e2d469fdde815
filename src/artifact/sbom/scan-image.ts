import type { Abortable } from '../../async/abortable.ts'
import { decompress } from '../../archive/decompress.ts'
import { cleanPath } from '../../archive/tar/path.ts'
import { readTar } from '../../archive/tar/read.ts'
import type { TarEntry } from '../../archive/tar/header.ts'
import type { Source } from '../../content/ports.ts'
import { checkLayerCount } from '../../content/image-limits.ts'
import { readAll } from '../../content/verify.ts'
import { InputError, OciPublishError } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseManifest } from '../../oci/manifest.ts'
import { isNondistributable } from '../../oci/media-type.ts'
import { isImageConfig, readDocument } from '../members.ts'
import { parseGoModules, readGoBuildInfo } from './go-binary.ts'
import { LayeredFiles } from './layered-files.ts'
import { OS_RELEASE, parseOsRelease, type SystemRelease } from './os-release.ts'
import { identified, type FoundPackage, type Package } from './package.ts'
import { finderOf } from './read-packages.ts'
import { scanBudget, type ScanBudget } from './scan-budget.ts'
import { spooled } from './spooled.ts'

export interface ScannedPackage extends Package {
  /** Digest of the lowest layer that has it. */
  readonly layer: Digest
}

export interface ScannedImage {
  readonly system: SystemRelease | undefined
  /** By package URL, then by location. */
  readonly packages: readonly ScannedPackage[]
  /** What could not be read, in words. */
  readonly notices: readonly string[]
}

const MAX_OS_RELEASE_BYTES = 1 << 16
/** A program has more than this. */
const MIN_PROGRAM_BYTES = 1 << 12

/** What a file tells: packages and the layer of each, or what system it is. */
interface Told {
  readonly packages: readonly (FoundPackage & { readonly layer: number })[]
  readonly system?: SystemRelease | undefined
}

/**
 * Reads what packages an image of one platform has, from the layers as they stream by. Only the files of package databases
 * are held in memory, one at a time; what upper layers remove is not there.
 *
 * @param descriptor of the manifest
 * @throws {InputError} for what is no image; {OciPublishError} INVALID_ARCHIVE for a layer that is broken, TOO_LARGE
 *   for what no honest image has
 */
export async function scanImage(
  source: Source,
  descriptor: Descriptor,
  { signal }: Abortable = {},
): Promise<ScannedImage> {
  const where = `${source.place}@${descriptor.digest}`
  const bytes = await readDocument(source, descriptor, { signal })
  const { config, layers } = parseManifest(bytes, where, descriptor.mediaType)
  if (!isImageConfig(config)) {
    throw new InputError([
      { input: 'reference', problem: `${where} is no image: its config is of type ${config.mediaType}` },
    ])
  }
  checkLayerCount(layers.length, where)
  const budget = scanBudget()
  const files = new LayeredFiles<Told>(budget.paths)
  const notices = new Notices()
  for (const [index, layer] of layers.entries()) {
    if (isNondistributable(layer.mediaType)) {
      notices.add(`layer ${layer.digest} is not for registries to give away, and was not read`)
      continue
    }
    const from = `layer ${layer.digest} of ${where}`
    const tar = decompress(source.open(layer, { signal }), { from, inflation: budget.inflation, signal })
    for await (const { entry, body } of readTar(tar, { from, signal })) {
      budget.entries.spend(1, from)
      const path = pathOf(entry)
      if (path === undefined) continue
      if (!files.meet(path, index, { isDirectory: entry.type === 'directory' })) continue
      const told = await read(entry, path, body, { files, notices, budget, signal })
      if (!told) continue
      // What the layers below said, since their databases are replaced as a whole.
      const before = files.before(path, index)?.value
      files.put(path, index, { ...told, packages: located(told.packages, before, index) })
    }
  }
  for (const [, { value }] of files.entries()) budget.packages.spend(value.packages.length, where)
  return resultOf(files, layers, notices.all())
}

/** Names that lead out of the image are nothing that a runtime would unpack. */
function pathOf(entry: TarEntry): string | undefined {
  try {
    return cleanPath(entry.path)
  } catch {
    return undefined
  }
}

interface Reading extends Abortable {
  readonly files: LayeredFiles<Told>
  readonly notices: Notices
  readonly budget: ScanBudget
}

interface ToldBefore {
  readonly packages: readonly FoundPackage[]
  readonly system?: SystemRelease | undefined
}

async function read(
  entry: TarEntry,
  path: string,
  body: AsyncIterable<Uint8Array>,
  { files, notices, budget, signal }: Reading,
): Promise<ToldBefore | undefined> {
  const finder = finderOf(path)
  if (entry.type === 'hardlink') {
    const target = finder && files.get(cleanPath(entry.linkPath))
    return target && { packages: counted(moved(target.value.packages, path), path, budget) }
  }
  if (entry.type !== 'file') return undefined
  if (OS_RELEASE.includes(path)) {
    if (entry.size > MAX_OS_RELEASE_BYTES) return undefined
    const bytes = await readAll(body, { maxBytes: MAX_OS_RELEASE_BYTES, what: path, signal })
    return { packages: [], system: parseOsRelease(bytes) }
  }
  if (finder) {
    if (entry.size > finder.maxBytes) {
      notices.add(`${path} was not read: ${finder.what} of ${entry.size} bytes`)
      return undefined
    }
    const { file, close } = await spooled(body, { size: entry.size, what: path, signal })
    try {
      return { packages: counted(finder.parse(file, path), path, budget) }
    } catch (error) {
      if (!(error instanceof OciPublishError) || error.code === 'TOO_LARGE') throw error
      notices.add(`${error.message}; its packages are not in the SBOM`)
      return undefined
    } finally {
      await close()
    }
  }
  if ((entry.mode & 0o111) === 0 || entry.size < MIN_PROGRAM_BYTES) return undefined
  const info = await readGoBuildInfo(body)
  return info && { packages: counted(parseGoModules(info, path), path, budget) }
}

function* moved(packages: readonly FoundPackage[], location: string): Generator<FoundPackage, void, undefined> {
  for (const one of packages) yield { ...one, location }
}

/** Takes packages as long as the image may have more. */
function counted(found: Iterable<FoundPackage>, path: string, budget: ScanBudget): readonly FoundPackage[] {
  const packages: FoundPackage[] = []
  for (const one of found) {
    const { name, version, architecture, upstream, licenses } = one
    budget.read.spend(1, path)
    for (const text of [name, version, architecture, upstream, ...(licenses ?? [])]) {
      budget.texts.spend(text?.length ?? 0, path)
    }
    packages.push({
      ...one,
      name: alone(name),
      version: version && alone(version),
      architecture: architecture && alone(architecture),
      upstream: upstream && alone(upstream),
      licenses: licenses?.map(alone),
    })
  }
  return packages
}

/** A part of a text keeps all of it in memory: of a database, for one name. */
function alone(text: string): string {
  return Buffer.from(text).toString()
}

/** A package that the same file told of in a lower layer came with that one. */
function located(packages: readonly FoundPackage[], before: Told | undefined, layer: number): Told['packages'] {
  const known = new Map(before?.packages.map(one => [keyOf(one), one.layer]))
  return packages.map(one => ({ ...one, layer: known.get(keyOf(one)) ?? layer }))
}

function keyOf({ name, version, architecture }: FoundPackage): string {
  return [name, version, architecture].join('\0')
}

function resultOf(files: LayeredFiles<Told>, layers: readonly Descriptor[], notices: readonly string[]): ScannedImage {
  const system = OS_RELEASE.map(path => files.get(path)?.value.system).find(one => one !== undefined)
  const packages: ScannedPackage[] = []
  for (const [, { value }] of files.entries()) {
    for (const { layer, ...found } of value.packages) {
      const digest = layers[layer]?.digest
      if (digest !== undefined) packages.push({ ...identified(found, system), layer: digest })
    }
  }
  packages.sort((a, b) => compare(a.purl, b.purl) || compare(a.location, b.location))
  return { system, packages, notices }
}

/** By code units: no language's order, which may change with the machine. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

const MAX_NOTICES = 100

/** Each once, and not more than anybody reads. */
class Notices {
  readonly #texts = new Set<string>()
  #more = 0

  add(text: string): void {
    if (this.#texts.size < MAX_NOTICES) this.#texts.add(text)
    else this.#more++
  }

  all(): readonly string[] {
    return this.#more === 0 ? [...this.#texts] : [...this.#texts, `${this.#more} more were not read`]
  }
}
