import { parseRequest, type ParsedRequest } from '../../src/publish/parse-request.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { formatPlatform } from '../../src/oci/platform.ts'

const facts = { sourceDateEpoch: undefined, defaultLayout: 'out' }
const parse = (values: FieldValues): ParsedRequest => parseRequest({ layers: 'dist:/app', ...values }, facts)
const problemsOf = (values: FieldValues): readonly string[] =>
  parse({ images: 'ghcr.io/team/app', ...values }).problems.map(({ input, problem }) => `${input}: ${problem}`)

describe('parseRequest()', () => {
  test('tells every problem of a request at once', () => {
    const problems = problemsOf({
      images: 'ghcr.io/team/app,bad_host.io:x/app',
      tags: '-bad,type=sha',
      platforms: 'linux/amd65',
      layers: 'dist:relative\ndist:/ok',
      'compression-level': '12',
      push: 'maybe',
      envs: 'NOVALUE',
      index: 'sometimes',
    })
    expect(problems).toEqual([
      expect.stringContaining('images: "bad_host.io:x/app"'),
      expect.stringContaining('tags: "-bad" is not a tag'),
      expect.stringContaining('tags: "type=sha" is a tag rule'),
      expect.stringContaining('push: "maybe" is not true or false'),
      expect.stringContaining('platforms: unknown platform "linux/amd65"'),
      expect.stringContaining('index: "sometimes"'),
      expect.stringContaining('layers: "dist:relative"'),
      expect.stringContaining('envs: "NOVALUE"'),
      expect.stringContaining('compression-level: gzip has levels 1 to 9'),
    ])
  })

  test('a bare tag is for every image, one with a slash is a reference of its own', () => {
    const { request } = parse({ images: 'ghcr.io/team/app\nlocalhost:5000/app:x', tags: 'v1,quay.io/other/app:v2' })
    expect(request.outputs).toEqual([
      expect.objectContaining({ image: { kind: 'registry', host: 'ghcr.io', repository: 'team/app' }, tags: ['v1'] }),
      expect.objectContaining({
        image: { kind: 'registry', host: 'localhost:5000', repository: 'app' },
        tags: ['x', 'v1'],
      }),
      expect.objectContaining({
        image: { kind: 'registry', host: 'quay.io', repository: 'other/app' },
        tags: ['v2', 'v1'],
      }),
    ])
  })

  test('an uppercase repository is lower-cased with a notice, the tag keeps its case', () => {
    const { request, notices } = parse({ images: 'ghcr.io/Team/App:V1' })
    expect(request.outputs[0]).toMatchObject({ image: { repository: 'team/app' }, tags: ['V1'] })
    expect(notices).toEqual([expect.stringContaining('ghcr.io/team/app')])
  })

  test.each([
    [{ push: 'false' }, [{ kind: 'oci', path: 'out', tags: ['v1'] }]],
    [{ push: 'false', outputs: 'type=oci,dest=a.tar' }, [{ kind: 'oci-archive', path: 'a.tar' }]],
    [{ push: 'false', outputs: 'type=oci,dest=a,tar' }, [{ kind: 'oci-archive', path: 'a' }]],
    [{ push: 'false', outputs: 'type=oci,dest=a.tar,tar=false' }, [{ kind: 'oci', path: 'a.tar' }]],
    [{ outputs: 'type=registry' }, [{ kind: 'registry' }]],
    [{ outputs: 'type=oci,dest=a' }, [{ kind: 'registry' }, { kind: 'oci', path: 'a' }]],
  ])('%j writes %j', (values, outputs) => {
    const { request, problems } = parse({ images: 'ghcr.io/team/app', tags: 'v1', ...values })
    expect(problems).toEqual([])
    expect(request.outputs).toEqual(outputs.map(output => expect.objectContaining(output) as unknown))
  })

  test.each([
    ['type=local,dest=a', 'the type is oci or registry'],
    ['dest=a', 'the type is oci or registry, not left out'],
    ['type=oci', 'dest= is missing'],
    ['type=oci,dest=a,tar=maybe', 'tar is true or false'],
    ['type=oci,dest=a,compression=zstd', 'compression is not known here'],
  ])('outputs: %s is refused', (outputs, because) => {
    expect(problemsOf({ outputs })).toEqual([expect.stringContaining(because)])
  })

  test('platforms are normalised, each once, in the order given', () => {
    const { request } = parse({ images: 'a/b', platforms: 'linux/arm64/v8, linux/amd64\nlinux/aarch64' })
    expect(request.platforms.map(formatPlatform)).toEqual(['linux/arm64', 'linux/amd64'])
  })

  test.each([
    ['/app --flag "two words" \'it\'', ['/app', '--flag', 'two words', 'it']],
    ['["/app","-x"]', ['/app', '-x']],
    ['/app\n--flag x', ['/app', '--flag x']],
    ['/app a\\ b', ['/app', 'a b']],
    ['[]', []],
  ])('entrypoint %j is %j', (entrypoint, words) => {
    expect(parse({ images: 'a/b', entrypoint }).request.config.entrypoint).toEqual(words)
  })

  test.each([
    [{ entrypoint: '/app "open' }, 'entrypoint: /app "open has a quote that does not end'],
    [{ entrypoint: '["a", 1]' }, 'is not a JSON array of words'],
    [{ ports: '70000' }, 'ports: "70000" is not a port'],
    [{ ports: '9-8' }, 'ports: "9-8" is not a port'],
    [{ volumes: 'data' }, 'volumes: "data" is not an absolute path'],
    [{ 'stop-signal': 'please' }, 'stop-signal: "please" is not a signal'],
    [{ healthcheck: '--often=1s CMD x' }, 'healthcheck: --often is not an option'],
    [{ healthcheck: '--interval=1us CMD x' }, 'healthcheck: "1us" is less than a millisecond'],
    [{ healthcheck: 'curl localhost' }, 'healthcheck: it is NONE, or options'],
    [{ platforms: 'windows/amd64' }, 'platforms: windows/amd64: layers for Windows'],
    [{ platforms: 'linux/amd64,linux/arm64', index: 'never' }, 'index: "never", but 2 platforms need an index'],
    [{ types: 'docker', compression: 'zstd' }, `compression: Docker's media types have no zstd layer`],
    [{ types: 'docker', annotations: 'a=b' }, `annotations: Docker's manifests have none`],
    [{ annotations: 'a' }, 'annotations: "a": it is not [LEVEL:]KEY=VALUE'],
    [{ annotations: 'shelf:a=b' }, 'there are the levels'],
    [{ 'on-existing-tag': 'ask' }, 'on-existing-tag: "ask" is not one of overwrite, fail, skip'],
    [{ 'base-image': 'ghcr.io/Base:1' }, 'base-image: "ghcr.io/Base:1" is not an image reference'],
    [{ images: '' }, 'images: say where to publish to'],
    [{ layers: '' }, 'layers: without layers and without a base-image there is nothing to publish'],
    [{ images: `a/b@sha256:${'0'.repeat(64)}` }, 'names a digest; a publication makes its own'],
    [{ compression: 'none', 'compression-level': '1' }, 'compression-level: "compression: none" has no level'],
  ])('%j is refused: %s', (values, because) => {
    expect(problemsOf(values)).toEqual([expect.stringContaining(because)])
  })

  test.each([
    ['a=b', { levels: ['index', 'manifest'], key: 'a', value: 'b' }],
    ['index:a=b=c', { levels: ['index'], key: 'a', value: 'b=c' }],
    ['manifest-descriptor:a=', { levels: ['manifest-descriptor'], key: 'a', value: '' }],
    ['manifest[linux/arm64]:a=b', { levels: ['manifest'], platform: { os: 'linux', architecture: 'arm64' }, key: 'a' }],
    ['org.example/x=http://y', { levels: ['index', 'manifest'], key: 'org.example/x', value: 'http://y' }],
  ])('annotation %s', (line, rule) => {
    const { request, problems } = parse({ images: 'a/b', annotations: line })
    expect(problems).toEqual([])
    expect(request.annotations).toEqual([expect.objectContaining(rule)])
  })

  test('several levels before one colon are a rule each', () => {
    expect(parse({ images: 'a/b', annotations: 'index,manifest:a=b' }).request.annotations).toHaveLength(2)
  })

  test.each([
    [{}, undefined, undefined],
    [{}, '1700000000', 1_700_000_000],
    [{ 'source-date-epoch': '5' }, '1700000000', 5],
  ])('SOURCE_DATE_EPOCH: input %j, environment %s', (values, environment, epoch) => {
    const { request } = parseRequest({ images: 'a/b', ...values }, { ...facts, sourceDateEpoch: environment })
    expect(request.sourceDateEpoch).toBe(epoch)
  })

  test('healthchecks are written as Docker does, in nanoseconds', () => {
    const { request } = parse({
      images: 'a/b',
      healthcheck: '--interval=1m30s --retries=3 CMD curl -f http://x || exit 1',
    })
    expect(request.config.healthcheck).toEqual({
      Test: ['CMD-SHELL', 'curl -f http://x || exit 1'],
      Interval: 90e9,
      Retries: 3,
    })
  })
})
