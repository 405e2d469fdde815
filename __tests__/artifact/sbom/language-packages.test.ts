import fc from 'fast-check'
import { parseGoModules, readGoBuildInfo } from '../../../src/artifact/sbom/go-binary.ts'
import { isNpmPackage, parseNpmPackage } from '../../../src/artifact/sbom/npm.ts'
import { isPythonMetadata, parsePythonMetadata } from '../../../src/artifact/sbom/python.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('npm', () => {
  test.each([
    ['node_modules/a/package.json', true],
    ['app/node_modules/@b/c/package.json', true],
    ['app/node_modules/.pnpm/a@1/node_modules/a/package.json', true],
    ['app/node_modules/a/lib/package.json', false],
    ['app/node_modules/a/node_modules/b/package.json', true],
    ['app/node_modules/.cache/package.json', false],
    ['app/node_modules/.package-lock.json', false],
    ['app/package.json', false],
  ])('%s: %s', (path, wanted) => {
    expect(isNpmPackage(path)).toBe(wanted)
  })

  test.each([
    [
      'a name and a version',
      '{"name":"@a/b","version":"1.0.0","license":"MIT"}',
      [{ name: '@a/b', version: '1.0.0', licenses: ['MIT'] }],
    ],
    [
      'the old form of licences',
      '{"name":"a","version":"1","licenses":[{"type":"MIT"},{"type":"Apache-2.0"}]}',
      [{ licenses: ['MIT', 'Apache-2.0'] }],
    ],
    ['a licence that is an object', '{"name":"a","version":"1","license":{"type":"ISC"}}', [{ licenses: ['ISC'] }]],
    ['no licence', '\ufeff{"name":"a","version":"1"}', [{ licenses: undefined }]],
    ['no version', '{"name":"a"}', []],
    ['a folder that only says how to read it', '{"type":"module"}', []],
    ['a name that is a path', '{"name":"../x/y/z","version":"1"}', []],
    ['broken text', '{"name":', []],
    ['null', 'null', []],
  ])('%s', (_name, text, packages) => {
    const found = parseNpmPackage(bytes(text), 'x')
    expect(found).toHaveLength(packages.length)
    expect(found).toMatchObject(packages)
  })
})

describe('Python', () => {
  test.each([
    ['usr/lib/python3/dist-packages/a-1.dist-info/METADATA', true],
    ['usr/lib/python3/dist-packages/a-1.egg-info/PKG-INFO', true],
    ['usr/lib/python3/dist-packages/a-1.egg-info', true],
    ['usr/lib/python3/dist-packages/a-1.dist-info/RECORD', false],
  ])('%s: %s', (path, wanted) => {
    expect(isPythonMetadata(path)).toBe(wanted)
  })

  test.each([
    [
      'the licence as an expression',
      'Name: A\nVersion: 1\nLicense: old words\nLicense-Expression: MIT OR Apache-2.0\n',
      { name: 'A', licenses: ['MIT OR Apache-2.0'] },
    ],
    [
      'a whole text as licence is none',
      'Name: A\nVersion: 1\nLicense: Copyright\n        All rights\n',
      { licenses: undefined },
    ],
    ['a description with fields in it', 'Name: A\nVersion: 1\n\nName: B\nVersion: 2\n', { name: 'A', version: '1' }],
  ])('%s', (_name, text, found) => {
    expect(parsePythonMetadata(bytes(text), 'x')).toMatchObject([found])
  })

  test('what names nothing is no package', () => {
    expect(parsePythonMetadata(bytes('Metadata-Version: 2.1\n'), 'x')).toEqual([])
  })
})

function varint(value: number): Buffer {
  const out: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...out, left])
    out.push((left % 128) | 0x80)
  }
}

/** As Go's linker writes it, behind so many bytes of a program. */
function program(before: number, goVersion: string, modules: string, flags = 2): Buffer {
  const elf = Buffer.alloc(before)
  elf.write('\x7fELF', 'latin1')
  const head = Buffer.alloc(32)
  head.write('\xff Go buildinf:', 'latin1')
  head.writeUInt8(8, 14)
  head.writeUInt8(flags, 15)
  const version = Buffer.from(goVersion)
  const info = Buffer.concat([Buffer.alloc(16, 0x30), Buffer.from(modules), Buffer.alloc(16, 0xf9)])
  return Buffer.concat([elf, head, varint(version.length), version, varint(info.length), info, Buffer.alloc(100)])
}

