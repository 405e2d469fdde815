import {
  acceptablePlatforms,
  formatPlatform,
  isUnknownPlatform,
  normalisePlatform,
  parsePlatform,
  placeholdersOf,
  samePlatform,
} from '../../src/oci/platform.ts'

describe('parsePlatform()', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['macos/arm64', 'darwin/arm64'],
    ['linux/riscv64', 'linux/riscv64'],
    [' linux/amd64 ', 'linux/amd64'],
    ['linux/i386', 'linux/386'],
    ['linux/i686', 'linux/386'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/1', 'linux/amd64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v8.0', 'linux/arm64'],
    ['linux/arm64/8.0', 'linux/arm64'],
    ['linux/arm64/9', 'linux/arm64/v9'],
    ['linux/arm64/v9.0', 'linux/arm64/v9'],
    ['linux/arm64/9.0', 'linux/arm64/v9'],
    ['linux/arm64/v9.1', 'linux/arm64/v9.1'],
    ['linux/arm/v7', 'linux/arm/v7'],
    ['linux/arm/5', 'linux/arm/v5'],
    ['linux/arm/8', 'linux/arm/v8'],
    ['linux/arm/9', 'linux/arm/9'],
    ['linux/arm/70', 'linux/arm/70'],
    ['linux/armhf/v6', 'linux/arm/v6'],
    ['linux/amd64/V3', 'linux/amd64/v3'],
  ])('%s is written %s, so that one platform has one spelling', (specifier, platform) => {
    expect(formatPlatform(parsePlatform(specifier))).toBe(platform)
  })

  test.each([
    ['amd64', 'os/architecture'],
    ['linux/', 'os/architecture'],
    ['linux/amd65', '"amd65" is not one of'],
    ['linus/amd64', '"linus" is not one of'],
    ['linux/arm/v7/x', 'os/architecture'],
    ['linux/arm/v 7', 'is not a variant'],
    ['linux/arm/ v7', 'is not a variant'],
    ['/amd64', 'os/architecture'],
    ['linux/arm/', 'os/architecture'],
    ['', 'os/architecture'],
  ])('refuses %s and says why', (specifier, because) => {
    expect(() => parsePlatform(specifier)).toThrow(because)
  })
})

test.each([
  ['os', 'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows'],
  ['architecture', '386 amd64 arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x sparc64 wasm'],
])('every %s that Go knows is known', (part, names) => {
  for (const name of names.split(' ')) {
    const specifier = part === 'os' ? `${name}/amd64` : `linux/${name}`
    expect(formatPlatform(parsePlatform(specifier))).toBe(specifier)
  }
})

test('the version of Windows, by which an image is chosen, is kept', () => {
  const windows = { os: 'Windows', architecture: 'AMD64', 'os.version': '10.0.1', 'os.features': ['win32k'] }
  expect(normalisePlatform(windows)).toEqual({ ...windows, os: 'windows', architecture: 'amd64' })
  expect(normalisePlatform({ os: 'linux', architecture: 'amd64' })).toEqual({ os: 'linux', architecture: 'amd64' })
})

const arm64 = (variant: string): string => (variant === '' ? 'linux/arm64' : `linux/arm64/${variant}`)

describe('acceptablePlatforms()', () => {
  test.each([
    ['linux/arm64', ['linux/arm64']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/amd64', ['linux/amd64']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64']],
    ['linux/arm64/v8.2', ['linux/arm64/v8.2', 'linux/arm64/v8.1', 'linux/arm64']],
    ['linux/s390x', ['linux/s390x']],
    ['linux/s390x/v8.2', ['linux/s390x/v8.2']],
    ['linux/arm/v5', ['linux/arm/v5']],
    ['linux/arm/v8', ['linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/amd64/v4', ['linux/amd64/v4', 'linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64']],
    ['linux/amd64/v9', ['linux/amd64/v9']],
    ['linux/arm64/v8.2x', ['linux/arm64/v8.2x']],
    ['linux/arm64/xv8.2', ['linux/arm64/xv8.2']],
    [
      'linux/arm64/v8.10',
      ['v8.10', 'v8.9', 'v8.8', 'v8.7', 'v8.6', 'v8.5', 'v8.4', 'v8.3', 'v8.2', 'v8.1', ''].map(arm64),
    ],
    ['linux/arm64/v9', ['v9', 'v8.5', 'v8.4', 'v8.3', 'v8.2', 'v8.1', ''].map(arm64)],
    ['linux/arm64/v9.1', ['v9.1', 'v9', 'v8.6', 'v8.5', 'v8.4', 'v8.3', 'v8.2', 'v8.1', ''].map(arm64)],
  ])('%s never falls back to another architecture', (wanted, acceptable) => {
    expect(acceptablePlatforms(parsePlatform(wanted)).map(formatPlatform)).toEqual(acceptable)
  })
})

test('arm64 and arm64/v8 are the same platform, whoever spelt it', () => {
  expect(
    samePlatform({ os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
  ).toBe(true)
  expect(samePlatform({ os: 'linux', architecture: 'arm' }, { os: 'linux', architecture: 'arm', variant: 'v6' })).toBe(
    false,
  )
})

test('a variant in capitals, as a document may have it, is the same platform', () => {
  const arm = { os: 'linux', architecture: 'arm' }
  expect(normalisePlatform({ ...arm, variant: 'V6' })).toEqual({ ...arm, variant: 'v6' })
})

test('placeholders are fit for file names', () => {
  expect(placeholdersOf(parsePlatform('linux/arm/v7'))).toEqual({
    os: 'linux',
    arch: 'arm',
    variant: 'v7',
    platform: 'linux-arm-v7',
  })
  expect(placeholdersOf(parsePlatform('linux/amd64'))).toMatchObject({ variant: '', platform: 'linux-amd64' })
})

test('the mark of an attestation is not a platform to run', () => {
  expect(isUnknownPlatform({ os: 'unknown', architecture: 'unknown' })).toBe(true)
  expect(isUnknownPlatform({ os: 'linux', architecture: 'amd64' })).toBe(false)
})
