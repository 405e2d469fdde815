import { planConfig, type ConfigChange, type ConfigFacts } from '../../src/image/config.ts'
import type { Digest } from '../../src/oci/digest.ts'
import type { ImageConfig } from '../../src/oci/image-config.ts'
import { parsePlatform } from '../../src/oci/platform.ts'

const diffID = (n: number): Digest => `sha256:${String(n).repeat(64)}` as Digest
const nothing: ConfigChange = { envs: [], labels: {}, ports: [], volumes: [] }
const base: ImageConfig = {
  created: '2024-01-01T00:00:00Z',
  architecture: 'arm64',
  os: 'linux',
  variant: 'v8',
  config: {
    Env: ['PATH=/bin', 'LANG=C'],
    Entrypoint: ['/base'],
    Cmd: ['--base'],
    WorkingDir: '/srv',
    Labels: { a: '1' },
    ExposedPorts: { '80/tcp': {} },
    Shell: ['bash'],
  },
  rootfs: { type: 'layers', diff_ids: [diffID(1)] },
  history: [{ created_by: 'base' }, { created_by: 'ENV', empty_layer: true }],
}
const plan = (change: Partial<ConfigChange> = {}, facts: Partial<ConfigFacts> = {}): ImageConfig =>
  planConfig({
    base,
    platform: parsePlatform('linux/arm64'),
    change: { ...nothing, ...change },
    layers: [{ diffID: diffID(2), createdBy: 'COPY app /app' }],
    created: 0,
    ...facts,
  })

