import { findFiles } from '../../../src/artifact/find-files.ts'
import { CLASS_WORDS, classOf } from '../../../src/artifact/presets/model-classes.ts'
import { modelpack } from '../../../src/artifact/presets/modelpack.ts'
import { temporaryDirectory } from '../../support/peers.ts'
import { jsonOf, put } from '../files.ts'

const MODEL = {
  'm/model-00001.safetensors': 'w1',
  'm/config.json': '{}',
  'm/README.md': 'doc',
  'm/src/run.py': { program: 'print()' },
}

async function planned(path: string, texts: readonly string[], metadata: Readonly<Record<string, string>> = {}) {
  const files = await findFiles(
    texts.map(text => text.split(':')[0] ?? ''),
    { context: path },
  )
  const typed = files.map((file, i) => {
    const word = texts[i]?.split(':')[1]
    return { ...file, mediaType: word === undefined ? undefined : CLASS_WORDS.get(word) }
  })
  const request = {
    files: typed,
    annotations: {},
    metadata: new Map(Object.entries(metadata)),
    created: undefined,
    tempDir: path,
  }
  const plan = await modelpack.plan(request)
  return { plan, request: { ...request, files: plan.files } }
}

test('a directory is walked to its files, each a layer as it is, with its path and its class', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, MODEL)
  const { request, plan } = await planned(work.path, ['m'], { paramSize: '8b', name: 'tiny', reasoning: 'true' })
  expect(plan.problems).toEqual([])
  const { artifactType, config, layers } = await modelpack.parts(request)
  expect(artifactType).toBe('application/vnd.cncf.model.manifest.v1+json')
  expect(config?.descriptor.mediaType).toBe('application/vnd.cncf.model.config.v1+json')
  const told = layers.map(({ descriptor: { mediaType, annotations } }) => [
    mediaType,
    annotations?.['org.cncf.model.filepath'],
    annotations?.['org.opencontainers.image.title'],
  ])
  expect(told).toEqual([
    ['application/vnd.cncf.model.doc.v1.raw', 'README.md', 'README.md'],
    ['application/vnd.cncf.model.weight.config.v1.raw', 'config.json', 'config.json'],
    ['application/vnd.cncf.model.weight.v1.raw', 'model-00001.safetensors', 'model-00001.safetensors'],
    ['application/vnd.cncf.model.code.v1.raw', 'src/run.py', 'src/run.py'],
  ])
  expect(JSON.parse(layers[3]?.descriptor.annotations?.['org.cncf.model.file.metadata+json'] ?? '')).toEqual({
    name: 'run.py',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 7,
    mtime: '1970-01-01T00:00:00Z',
    typeflag: 0,
  })
  expect(await jsonOf(config)).toEqual({
    descriptor: { name: 'tiny' },
    config: { format: 'safetensors', paramSize: '8b', capabilities: { reasoning: true } },
    modelfs: { type: 'layers', diffIds: layers.map(({ descriptor }) => descriptor.digest) },
  })
})

test('who knows the class of a file better than its name says so after the path', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'a.bin': 'a', 'b.bin': 'b' })
  const { request } = await planned(work.path, ['a.bin:dataset', 'b.bin'], { format: 'ggml', authors: 'Ann, Bob' })
  const { config, layers } = await modelpack.parts(request)
  const untested = 'org.cncf.model.file.mediatype.untested'
  expect(layers.map(({ descriptor }) => [descriptor.mediaType, descriptor.annotations?.[untested]])).toEqual([
    ['application/vnd.cncf.model.dataset.v1.raw', 'false'],
    ['application/vnd.cncf.model.weight.v1.raw', 'true'],
  ])
  expect(await jsonOf(config)).toMatchObject({ descriptor: { authors: ['Ann', 'Bob'] }, config: { format: 'ggml' } })
})

test('the order of what is said of a model does not change its digest, but the order of files does', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, MODEL)
  const digest = async (texts: readonly string[], metadata: Readonly<Record<string, string>>) =>
    (await modelpack.parts((await planned(work.path, texts, metadata)).request)).config?.descriptor.digest
  const first = await digest(['m'], { name: 'a', family: 'b' })
  expect(await digest(['m'], { family: 'b', name: 'a' })).toBe(first)
  expect(await digest(['m/src', 'm/config.json'], {})).not.toBe(await digest(['m/config.json', 'm/src'], {}))
})

test('what makes no sense of a model is told at once, with the words that there are', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'm/a.bin': 'a', 'm/link': { link: 'a.bin' }, 'n/m/a.bin': 'b' })
  const { plan } = await planned(work.path, ['m', 'n/m'], { nmae: 'x', toString: 'y', reward: 'perhaps' })
  const problems = plan.problems.map(({ input, problem }) => `${input}: ${problem.replaceAll(work.path, '')}`)
  expect(problems).toEqual([
    expect.stringMatching(/^model: "nmae" is not known; there are name, family/) as string,
    expect.stringMatching(/^model: "toString" is not known/) as string,
    'model: reward is true or false, not "perhaps"',
    'files: /m/link is a link, and layers are files; put the file itself there',
  ])
})

test('a directory without files is no model', async () => {
  await using work = await temporaryDirectory()
  await put(work.path, { 'm/link': { link: '.' } })
  const { plan } = await planned(work.path, ['m'])
  expect(plan.problems.map(({ problem }) => problem)).toContain('there is no file in them')
})

test.each([
  ['model-00001-of-00002.safetensors', 10, 'weight'],
  ['deep/Q4_K_M.GGUF', 10, 'weight'],
  ['pytorch_model.bin', 10, 'weight'],
  ['model.safetensors.index.json', 10, 'weight.config'],
  ['tokenizer.json', 10, 'weight.config'],
  ['tokenizer.model', 10, 'weight.config'],
  ['chat_template.jinja', 10, 'weight.config'],
  ['generation_config.json', 10, 'weight.config'],
  ['merges.txt', 10, 'weight.config'],
  ['README.md', 10, 'doc'],
  ['LICENSE', 10, 'doc'],
  ['modeling_tiny.py', 10, 'code'],
  ['requirements.txt', 10, 'code'],
  ['train.parquet', 10, 'dataset'],
  ['notes', 10, 'doc'],
  ['blob', 200 << 20, 'weight'],
])('%s is taken for what it is called', (path, size, expected) => {
  expect(classOf(path, size)).toBe(expected)
})
