import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Source } from '../../src/content/ports.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Reference } from '../../src/oci/reference.ts'
import { isTag } from '../../src/oci/tag.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

type ListTags = NonNullable<Source['tags']>

/** A list of names; those that are not tags are told apart, as every source does. */
const list = (...names: readonly string[]): ListTags =>
  async function* ({ onOther } = {}) {
    for (const name of names) {
      await Promise.resolve()
      if (isTag(name)) yield name
      else onOther?.(name)
    }
  }

/** Runs a command line against a repository with some tags, or none that can be listed. */
async function run(line: string, tags?: Source['tags']) {
  const { io, out, err } = fakeIo()
  const seen: { reference?: Reference; values?: FieldValues } = {}
  const exitCode = await runCli(line.split(' '), io, {
    env: {},
    signal: new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    publish: () => Promise.reject(new Error('not asked for')),
    copyTags: () => Promise.reject(new Error('not asked for')),
    locate: reference => {
      seen.reference = reference
      const source: Source = Object.assign(new MemoryStore('r.example/a'), tags && { tags })
      return { source, name: '' }
    },
    wire: ({ values, problems }) => {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

test('tags are listed one a line, in the order of the registry', async () => {
  expect(await run('tags r.example/a --username me', list('v2', 'v1'))).toMatchObject({
    exitCode: 0,
    out: 'v2\nv1\n',
    err: '',
    reference: { kind: 'registry', host: 'r.example', repository: 'a' },
    values: { registry: 'r.example', username: 'me' },
  })
})

test('--json has them with their repository, and none is no error', async () => {
  const { out } = await run('tags r.example/a --json', list('v1'))
  expect(JSON.parse(out)).toEqual({ repository: 'r.example/a', tags: ['v1'] })
  expect(await run('tags r.example/a', list())).toMatchObject({ exitCode: 0, out: '' })
})

test('a name that is not a tag is left out of the list with a warning, and cannot steer the terminal', async () => {
  const hostile = ['v1', '../../x', 'a\u001b[2J\n::set-output', '\u202ev2']
  const { exitCode, out, err } = await run('tags r.example/a', list(...hostile))
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'v1\n' })
  expect(err).toBe('warning: left out what is not a tag: "../../x", "a\\u{1b}[2J\\u{a}::set-output", "\\u{202e}v2"\n')
})

test('a list that breaks off is not printed as if it were whole', async () => {
  const broken = await run('tags r.example/a', async function* () {
    yield* list('v1')()
    throw new OciPublishError('NOT_FOUND', 'r.example/a: could not list tags')
  })
  expect(broken).toMatchObject({ exitCode: 1, out: '', err: 'error: r.example/a: could not list tags\n' })
})

test.each([
  ['tags oci:out', 2, 'REPOSITORY: "oci:out" is no repository of a registry (inspect shows a layout)'],
  [
    'tags r.example/a:v1',
    2,
    'REPOSITORY: "r.example/a:v1" is one of them already: name the repository alone, r.example/a',
  ],
  ['tags r.example/A', 2, 'must be lowercase'],
  ['tags', 2, "missing required argument 'repository'"],
  ['tags r.example/a', 1, 'r.example/a has no list of tags'],
])('%s: exit code %i, and what is wrong', async (line, exitCode, message) => {
  const { err, out, ...rest } = await run(line)
  expect([rest.exitCode, out]).toEqual([exitCode, ''])
  expect(err).toContain(message)
})
