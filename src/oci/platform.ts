import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'

/** image-spec v1.1.1, image-index.md, "platform". Normalised when it comes from `parsePlatform` or `normalisePlatform`. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
}

const text = v.string('is not text')

export const platformSchema: v.GenericSchema<unknown, Platform> = v.object(
  {
    os: text,
    architecture: text,
    variant: v.exactOptional(text),
    'os.version': v.exactOptional(text),
    'os.features': v.exactOptional(v.array(text)),
  },
  'is not a platform',
)

// The architectures and systems of Go, which the specification refers to.
const ARCHITECTURES =
  '386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x sparc64 wasm'.split(' ')
const SYSTEMS =
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows'.split(' ')

const ARCHITECTURE_ALIASES: Readonly<Record<string, string>> = {
  i386: '386',
  i686: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm/v7',
  armel: 'arm/v6',
}

/**
 * Reads `os/arch[/variant]`, `arch` or `os` alone not included: a publication names both.
 *
 * @throws {OciPublishError} INVALID_PLATFORM, naming what is known
 */
export function parsePlatform(specifier: string): Platform {
  const [os, architecture, variant, ...rest] = specifier.trim().toLowerCase().split('/')
  if (!os || !architecture || variant === '' || rest.length > 0) {
    throw invalid(specifier, 'a platform is os/architecture[/variant], such as linux/arm64 or linux/arm/v7')
  }
  const platform = normalisePlatform({ os, architecture, ...(variant !== undefined && { variant }) })
  if (!SYSTEMS.includes(platform.os)) throw invalid(specifier, `"${os}" is not one of ${SYSTEMS.join(', ')}`)
  if (!ARCHITECTURES.includes(platform.architecture)) {
    throw invalid(specifier, `"${architecture}" is not one of ${ARCHITECTURES.join(', ')}`)
  }
  if (platform.variant !== undefined && !/^[a-z0-9._-]+$/.test(platform.variant)) {
    throw invalid(specifier, `"${platform.variant}" is not a variant such as v7`)
  }
  return platform
}

function invalid(specifier: string, because: string): OciPublishError {
  return new OciPublishError('INVALID_PLATFORM', `unknown platform "${specifier}": ${because}`)
}

/** One spelling for each platform: `x86_64` is amd64, `arm64/v8` is arm64, `arm` is arm/v7. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase()
  const given = platform.architecture.toLowerCase()
  const [architecture = given, implied] = (ARCHITECTURE_ALIASES[given] ?? given).split('/')
  const variant = normaliseVariant(architecture, platform.variant?.toLowerCase() ?? implied ?? '')
  return {
    os: os === 'macos' ? 'darwin' : os,
    architecture,
    ...(variant !== '' && { variant }),
    ...(platform['os.version'] !== undefined && { 'os.version': platform['os.version'] }),
    ...(platform['os.features'] !== undefined && { 'os.features': platform['os.features'] }),
  }
}

function normaliseVariant(architecture: string, variant: string): string {
  switch (architecture) {
    case 'amd64':
      return variant === 'v1' || variant === '1' ? '' : variant
    case 'arm64':
      if (['8', 'v8', 'v8.0', '8.0'].includes(variant)) return ''
      if (['9', 'v9.0', '9.0'].includes(variant)) return 'v9'
      return variant
    case 'arm':
      if (variant === '') return 'v7'
      return /^[5-8]$/.test(variant) ? `v${variant}` : variant
    default:
      return variant
  }
}

/** `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}

export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(normalisePlatform(a)) === formatPlatform(normalisePlatform(b))
}

/** Whether it is the mark of an attestation child rather than something to run. */
export function isUnknownPlatform({ os, architecture }: Platform): boolean {
  return os === 'unknown' || architecture === 'unknown'
}

/**
 * What may stand in for a platform, best first: itself, then lower variants of the same architecture, which its
 * processors run as well. Never another architecture: that would be a wrong image, not a poorer one.
 */
export function acceptablePlatforms(wanted: Platform): readonly Platform[] {
  const platform = normalisePlatform(wanted)
  return [platform, ...lowerVariants(platform).map(variant => normalisePlatform({ ...platform, variant }))]
}

function lowerVariants({ architecture, variant = '' }: Platform): readonly string[] {
  if (architecture === 'amd64') return below(variant, ['', 'v2', 'v3', 'v4'])
  if (architecture === 'arm') return below(variant, ['v5', 'v6', 'v7', 'v8'])
  if (architecture !== 'arm64') return []
  const match = /^v([89])(?:[.](\d+))?$/.exec(variant)
  if (!match) return []
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)]
  const version = (m: number, n: number): string => (n > 0 ? `v${m}.${n}` : m === 8 ? '' : `v${m}`)
  const same = Array.from({ length: minor }, (_, i) => version(major, minor - 1 - i))
  // Armv9.n includes Armv8.(n+5).
  const older = major === 9 ? Array.from({ length: minor + 6 }, (_, i) => version(8, minor + 5 - i)) : []
  return [...same, ...older]
}

function below(variant: string, ascending: readonly string[]): readonly string[] {
  return ascending.slice(0, Math.max(0, ascending.indexOf(variant))).reverse()
}

/** What `{os} {arch} {variant} {platform}` stand for; `{platform}` is fit for a file name: `linux-arm-v7`. */
export function placeholdersOf(platform: Platform): Readonly<Record<'os' | 'arch' | 'variant' | 'platform', string>> {
  const { os, architecture, variant = '' } = platform
  return { os, arch: architecture, variant, platform: formatPlatform(platform).replaceAll('/', '-') }
}
