import type { Abortable } from '../../async/abortable.ts'
import { bytesBlob, type Blob } from '../../content/blob.ts'
import { outputAt } from '../../content/places.ts'
import type { ImageCopyEvent } from '../../copy/event.ts'
import type { Source, Target } from '../../content/ports.ts'
import type { UntaggedPlatform } from '../../content/untagged.ts'
import { InputError } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { digestOf } from '../../oci/digest.ts'
import { formatPlatform, type Platform } from '../../oci/platform.ts'
import { formatReference, type Reference } from '../../oci/reference.ts'
import { TITLE } from '../artifact.ts'
import { attachTo, type AttachDeps, type Attached, type Attachment } from '../attach.ts'
import { chosenOf, type Member } from '../members.ts'
import { CYCLONEDX_TYPE, cycloneDx } from './cyclonedx.ts'
import { scanImage } from './scan-image.ts'

export type SbomEvent = ImageCopyEvent | { readonly type: 'step'; readonly step: 'layers'; readonly text: string }

export interface SbomDeps extends Pick<AttachDeps, 'locate' | 'openTarget'> {
  readonly onEvent: (event: SbomEvent) => void
  readonly facts: { readonly sourceDateEpoch: string | undefined }
}

export interface SbomOptions extends Abortable {
  /** Only this one; without it all of an index. */
  readonly platform?: Platform | undefined
  /** Version of this program, which the document names. */
  readonly toolVersion: string
}

/** The SBOM of one platform. */
export interface Sbom {
  readonly subject: Descriptor
  readonly platform: Platform | undefined
  /** A CycloneDX document in JSON. */
  readonly bytes: Uint8Array
  readonly packages: number
}

/**
 * Tells what is in the image of one platform.
 *
 * @throws {InputError} for a platform that is not there, with those that are; where there are several and none is chosen;
 *   for what is no image
 * @throws {OciPublishError} NOT_FOUND
 */
export async function generateSbom(reference: Reference, deps: SbomDeps, options: SbomOptions): Promise<Sbom> {
  const createdAt = createdAtOf(deps.facts.sourceDateEpoch)
  const { source, members } = await imagesOf(reference, deps, options)
  const [member, ...others] = members
  if (!member) throw new InputError([{ input: 'reference', problem: `${formatReference(reference)} has no image` }])
  if (others.length > 0) {
    const problem = `an SBOM is of one platform; there are ${[...new Set(members.map(titleOf))].slice(0, 40).join(', ')}`
    throw new InputError([{ input: 'platform', problem, hint: '--attach makes one for each of them' }])
  }
  return sbomOf(member, { reference, source, createdAt }, deps, options)
}

interface Images {
  readonly source: Source
  readonly members: readonly Member[]
}

async function imagesOf(
  reference: Reference,
  { locate }: SbomDeps,
  { platform, signal }: SbomOptions,
): Promise<Images> {
  const { source, name } = locate(reference)
  const root = await source.resolve(name, { signal })
  return { source, members: await chosenOf(source, root, [platform ?? 'all'], { input: 'platform', signal }) }
}

interface Circumstances {
  readonly reference: Reference
  readonly source: Source
  readonly createdAt: number | undefined
}

async function sbomOf(
  member: UntaggedPlatform,
  { reference, source, createdAt }: Circumstances,
  { onEvent }: Pick<SbomDeps, 'onEvent'>,
  { toolVersion, signal }: SbomOptions,
): Promise<Sbom> {
  const { descriptor, platform } = member
  onEvent({ type: 'step', step: 'layers', text: `Packages of ${titleOf(member)}` })
  const scanned = await scanImage(source, descriptor, { signal })
  for (const notice of scanned.notices) onEvent({ type: 'notice', text: `${titleOf(member)}: ${notice}` })
  const bytes = await cycloneDx({ reference, digest: descriptor.digest, platform }, scanned, { toolVersion, createdAt })
  return { subject: descriptor, platform, bytes, packages: scanned.packages.length }
}

/**
 * Attaches to each platform of an image the SBOM of what is in it, as a referrer that others find by its type. One that is
 * there already, equal to the byte, is not added again.
 */
export async function attachSboms(reference: Reference, deps: SbomDeps, options: SbomOptions): Promise<Attached> {
  if (reference.kind === 'oci-archive') {
    const hint = 'copy it to a layout in a directory (oci:DIR), attach there, and copy it back'
    throw new InputError([
      { input: 'reference', problem: `nothing can be added to ${formatReference(reference)}`, hint },
    ])
  }
  const { signal } = options
  const { source, members } = await imagesOf(reference, deps, options)
  // All of them before any is attached: a layer that cannot be read should leave nothing half done.
  const sboms = await sbomsOf(members, { reference, source }, deps, options)
  const target = deps.openTarget(outputAt(reference))
  const attachments = await attachSbomsTo(target, sboms, deps, { signal })
  await target.close?.({ signal })
  return { place: target.place, artifactType: CYCLONEDX_TYPE, attachments }
}

/** Tells what is in each of some images. @throws {InputError} for a wrong SOURCE_DATE_EPOCH, and for what is no image */
export async function sbomsOf(
  members: readonly UntaggedPlatform[],
  from: { readonly reference: Reference; readonly source: Source },
  deps: Pick<SbomDeps, 'onEvent' | 'facts'>,
  options: SbomOptions,
): Promise<readonly Sbom[]> {
  const createdAt = createdAtOf(deps.facts.sourceDateEpoch)
  const sboms: Sbom[] = []
  for (const member of members) sboms.push(await sbomOf(member, { ...from, createdAt }, deps, options))
  return sboms
}

/** Attaches each to the image that it tells of, which has to be there. It is for `close` to make them listed. */
export async function attachSbomsTo(
  target: Target,
  sboms: readonly Sbom[],
  { onEvent }: Pick<SbomDeps, 'onEvent'>,
  { signal }: Abortable = {},
): Promise<readonly Attachment[]> {
  const attachments: Attachment[] = []
  for (const { subject, platform, bytes } of sboms) {
    const parts = { artifactType: CYCLONEDX_TYPE, title: 'SBOM', layers: [sbomBlob(bytes)], onEvent }
    attachments.push(...(await attachTo(target, [{ descriptor: subject, platform }], parts, { signal })))
  }
  return attachments
}

function sbomBlob(bytes: Uint8Array): Blob {
  const annotations = { [TITLE]: 'sbom.cdx.json' }
  const descriptor = { mediaType: CYCLONEDX_TYPE, digest: digestOf(bytes), size: bytes.byteLength, annotations }
  return bytesBlob({ descriptor, bytes })
}

/** @throws {InputError} */
function createdAtOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const seconds = Number(text)
  if (/^\d{1,11}$/.test(text)) return seconds
  throw new InputError([{ input: 'SOURCE_DATE_EPOCH', problem: `"${text}" is no number of seconds since 1970` }])
}

function titleOf({ platform, descriptor }: UntaggedPlatform): string {
  return platform ? formatPlatform(platform) : descriptor.digest
}
