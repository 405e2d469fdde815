import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { InputError, type InputProblem } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { sampleDigest, sampleReport } from '../tell/sample-report.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const TYPE = 'application/vnd.example.thing'

const report = sampleReport({
  artifactType: TYPE,
  platforms: [],
  base: undefined,
  layers: [
    { title: 'weights.bin', digest: sampleDigest('w'), mediaType: 'application/octet-stream', size: 5_000_000 },
    { digest: sampleDigest('z'), mediaType: 'archive/zip', size: 10 },
  ],
})

/** Runs a command line on a use case that does as it is told. */
async function run(line: string, outcome: () => Promise<typeof report> = () => Promise.resolve(report)) {
  const { io, out, err } = fakeIo()
  const seen: { values?: FieldValues } = {}
  let wrong: readonly InputProblem[] = []
  const exitCode = await runCli(line.split(' '), io, {
    env: {},
    signal: new AbortController().signal,
    ...ARTIFACT_PARTS,
    version: '1.2.3',
    copy: () => Promise.reject(new Error('not asked for')),
    locate: () => ({ source: new MemoryStore(), name: '' }),
    publish: values => {
      if (wrong.length > 0) return Promise.reject(new InputError(wrong)) // as it does by its deps
      seen.values = values
      return outcome()
    },
    wire: ({ problems }) => {
      wrong = problems
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

test('what is typed after "artifact push" is what a publication of files is asked for with', async () => {
  const flags = '--type modelpack --model name=x --model format=gguf --annotations a=b --config c.json:a/b --tags v2'
  const { exitCode, values } = await run(`artifact push r.example/a/b:v1 one two:text/plain ${flags} --dry-run`)
  expect(exitCode).toBe(0)
  expect(values).toEqual({
    images: ['r.example/a/b:v1'],
    files: ['one', 'two:text/plain'],
    tags: ['v2'],
    'artifact-preset': 'modelpack',
    'artifact-model': ['name=x', 'format=gguf'],
    'artifact-config': 'c.json:a/b',
    annotations: ['a=b'],
    'dry-run': 'true',
  })
})

test('a layout is written like a registry', async () => {
  const { values } = await run(`artifact push oci:out:v1 one --artifact-type ${TYPE}`)
  expect(values).toMatchObject({
    images: [],
    outputs: ['type=oci,dest=out'],
    push: 'false',
    tags: ['v1'],
    'artifact-type': TYPE,
  })
  expect((await run('artifact push oci-archive:out.tar one')).values).toMatchObject({
    outputs: ['type=oci,dest=out.tar,tar'],
    tags: [],
  })
})

test('files are told by name, size and type', async () => {
  const { out, err } = await run('artifact push r.example/a:v1 one')
  expect(out).toBe(report.refs.map(ref => `${ref}\n`).join(''))
  expect(err).toContain(`published ${report.digest}, ${TYPE} of 2 files, in `)
  expect(err).toMatch(/ {2}sha256:\w{12} {2}5\.0 MB {2}weights\.bin \(application\/octet-stream\)\n/)
  expect(err).toMatch(/ {2}sha256:\w{12} +10 B {2}\(archive\/zip\)\n/)
  expect(JSON.parse((await run('artifact push r.example/a:v1 one --json')).out)).toMatchObject({ artifactType: TYPE })
})

test('problems are told in the words of this command, not of the action', async () => {
  const inputs = [
    'files',
    'images',
    'artifact-preset',
    'artifact-config',
    'artifact-model',
    'annotations',
    'artifact-type',
  ]
  const { exitCode, err } = await run('artifact push r.example/a:v1 one', () =>
    Promise.reject(new InputError(inputs.map(input => ({ input, problem: 'wrong' })))),
  )
  expect(exitCode).toBe(2)
  const names = [...err.matchAll(/^ {2}(\S+): wrong$/gm)].map(([, name]) => name)
  expect(names).toEqual(['FILES', 'TO', '--type', '--config', '--model', '--annotations', '--artifact-type'])
})

test.each([
  ['artifact push r.example/a', "missing required argument 'files'"],
  ['artifact push r.example/a:-x one', 'TO: '],
  ['artifact push r.example/a one --layers x', "unknown option '--layers'"],
])('"%s" is wrong before anything is done', async (line, said) => {
  const { exitCode, err, values } = await run(line)
  expect([exitCode, values]).toEqual([2, undefined])
  expect(err).toContain(said)
})
