import { posix } from 'node:path'
import type { Digest } from '../oci/digest.ts'
import type { Healthcheck, History, ImageConfig, RunConfig } from '../oci/image-config.ts'
import type { Platform } from '../oci/platform.ts'

/** What a request says about how the image is run; what it does not say comes from the base. */
export interface ConfigChange {
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly workdir?: string
  /** In order; a later one of the same name wins. */
  readonly envs: readonly (readonly [name: string, value: string])[]
  readonly user?: string
  readonly labels: Readonly<Record<string, string>>
  /** `8080/tcp`. */
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly stopSignal?: string
  readonly healthcheck?: Healthcheck
}

/** What one new layer adds to the config. */
interface LayerRecord {
  readonly diffID: Digest
  /** For `history`: `COPY dist/server /usr/local/bin/server`. */
  readonly createdBy: string
}

export interface ConfigFacts {
  /** undefined is scratch. */
  readonly base: ImageConfig | undefined
  readonly platform: Platform
  readonly change: ConfigChange
  readonly layers: readonly LayerRecord[]
  /** Seconds since 1970. */
  readonly created: number
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const NOT_INHERITED = new Set([
  // What the platform says is set anew, so that a variant of the base does not stay behind.
  'architecture',
  'os',
  'variant',
  'os.version',
  'os.features',
  // How the base was built (its caches, the container it was committed from) is not true of us.
  'moby.buildkit.cache.v0',
  'moby.buildkit.buildinfo.v1',
  'container',
  'container_config',
  'docker_version',
])

/**
 * The config of a new image: the base's with the change on top, as BuildKit inherits it. Fields that nobody here knows
 * are kept as they came.
 */
export function planConfig({ base, platform, change, layers, created }: ConfigFacts): ImageConfig {
  const time = new Date(created * 1000).toISOString().replace('.000Z', 'Z')
  const kept = Object.entries(base ?? {}).filter(([key]) => !NOT_INHERITED.has(key))
  return {
    ...Object.fromEntries(kept),
    created: time,
    ...platformOf(platform, base),
    config: planRunConfig(base?.config ?? { WorkingDir: '/' }, change),
    rootfs: { type: 'layers', diff_ids: [...(base?.rootfs.diff_ids ?? []), ...layers.map(({ diffID }) => diffID)] },
    history: [
      ...baseHistory(base),
      ...layers.map(({ createdBy }) => ({ created: time, created_by: createdBy, comment: 'oci-publish' })),
    ],
  }
}

function platformOf(platform: Platform, base: ImageConfig | undefined): Platform {
  const version = platform['os.version'] ?? base?.['os.version']
  const features = platform['os.features'] ?? base?.['os.features']
  return {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    ...(version !== undefined && { 'os.version': version }),
    ...(features !== undefined && { 'os.features': features }),
  }
}

function planRunConfig(base: RunConfig, change: ConfigChange): RunConfig {
  const { Cmd, ...withoutCmd } = base
  // A new ENTRYPOINT resets CMD: the base's arguments were meant for the base's program.
  const inherited = change.entrypoint !== undefined || Cmd === undefined ? withoutCmd : base
  const workdir = change.workdir
  return {
    ...inherited,
    ...(change.user !== undefined && { User: change.user }),
    ...(change.ports.length > 0 && { ExposedPorts: union(base.ExposedPorts, change.ports) }),
    Env: planEnv(base.Env ?? [], change.envs),
    ...(change.entrypoint !== undefined && { Entrypoint: change.entrypoint }),
    ...(change.cmd !== undefined && { Cmd: change.cmd }),
    ...(change.volumes.length > 0 && { Volumes: union(base.Volumes, change.volumes) }),
    ...(workdir !== undefined && { WorkingDir: posix.resolve('/', base.WorkingDir ?? '/', workdir) }),
    ...(Object.keys(change.labels).length > 0 && { Labels: { ...base.Labels, ...change.labels } }),
    ...(change.stopSignal !== undefined && { StopSignal: change.stopSignal }),
    ...(change.healthcheck !== undefined && { Healthcheck: change.healthcheck }),
  }
}

function union(base: Readonly<Record<string, object>> = {}, names: readonly string[]): Record<string, object> {
  return { ...base, ...Object.fromEntries(names.map(name => [name, {}])) }
}

/** Replaced where the base has the name, appended otherwise; a PATH is always there. */
function planEnv(base: readonly string[], changes: readonly (readonly [string, string])[]): readonly string[] {
  const env = new Map<string, string>()
  for (const entry of base) env.set(entry.split('=', 1)[0] ?? entry, entry)
  for (const [name, value] of changes) env.set(name, `${name}=${value}`)
  if (!env.has('PATH')) env.set('PATH', DEFAULT_PATH)
  return [...env.values()]
}

/**
 * Some readers (AWS Lambda among them) refuse an image whose history does not tell of every layer, so gaps of the base
 * are filled and what it tells too much is marked as no layer.
 */
function baseHistory(base: ImageConfig | undefined): readonly History[] {
  if (!base) return []
  const layers = base.rootfs.diff_ids.length
  let told = 0
  const history = (base.history ?? []).map(entry => {
    if (entry.empty_layer === true) return entry
    told++
    return told > layers ? { ...entry, empty_layer: true } : entry
  })
  const missing = Math.max(0, layers - told)
  const filler: History = {
    created_by: 'layer of the base image, whose history does not tell of it',
    comment: 'oci-publish',
  }
  return [...history, ...Array.from({ length: missing }, () => filler)]
}
