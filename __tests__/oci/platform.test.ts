import {
  acceptablePlatforms,
  formatPlatform,
  isUnknownPlatform,
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
  ])('refuses %s and says why', (specifier, because) => {
    expect(() => parsePlatform(specifier)).toThrow(because)
  })
})

describe('acceptablePlatforms()', () => {
  test.each([
    ['linux/arm64', ['linux/arm64']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/amd64', ['linux/amd64']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64']],
    ['linux/arm64/v8.2', ['linux/arm64/v8.2', 'linux/arm64/v8.1', 'linux/arm64']],
    ['linux/s390x', ['linux/s390x']],
  ])('%s never falls back to another architecture', (wanted, acceptable) => {
    expect(acceptablePlatforms(parsePlatform(wanted)).map(formatPlatform)).toEqual(acceptable)
  })

  test('arm64/v9 takes what runs on it, down to plain arm64', () => {
    const acceptable = acceptablePlatforms(parsePlatform('linux/arm64/v9')).map(formatPlatform)
    expect(acceptable[0]).toBe('linux/arm64/v9')
    expect(acceptable).toContain('linux/arm64/v8.5')
    expect(acceptable.at(-1)).toBe('linux/arm64')
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

test('placeholders are fit for file names', () => {
  expect(placeholdersOf(parsePlatform('linux/arm/v7'))).toEqual({
    os: 'linux',
    arch: 'arm',
    variant: 'v7',
    platform: 'linux-arm-v7',
  })
})

test('the mark of an attestation is not a platform to run', () => {
  expect(isUnknownPlatform({ os: 'unknown', architecture: 'unknown' })).toBe(true)
})