async function* pieces(whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield await Promise.resolve(whole.subarray(at, at + size))
}

describe('Go', () => {
  const MODULES =
    'path\tex.org/cmd\nmod\tex.org/app\tv1.2.3\th1:x=\ndep\tex.org/a\tv0.1.0\th1:y=\nbuild\t-compiler=gc\n'

  test('a program full of what looks like build info is given up, instead of searched again for each of them', async () => {
    const lookalike = Buffer.alloc(64)
    lookalike.write('\xff Go buildinf:', 'latin1')
    lookalike.writeUInt8(2, 15)
    lookalike.set([0xff, 0xff, 0xff, 0x7f], 32) // of a version that is longer than any
    const whole = Buffer.concat([...Array<Buffer>(1000).fill(lookalike), program(64, 'go1.26.1', MODULES)])
    whole.write('\x7fELF', 'latin1')
    expect(await readGoBuildInfo(pieces(whole, 4096))).toBeUndefined()
  })

  test('build info is found wherever it is, in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 5_000 }),
        async (sixteenths, size) => {
          const whole = program(sixteenths * 16, 'go1.26.1', MODULES)
          expect(await readGoBuildInfo(pieces(whole, size))).toEqual({ goVersion: 'go1.26.1', modules: MODULES })
        },
      ),
    )
  })

  test.each([
    ['a program of another language', Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(9_000)])],
    ['a script', Buffer.from(`#!/bin/sh\n${'x'.repeat(500)}`)],
    ['an empty file', Buffer.alloc(0)],
    ['a file that ends within the magic', program(64, 'go1.26', MODULES).subarray(0, 70)],
    ['a file that ends within the modules', program(64, 'go1.26', MODULES).subarray(0, 150)],
    ['a program of Go before 1.18, which has pointers there', program(64, 'go1.17', MODULES, 0)],
    ['the magic where Go would not put it', program(72, 'go1.26', MODULES)],
  ])('%s has none', async (_name, whole) => {
    expect(await readGoBuildInfo(pieces(whole, 100))).toBeUndefined()
  })

  test('a program that itself looks for build info has the magic twice', async () => {
    const decoy = program(64, 'go1.26', 'x').subarray(0, 96)
    decoy.fill(0xff, 88)
    const real = program(16, 'go1.26.2', MODULES)
    for (const size of [7, 64, 10_000]) {
      expect(await readGoBuildInfo(pieces(Buffer.concat([decoy, real]), size))).toMatchObject({ goVersion: 'go1.26.2' })
    }
  })

  test('the program, what it is made of, and the library whose bugs it has', () => {
    const found = [...parseGoModules({ goVersion: 'go1.26.1 X:nodwarf5', modules: MODULES }, 'bin/app')]
    expect(found).toEqual([
      { type: 'golang', name: 'ex.org/app', version: 'v1.2.3', location: 'bin/app' },
      { type: 'golang', name: 'ex.org/a', version: 'v0.1.0', location: 'bin/app' },
      { type: 'golang', name: 'stdlib', version: '1.26.1', location: 'bin/app' },
    ])
  })

  test.each([
    ['a working copy has no version', 'mod\tex.org/app\t(devel)\t', [{ name: 'ex.org/app', version: undefined }]],
    [
      'a fork is what is in it',
      'dep\tex.org/a\tv1.0.0\n=>\tex.org/fork\tv1.0.1\th1:z=',
      [{ name: 'ex.org/fork', version: 'v1.0.1' }],
    ],
    [
      'a folder is not the version that it replaces',
      'dep\tex.org/a\tv1.0.0\n=>\t./local\t(devel)\t',
      [{ name: 'ex.org/a', version: undefined }],
    ],
    ['no modules', '', []],
  ])('%s', (_name, modules, packages) => {
    const found = [...parseGoModules({ goVersion: 'devel', modules }, 'x')]
    expect(found).toHaveLength(packages.length)
    expect(found).toMatchObject(packages)
  })
})
