import { offsetOf, pieceBytes, piecesFor, type PiecesFacts } from '../../../src/registry/upload/pieces.ts'

const MIB = 1 << 20
const chunks = { minBytes: 5 * MIB, maxBytes: 1024 * MIB }
const facts: PiecesFacts = { mode: 'auto', chunks, size: 100 * MIB, refusedBytes: Infinity }

test.each<[name: string, more: Partial<PiecesFacts>, expected: string]>([
  ['a large blob goes in pieces when it is cut', {}, 'when-cut'],
  ['a smaller one only when it is refused', { size: 8 * MIB }, 'when-too-large'],
  [
    'one that would be a single piece goes whole, until it is refused',
    { size: 5 * MIB, mode: 'chunked' },
    'when-too-large',
  ],
  ['and no more once it was', { size: 5 * MIB, refusedBytes: 5 * MIB }, 'only'],
  ['one that is smaller than any piece goes whole', { size: MIB / 4, mode: 'chunked', refusedBytes: 1 }, 'never'],
  ['none does where the registry loses pieces, even when asked', { chunks: 'never', mode: 'chunked' }, 'never'],
  ['none does when the user forbids it', { mode: 'monolithic', refusedBytes: 1 }, 'never'],
  ['all do when the user asks', { mode: 'chunked' }, 'only'],
  ['what is no smaller than what was refused is not refused once more', { refusedBytes: 100 * MIB }, 'only'],
  ['what is smaller is tried whole', { refusedBytes: 101 * MIB }, 'when-cut'],
])('%s', (_name, more, expected) => {
  expect(piecesFor({ ...facts, ...more })).toBe(expected)
})

test.each([
  ['5 MiB by itself', chunks, 0, 5 * MIB],
  ['what the registry asks for', chunks, 16 * MIB, 16 * MIB],
  ['no less than storage takes', chunks, 1, 5 * MIB],
  ['4 MiB for GHCR', { minBytes: 4 * MIB, maxBytes: 4 * MIB }, 0, 4 * MIB],
  ['nothing absurd', chunks, 1e12, 1024 * MIB],
])('a piece has %s', (_name, profile, least, expected) => {
  expect(pieceBytes(profile, least, Infinity)).toBe(expected)
})

test.each([
  ['half of what was refused', 0, 5 * MIB, 2.5 * MIB],
  ['half of that where it is refused too', 0, 2.5 * MIB, 1.25 * MIB],
  ['what is known to be small enough', 0, 9 * MIB, 5 * MIB],
  ['no less than the registry asks for', 4 * MIB, 5 * MIB, 4 * MIB],
  ['no less than is worth a request', 0, 1, MIB / 4],
])('after a refusal a piece has %s', (_name, least, refused, expected) => {
  expect(pieceBytes(chunks, least, refused)).toBe(expected)
})

test.each([
  ['0-99', 100],
  ['0-0', 0], // of no byte, and of one: the first is what registries mean
  ['bytes=0-99', 100],
  [' 0-99 ', 100],
  ['10-99', undefined],
  ['0-', undefined],
  ['0-9999999999999999', undefined],
  [undefined, undefined],
])('the Range %p of a session means byte %p is next', (range, offset) => {
  expect(offsetOf(range)).toBe(offset)
})
