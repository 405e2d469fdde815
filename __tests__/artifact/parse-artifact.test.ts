import { limitProblems } from '../../src/artifact/limits.ts'
import { parseArtifact, type ArtifactWords } from '../../src/artifact/parse-artifact.ts'
import type { Output } from '../../src/content/places.ts'

function parsed(words: Partial<ArtifactWords>) {
  return parseArtifact({
    outputs: [],
    files: ['a'],
    context: '.',
    onExistingTag: 'overwrite',
    dryRun: false,
    ...words,
  })
}

test('the time is that of SOURCE_DATE_EPOCH, not of the clock: without it an artifact has none', () => {
  expect(parsed({})).toMatchObject({ annotations: {}, created: undefined, problems: [] })
  const created = '2001-09-09T01:46:40Z'
  const key = 'org.opencontainers.image.created'
  expect(parsed({ sourceDateEpoch: 1_000_000_000 })).toMatchObject({ annotations: { [key]: created }, created })
  expect(parsed({ sourceDateEpoch: 0, annotations: [`${key}=mine`] }).annotations).toEqual({ [key]: 'mine' })
})

test('an annotation may have an equals sign in its value, and no value', () => {
  expect(parsed({ annotations: ['a=b=c', 'd='] }).annotations).toEqual({ a: 'b=c', d: '' })
})

test.each<[problem: string, words: Partial<ArtifactWords>]>([
  ['files: there is none; name a file or a directory', { files: [] }],
  ['type: "zip" is not one of modelpack, wasm, flux, opentofu', { preset: 'zip' }],
  [
    'artifact-type: "thing" is not a media type such as application/vnd.example.thing.v1+json',
    { artifactType: 'thing' },
  ],
  ['artifact-type: type flux has one of its own', { preset: 'flux', artifactType: 'a/b' }],
  ['config: type wasm has one of its own', { preset: 'wasm', config: 'a.json' }],
  ['annotations: "k" is not KEY=VALUE', { annotations: ['k'] }],
  ['annotations: "=v" is not KEY=VALUE', { annotations: ['=v'] }],
  ['model: there is no model; it goes with type modelpack', { metadata: ['name=x'] }],
  ['model: there is no model; it goes with type modelpack', { metadata: ['name=x'], preset: 'flux' }],
  ['model: "name" is not KEY=VALUE', { metadata: ['name'], preset: 'modelpack' }],
])('%s', (problem, words) => {
  const { problems } = parsed(words)
  expect(problems.map(one => `${one.input}: ${one.problem}`)).toEqual([problem])
})

test('a file that a registry is known to refuse is told before hours of upload', () => {
  const file = {
    path: 'weights.bin',
    title: 'weights.bin',
    mediaType: undefined,
    absolutePath: '/weights.bin',
    size: 11 * 2 ** 30,
    isExecutable: false,
    found: { dev: 0, ino: 0 },
    entries: undefined,
  }
  const at = (host: string): Output => ({
    kind: 'registry',
    image: { kind: 'registry', host, repository: 'team/model' },
    tags: [],
  })
  expect(limitProblems([file, { ...file, size: 2 ** 30 }], [at('ghcr.io'), at('r.example')])).toEqual([
    {
      input: 'files',
      problem: 'weights.bin has 11811160064 bytes, and ghcr.io/team/model takes layers of 10737418240 at most',
      hint: 'part it into smaller files, or publish it to another registry',
    },
  ])
})
