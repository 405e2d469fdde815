import { createHash } from 'node:crypto'
import type { Digest } from '../../oci/digest.ts'
import { formatPlatform, type Platform } from '../../oci/platform.ts'
import type { Reference } from '../../oci/reference.ts'
import { PackageURL } from 'packageurl-js'
import { licenseForm } from './license.ts'
import type { ScannedImage, ScannedPackage } from './scan-image.ts'
import { withoutTrailing } from '../../trim.ts'

export interface BomSubject {
  readonly reference: Reference
  /** Of the manifest of one platform. */
  readonly digest: Digest
  readonly platform: Platform | undefined
}

export interface BomOptions {
  /** Version of this program. */
  readonly toolVersion: string
  /** Seconds since 1970; without it the BOM has no timestamp. */
  readonly createdAt?: number | undefined
}

export const CYCLONEDX_TYPE = 'application/vnd.cyclonedx+json'

/**
 * Writes what is in an image as a CycloneDX 1.6 document. The same image under the same name gives the same bytes.
 *
 * A package that is there several times, as in several `node_modules`, is one component with all its places.
 */
export async function cycloneDx(
  subject: BomSubject,
  { system, packages }: ScannedImage,
  { toolVersion, createdAt }: BomOptions,
): Promise<Uint8Array> {
  // The bundle knows CommonJS that is loaded late by its default export alone.
  const [{ default: Models }, { default: Enums }, { default: Spec }, { default: Serialize }, { default: Spdx }] =
    await Promise.all([
      import('@cyclonedx/cyclonedx-library/Models'),
      import('@cyclonedx/cyclonedx-library/Enums'),
      import('@cyclonedx/cyclonedx-library/Spec'),
      import('@cyclonedx/cyclonedx-library/Serialize'),
      import('@cyclonedx/cyclonedx-library/SPDX'),
    ])
  const bom = new Models.Bom({ serialNumber: serialNumberOf(subject.digest) })
  const purl = imagePurl(subject)
  const image = new Models.Component(Enums.ComponentType.Container, nameOf(subject.reference), {
    bomRef: purl,
    purl,
    version: subject.digest,
  })
  if (subject.platform) image.properties.add(new Models.Property(PLATFORM, formatPlatform(subject.platform)))
  bom.metadata.component = image
  bom.metadata.tools.components.add(
    new Models.Component(Enums.ComponentType.Application, 'oci-publish', { version: toolVersion }),
  )
  if (createdAt !== undefined) bom.metadata.timestamp = new Date(createdAt * 1000)
  if (system) {
    const { id, version, name } = system
    const component = new Models.Component(Enums.ComponentType.OperatingSystem, id, {
      bomRef: `os:${id}@${version ?? ''}`,
    })
    if (version !== undefined) component.version = version
    if (name !== undefined) component.description = name
    bom.components.add(component)
    image.dependencies.add(component.bomRef)
  }
  for (const [first, ...others] of grouped(packages)) {
    const { name, version, licenses = [] } = first
    const component = new Models.Component(Enums.ComponentType.Library, name, { bomRef: first.purl, purl: first.purl })
    if (version !== undefined) component.version = version
    for (const { layer, location } of [first, ...others]) {
      component.properties.add(new Models.Property(LAYER, layer))
      component.properties.add(new Models.Property(LOCATION, `/${location}`))
    }
    for (const property of repeated(component.properties)) component.properties.delete(property)
    for (const license of licenses) component.licenses.add(licenseOf(license, licenses.length === 1))
    bom.components.add(component)
    image.dependencies.add(component.bomRef)
  }
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
  const text = new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 })
  return new TextEncoder().encode(`${text}\n`)

  /** An expression has to be the only one. */
  function licenseOf(
    text: string,
    alone: boolean,
  ): InstanceType<typeof Models.LicenseExpression | typeof Models.NamedLicense | typeof Models.SpdxLicense> {
    const form = licenseForm(text, Spdx.isSupportedSpdxId)
    if (form === 'id') return new Models.SpdxLicense(text)
    return form === 'expression' && alone ? new Models.LicenseExpression(text) : new Models.NamedLicense(text)
  }
}

const PLATFORM = 'oci-publish:platform'
const LAYER = 'oci-publish:layer'
const LOCATION = 'oci-publish:location'

/** A UUID that is made of the digest, so that the same image has the same. */
function serialNumberOf(digest: Digest): string {
  const bytes = createHash('sha256').update(`oci-publish sbom ${digest}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6) // version 8: what it is made of is the maker's own
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}`
}

/** @see package-url's types, "oci" */
function imagePurl({ reference, digest, platform }: BomSubject): string {
  const repository = reference.kind === 'registry' ? `${reference.host}/${reference.repository}` : undefined
  const qualifiers = {
    ...(platform && { arch: platform.architecture }),
    ...(repository !== undefined && { repository_url: repository.toLowerCase() }),
  }
  const name = nameOf(reference).split('/').at(-1) ?? ''
  return new PackageURL('oci', undefined, name.toLowerCase(), digest, qualifiers, undefined).toString()
}

function nameOf(reference: Reference): string {
  if (reference.kind === 'registry') return `${reference.host}/${reference.repository}`
  // Where a layout lies is nothing of the image.
  const name = withoutTrailing(reference.path.replaceAll('\\', '/'), '/').split('/').at(-1)
  return name === undefined || name === '' || name === '.' ? 'image' : name
}

/** Packages of one package URL together; they are in its order. */
function grouped(packages: readonly ScannedPackage[]): readonly (readonly [ScannedPackage, ...ScannedPackage[]])[] {
  const groups = new Map<string, [ScannedPackage, ...ScannedPackage[]]>()
  for (const one of packages) {
    const group = groups.get(one.purl)
    if (group) group.push(one)
    else groups.set(one.purl, [one])
  }
  return [...groups.values()]
}

function repeated<P extends { readonly name: string; readonly value: string }>(properties: Iterable<P>): readonly P[] {
  const seen = new Set<string>()
  return [...properties].filter(({ name, value }) => {
    const key = `${name}=${value}`
    if (seen.has(key)) return true
    seen.add(key)
    return false
  })
}
