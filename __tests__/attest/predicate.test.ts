import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAX_PREDICATE_BYTES, readPredicates } from '../../src/attest/predicate.ts'
import { InputError } from '../../src/errors.ts'

let context: string
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), 'predicates-'))
})
afterEach(() => rm(context, { recursive: true }))

async function problemsOf(types: readonly string[], paths: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await readPredicates({ types, paths, context }).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof InputError)) throw new Error(`not refused: ${String(error)}`)
  return error.problems.map(
    ({ input, problem, hint }) => `${input}: ${problem}${hint === undefined ? '' : ` (${hint})`}`,
  )
}

test('predicates are read in pairs, whatever types they have', async () => {
  await writeFile(join(context, 'scan.json'), '{"result":"clean","at":[1,2.5]}')
  await writeFile(join(context, 'vex.json'), '{"@context":"https://openvex.dev/ns/v0.2.0"}')
  const types = ['https://example.com/scan/v1', 'openvex', 'urn:example:scan']
  const paths = ['scan.json', 'vex.json', join(context, 'scan.json')]
  expect(await readPredicates({ types, paths, context })).toEqual([
    { type: 'https://example.com/scan/v1', predicate: { result: 'clean', at: [1, 2.5] } },
    { type: 'https://openvex.dev/ns', predicate: { '@context': 'https://openvex.dev/ns/v0.2.0' } },
    { type: 'urn:example:scan', predicate: { result: 'clean', at: [1, 2.5] } },
  ])
  expect(await readPredicates({ types: [], paths: [] })).toEqual([])
})

test('everything that is wrong is told at once', async () => {
  await writeFile(join(context, 'list.json'), '[]')
  await writeFile(join(context, 'broken.json'), '{')
  const problems = await problemsOf(
    ['scan', 'https://sigstore.dev/cosign/sign/v1'],
    ['list.json', 'broken.json', 'none.json'],
  )
  expect(problems).toEqual([
    'predicate-type: 2 of predicate-type and 3 of predicate-path do not match (name the type of each file, such as https://example.com/scan/v1, a line each)',
    expect.stringMatching(/^predicate-type: "scan" is not an absolute URI \(write one such as https:.*, custom\)$/),
    'predicate-type: https://sigstore.dev/cosign/sign/v1 is what signatures are made of (use "sign" for that)',
    'predicate-path: list.json: a predicate is a JSON object, this is a list',
    expect.stringMatching(/^predicate-path: broken\.json: not JSON \(/),
    expect.stringMatching(/^predicate-path: cannot read .*none\.json: ENOENT/),
  ])
})

test('a type without a file is told by the input that is missing', async () => {
  expect(await problemsOf(['custom'], [])).toEqual([
    'predicate-path: 1 of predicate-type and 0 of predicate-path do not match (name a JSON file for each type, a line each)',
  ])
})

test.each(['null', '"text"', '5'])('%s is no predicate', async json => {
  await writeFile(join(context, 'p.json'), json)
  expect(await problemsOf(['custom'], ['p.json'])).toEqual([expect.stringContaining('a predicate is a JSON object')])
})

test('a number that would be another one in the statement is refused, not changed', async () => {
  await writeFile(join(context, 'p.json'), '{"id":{"of":[9007199254740991,9007199254740993]}}')
  expect(await problemsOf(['custom'], ['p.json'])).toEqual([
    'predicate-path: p.json: a number near 9007199254740992 has more digits than JSON keeps (write it as text, in quotes)',
  ])
})

test('a file that is too large is refused before it is read', async () => {
  await writeFile(join(context, 'p.json'), '{}')
  await truncate(join(context, 'p.json'), MAX_PREDICATE_BYTES + 1)
  expect(await problemsOf(['custom'], ['p.json'])).toEqual([
    expect.stringMatching(/p\.json has 16777217 bytes, more than 16777216$/),
  ])
})

test('whoever stops the run is not told that a file is wrong', async () => {
  const signal = AbortSignal.abort(new Error('stopped'))
  await expect(readPredicates({ types: ['custom'], paths: ['none.json'], context }, { signal })).rejects.toThrow(
    'stopped',
  )
})

test('a symlink that leads out and a pipe in the tree are refused; what a shell puts in place of a file is read', async () => {
  await writeFile(join(context, 'scan.json'), '{"a":1}')
  const inner = join(context, 'inner')
  await mkdir(inner)
  await symlink('../scan.json', join(inner, 'link.json'))
  execFileSync('mkfifo', [join(inner, 'pipe.json')])
  const words = { types: ['custom'], context: inner }
  await expect(readPredicates({ ...words, paths: ['link.json'] })).rejects.toThrow(/leads out of .*follow-links/)
  await expect(readPredicates({ ...words, paths: ['pipe.json'] })).rejects.toThrow(/not a regular file|replaced/)
  expect(await readPredicates({ ...words, paths: ['link.json'], followLinks: true })).toHaveLength(1)
  await using file = await open(join(context, 'scan.json'))
  expect(await readPredicates({ ...words, paths: [`/dev/fd/${file.fd}`] })).toMatchObject([{ predicate: { a: 1 } }])
})
