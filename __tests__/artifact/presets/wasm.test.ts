import { join } from 'node:path'
import { findFiles } from '../../../src/artifact/find-files.ts'
import { readWasm } from '../../../src/artifact/presets/wasm-binary.ts'
import { wasm } from '../../../src/artifact/presets/wasm.ts'
import { temporaryDirectory } from '../../support/peers.ts'
import { jsonOf, put, type Content } from '../files.ts'

const MODULE = Buffer.from('0061736d01000000', 'hex')
const COMPONENT = Buffer.from('0061736d0d000100', 'hex')

function leb(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
}

function section(id: number, payload: readonly number[]): readonly number[] {
  return [id, ...leb(payload.length), ...payload]
}

function name(text: string, prefix = 0): readonly number[] {
  const bytes = Buffer.from(text)
  return [prefix, ...leb(bytes.length), ...bytes]
}

function component(...sections: readonly (readonly number[])[]): Buffer {
  return Buffer.concat([COMPONENT, Buffer.from(sections.flat())])
}

/** One import of every sort, exports of two, and other sections between, one of them large. */
const EVERYTHING = component(
  section(0, [...name('meta').slice(1), 1, 2, 3]),
  section(
    7,
    Array.from({ length: 300 }, () => 0x0a),
  ),
  section(10, [
    7,
    ...[...name('wasi:cli/environment@0.2.0'), 0x05, ...leb(200)],
    ...[...name('run', 1), 0x01, 0],
    ...[...name('core'), 0x00, 0x11, 3],
    ...[...name('value'), 0x02, 0x01, 0x7f],
    ...[...name('resource'), 0x03, 0x01],
    ...[...name('same'), 0x03, 0x00, 4],
    ...[...name('inner'), 0x04, 5],
  ]),
  section(1, [...MODULE, ...Array.from({ length: 200 }, () => 0)]),
  section(10, [1, ...name('late'), 0x05, 1]),
  section(11, [
    3,
    ...[...name('wasi:cli/run@0.2.0'), 0x05, ...leb(130), 0x00],
    ...[...name('typed'), 0x01, 0, 0x01, 0x01, 9],
    ...[...name('module'), 0x00, 0x11, 0, 0x00],
  ]),
)

/**
 * What wasm-tools makes of this text: imports of an instance, a function, a resource, a core module and a type; a component
 * inside with an import and an export that are not the outer one's; exports of the instance and the function.
 */
const FROM_TEXT = Buffer.from(
  [
    '0061736d0d0001000710014202014000007304000367657401000a1f01001a776173693a636c692f656e7669726f6e6d656e',
    '7440302e322e3005000708014001016d7301000a0f0200036c6f67010100037265730301030c015002016000000301660000',
    '0a0f0200036d6f6400110000017403000204470061736d0d000100070501400001000a0d0100086e6f742d6d696e6501000b',
    '0e0100086e6f722d7468697301000000170e636f6d706f6e656e742d6e616d65000605696e6e65720b22020012776173693a',
    '636c692f72756e40302e322e300500000005616761696e010000003c0e636f6d706f6e656e742d6e616d6501060011010001',
    '6d0107010100036c6f6701080302020172030174010904010005696e6e657201050501000165',
  ].join(''),
  'hex',
)

async function found(path: string, files: Readonly<Record<string, Content>>) {
  await put(path, files)
  const request = { annotations: {}, metadata: new Map(), created: undefined, tempDir: path }
  return { ...request, files: await findFiles(Object.keys(files), { context: path }) }
}

test('a component says what it asks for and what it offers, so that hosts can refuse it before they load it', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'a.wasm': EVERYTHING })
  expect(await readWasm(join(work.path, 'a.wasm'))).toEqual({
    kind: 'component',
    imports: ['wasi:cli/environment@0.2.0', 'run', 'core', 'value', 'resource', 'same', 'inner', 'late'],
    exports: ['wasi:cli/run@0.2.0', 'typed', 'module'],
  })
})