describe('planConfig()', () => {
  test('a new entrypoint resets the arguments that were meant for the program of the base', () => {
    expect(plan({ entrypoint: ['/app'] }).config).toMatchObject({ Entrypoint: ['/app'] })
    expect(plan({ entrypoint: ['/app'] }).config).not.toHaveProperty('Cmd')
    expect(plan({ entrypoint: ['/app'], cmd: ['-v'] }).config).toMatchObject({ Entrypoint: ['/app'], Cmd: ['-v'] })
  })

  test('new arguments alone keep the entrypoint of the base', () => {
    expect(plan({ cmd: ['-v'] }).config).toMatchObject({ Entrypoint: ['/base'], Cmd: ['-v'] })
  })

  test('the environment is replaced in place by name and otherwise appended', () => {
    const { config } = plan({
      envs: [
        ['LANG', 'de=x'],
        ['NEW', '1'],
      ],
    })
    expect(config?.Env).toEqual(['PATH=/bin', 'LANG=de=x', 'NEW=1'])
  })

  test('an image from scratch has a PATH and a working directory, as BuildKit gives it', () => {
    const { config } = plan({}, { base: undefined })
    expect(config).toEqual({
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: '/',
    })
  })

  test.each([
    [{ workdir: 'app' }, { WorkingDir: '/srv/app' }],
    [{ workdir: '/app/../x' }, { WorkingDir: '/x' }],
    [{ labels: { b: '2' } }, { Labels: { a: '1', b: '2' } }],
    [{ ports: ['53/udp'] }, { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }],
    [{ volumes: ['/data'] }, { Volumes: { '/data': {} } }],
    [{ user: 'app:1' }, { User: 'app:1' }],
    [{ stopSignal: 'SIGINT' }, { StopSignal: 'SIGINT' }],
  ])('%j is merged into what the base has', (change, config) => {
    expect(plan(change).config).toMatchObject(config)
  })

  test('settings of the user win over settings of the base with the same name', () => {
    const based = { ...base, config: { ...base.config, User: 'base', StopSignal: 'SIGQUIT' } }
    const change = { labels: { a: '2' }, user: 'app', stopSignal: 'SIGINT', ports: ['80/tcp'] }
    expect(plan(change, { base: based }).config).toMatchObject({
      Labels: { a: '2' },
      User: 'app',
      StopSignal: 'SIGINT',
      ExposedPorts: { '80/tcp': {} },
    })
  })

  test('fields that nobody here knows survive, what tells of the build of the base does not', () => {
    const config = plan({}, { base: { ...base, 'x.vendor': [1], 'moby.buildkit.cache.v0': 'x', container: 'x' } })
    expect(config).toMatchObject({ 'x.vendor': [1], config: { Shell: ['bash'] } })
    expect(config).not.toHaveProperty(['moby.buildkit.cache.v0'])
    expect(config).not.toHaveProperty('container')
  })

  test('the platform of the base does not stay behind where the image is for another one', () => {
    const config = plan({}, { platform: parsePlatform('windows/amd64') })
    expect(config).toMatchObject({ os: 'windows', architecture: 'amd64' })
    expect(config).not.toHaveProperty('variant')
  })

  test.each([
    'moby.buildkit.cache.v0',
    'moby.buildkit.buildinfo.v1',
    'container',
    'container_config',
    'docker_version',
  ])('%s, which tells of the build of the base, is not inherited', name => {
    expect(plan({}, { base: { ...base, [name]: 'x' } })).not.toHaveProperty([name])
  })

  test('the version of Windows is that of the platform, else that of the base', () => {
    const windows = { ...base, os: 'windows', 'os.version': '10.0.1', 'os.features': ['win32k'] }
    const platform = { os: 'windows', architecture: 'amd64' }
    expect(plan({}, { base: windows, platform })).toMatchObject({ 'os.version': '10.0.1', 'os.features': ['win32k'] })
    const newer = { ...platform, 'os.version': '10.0.2', 'os.features': ['x'] }
    expect(plan({}, { base: windows, platform: newer })).toMatchObject({ 'os.version': '10.0.2', 'os.features': ['x'] })
    expect(plan()).not.toHaveProperty(['os.version'])
    expect(plan()).not.toHaveProperty(['os.features'])
  })

  test('a variant of the platform is written', () => {
    expect(plan({}, { platform: parsePlatform('linux/arm/v7') })).toMatchObject({ architecture: 'arm', variant: 'v7' })
  })

  test('what is not asked for is not written: an empty list is not an absent one to every reader', () => {
    const { architecture, os, rootfs } = base
    const { config } = plan({}, { base: { architecture, os, rootfs, config: {} } })
    expect(config).toEqual({ Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] })
    expect(plan().config).toEqual(base.config)
  })

  test.each([
    [{ ports: ['53/udp'] }, { ExposedPorts: { '53/udp': {} } }],
    [{ volumes: ['/data'] }, { Volumes: { '/data': {} } }],
    [{ labels: { a: '1' } }, { Labels: { a: '1' } }],
    [{ workdir: 'app' }, { WorkingDir: '/app' }],
    [{ healthcheck: { Test: ['NONE'] } }, { Healthcheck: { Test: ['NONE'] } }],
    [{ entrypoint: [] }, { Entrypoint: [] }],
    [{ envs: [['PATH', '/x']] as const }, { Env: ['PATH=/x'] }],
  ])('%j is written where the base has nothing of the kind', (change, config) => {
    const { architecture, os, rootfs } = base
    expect(plan(change, { base: { architecture, os, rootfs, config: {} } }).config).toMatchObject(config)
  })

  test('the environment of the base keeps its values, even one with = in it or without', () => {
    const Env = ['OPTS=a=b', 'BARE', 'PATH=/bin']
    expect(plan({ envs: [['X', '1']] }, { base: { ...base, config: { Env } } }).config?.Env).toEqual([...Env, 'X=1'])
  })

  test('arm64 is written without a variant, whatever the base wrote', () => {
    expect(plan()).toMatchObject({ os: 'linux', architecture: 'arm64' })
    expect(plan()).not.toHaveProperty('variant')
  })

  test('there is a diffID and a history entry for every layer', () => {
    const config = plan()
    expect(config.rootfs.diff_ids).toEqual([diffID(1), diffID(2)])
    expect(config.history?.filter(entry => entry.empty_layer !== true)).toHaveLength(2)
    expect(config.history?.at(-1)).toEqual({
      created: '1970-01-01T00:00:00Z',
      created_by: 'COPY app /app',
      comment: 'oci-publish',
    })
  })

  test.each([
    ['no history', undefined],
    ['too little history', [{ created_by: 'ENV', empty_layer: true }]],
    ['too much history', [{ created_by: 'a' }, { created_by: 'b' }]],
  ])('a base with %s still gives one entry a layer, or AWS Lambda refuses the image', (_name, history) => {
    const { architecture, os, rootfs } = base
    const config = plan({}, { base: { architecture, os, rootfs, ...(history && { history }) } })
    expect(config.history?.filter(entry => entry.empty_layer !== true)).toHaveLength(2)
  })

  test('what the history of the base tells too much becomes no layer, what it does not tell is filled in', () => {
    const { architecture, os } = base
    const of = (layers: number, history: readonly object[]): unknown =>
      plan(
        {},
        {
          base: {
            ...{ architecture, os, history },
            rootfs: { type: 'layers', diff_ids: Array.from({ length: layers }, (_, i) => diffID(i)) },
          },
        },
      ).history?.map(({ created_by, empty_layer }) => [created_by, empty_layer === true])
    const ours = ['COPY app /app', false]
    const filler = [expect.stringContaining('does not tell') as string, false]
    const [a, b, env] = [{ created_by: 'a' }, { created_by: 'b' }, { created_by: 'ENV', empty_layer: true }]
    expect(of(1, [a, env, b])).toEqual([['a', false], ['ENV', true], ['b', true], ours])
    expect(of(2, [a, env, b])).toEqual([['a', false], ['ENV', true], ['b', false], ours])
    expect(of(3, [a])).toEqual([['a', false], filler, filler, ours])
    expect(of(0, [])).toEqual([ours])
    expect(plan({}, { base: undefined }).history).toHaveLength(1)
    expect(plan({}, { base: undefined }).rootfs).toEqual({ type: 'layers', diff_ids: [diffID(2)] })
  })

  test('created is a whole second of UTC', () => {
    expect(plan({}, { created: 1_700_000_000 }).created).toBe('2023-11-14T22:13:20Z')
  })
})
