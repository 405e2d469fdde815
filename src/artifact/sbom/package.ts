import { PackageURL } from 'packageurl-js'
import type { SystemRelease } from './os-release.ts'

/** Who installed it, in the words of package URLs. */
type PackageType = 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang'

/** A package as a database or a file of an image tells of it. */
export interface FoundPackage {
  readonly type: PackageType
  /** As its ecosystem writes it: `@babel/core`, `github.com/spf13/cobra`. */
  readonly name: string
  /** Undefined where nobody gave one, as for a Go program of a working copy. */
  readonly version: string | undefined
  readonly architecture?: string | undefined
  /** Of RPM packages. */
  readonly epoch?: number | undefined
  /** The source package, `glibc` or `glibc@2.36-9`, where it is called otherwise: advisories go by that. */
  readonly upstream?: string | undefined
  /** Each as it is written there: an SPDX expression, or words. */
  readonly licenses?: readonly string[] | undefined
  /** Path of what told it, without a slash in front. */
  readonly location: string
}

export interface Package extends FoundPackage {
  readonly purl: string
}

/** With its package URL. System packages are named after the system they are made for, as far as that is known. */
export function identified(found: FoundPackage, system: SystemRelease | undefined): Package {
  return { ...found, purl: purlOf(found, system) }
}

/** @see the package-url specification, and its types */
function purlOf(found: FoundPackage, system: SystemRelease | undefined): string {
  const { type, name, version, architecture, epoch, upstream } = found
  switch (type) {
    case 'deb':
    case 'apk':
    case 'rpm': {
      const distro = system && (system.version === undefined ? system.id : `${system.id}-${system.version}`)
      const qualifiers = { arch: architecture, epoch: epoch?.toString(), upstream, distro }
      return format(type, system?.id ?? DEFAULT_VENDOR[type], name, version, qualifiers)
    }
    case 'pypi':
      return format(type, undefined, name.toLowerCase().replace(/[-_.]+/g, '-'), version)
    case 'npm':
    case 'golang': {
      const slash = name.lastIndexOf('/')
      return format(type, slash < 0 ? undefined : name.slice(0, slash), name.slice(slash + 1), version)
    }
  }
}

/** Whose packages they are where the image does not say what system it is. */
const DEFAULT_VENDOR = { deb: 'debian', apk: 'alpine', rpm: undefined }

function format(
  type: string,
  namespace: string | undefined,
  name: string,
  version: string | undefined,
  qualifiers: Readonly<Record<string, string | undefined>> = {},
): string {
  const known = Object.fromEntries(
    Object.entries(qualifiers).filter(([, value]) => value !== undefined && value !== ''),
  )
  return new PackageURL(type, namespace, name, version, known as Record<string, string>, undefined).toString()
}