test('a component that another tool wrote is read the same', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'a.wasm': FROM_TEXT })
  expect(await readWasm(join(work.path, 'a.wasm'))).toEqual({
    kind: 'component',
    imports: ['wasi:cli/environment@0.2.0', 'log', 'res', 'mod', 't'],
    exports: ['wasi:cli/run@0.2.0', 'again'],
  })
})

test('a component is pushed as runtimes want it: one layer, a config that names it, wasip2', async () => {
  await using work = await temporaryDirectory()
  const request = await found(work.path, { 'dir/a.wasm': component(section(11, [1, ...name('go'), 0x01, 0, 0])) })
  const annotations = { 'org.opencontainers.image.authors': 'Ann' }
  expect((await wasm.plan(request)).problems).toEqual([])
  const { config, layers, artifactType } = await wasm.parts({
    ...request,
    annotations,
    created: '2026-01-02T03:04:05Z',
  })
  expect(artifactType).toBeUndefined()
  expect(config?.descriptor.mediaType).toBe('application/vnd.wasm.config.v0+json')
  expect(layers.map(({ descriptor }) => descriptor)).toMatchObject([
    { mediaType: 'application/wasm', annotations: { 'org.opencontainers.image.title': 'dir/a.wasm' } },
  ])
  expect(await jsonOf(config)).toEqual({
    created: '2026-01-02T03:04:05Z',
    author: 'Ann',
    architecture: 'wasm',
    os: 'wasip2',
    layerDigests: [layers[0]?.descriptor.digest],
    component: { exports: ['go'], imports: [] },
  })
})

test('a module is wasip1, without a word of components, and the same on any day', async () => {
  await using work = await temporaryDirectory()
  const { config, layers } = await wasm.parts(await found(work.path, { 'm.wasm': MODULE }))
  expect(await jsonOf(config)).toEqual({
    created: '1970-01-01T00:00:00Z',
    architecture: 'wasm',
    os: 'wasip1',
    layerDigests: [layers[0]?.descriptor.digest],
  })
})

test.each<[what: string, bytes: Uint8Array, problem: string]>([
  ['text', Buffer.from('(module)'), 'it does not begin as WebAssembly does; text (.wat) has to be compiled first'],
  ['nothing', Buffer.alloc(0), 'it does not begin as WebAssembly does; text (.wat) has to be compiled first'],
  ['half a header', MODULE.subarray(0, 6), 'it does not begin as WebAssembly does'],
  ['a later version', Buffer.from('0061736d02000000', 'hex'), 'it is of version 02000000'],
  ['a component that was cut', EVERYTHING.subarray(0, -4), 'it ends in the middle of a section'],
  ['an import of an unknown sort', component(section(10, [1, ...name('a'), 0x09, 0])), 'an item of the unknown sort 9'],
  ['a name of an unknown kind', component(section(10, [1, ...name('a', 4)])), 'a name of the unknown kind 4'],
  ['more imports than bytes', component(section(10, [2, ...name('a'), 0x05, 0])), 'a section ends too early'],
  ['a name longer than its section', component(section(11, [1, 0, 99, 1])), 'a name ends too late'],
  ['a size without end', component([11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 'a number has more than 32 bits'],
])('%s is refused before anything is sent', async (_what, bytes, problem) => {
  await using work = await temporaryDirectory()
  const { problems } = await wasm.plan(await found(work.path, { 'x.wasm': bytes }))
  expect(problems).toMatchObject([{ input: 'files' }])
  expect(problems[0]?.problem).toContain(problem)
  expect(problems[0]?.problem).toContain('x.wasm is no WebAssembly that can be read')
})

test('readers take exactly one layer, so exactly one file is taken', async () => {
  await using work = await temporaryDirectory()
  const two = await found(work.path, { 'a.wasm': MODULE, 'b.wasm': MODULE })
  expect((await wasm.plan(two)).problems).toMatchObject([{ problem: 'type wasm takes one .wasm file, not 2' }])
  const directory = { ...two, files: await findFiles(['.'], { context: work.path }) }
  expect((await wasm.plan(directory)).problems).toMatchObject([
    { problem: 'type wasm takes one .wasm file, not a directory' },
  ])
})
