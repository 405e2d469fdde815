import * as v from 'valibot'
import { listOf, parse, parseJson } from '../parse.ts'
import { isDigest, type Digest } from './digest.ts'

/** image-spec v1.1.1, config.md, "history". */
export interface History {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** Docker's addition to the config; durations are in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

/** How a container of the image is run. Fields that are not named here are kept as they came. */
export interface RunConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, object>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly Healthcheck?: Healthcheck
  readonly [unknown: string]: unknown
}

/** image-spec v1.1.1, config.md. Fields that are not named here are kept as they came. */
export interface ImageConfig {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly config?: RunConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly History[]
  readonly [unknown: string]: unknown
}

const text = v.string('is not text')
const optional = <T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | null | undefined> =>
  v.nullish(schema)
const texts = v.array(text, 'is not a list')
const set = v.record(text, v.looseObject({}))

const runConfig = v.looseObject({
  User: optional(text),
  ExposedPorts: optional(set),
  Env: optional(texts),
  Entrypoint: optional(texts),
  Cmd: optional(texts),
  Volumes: optional(set),
  WorkingDir: optional(text),
  Labels: optional(v.record(text, text)),
  StopSignal: optional(text),
  Healthcheck: optional(v.looseObject({ Test: optional(texts) })),
})

const history = v.looseObject({
  created: optional(text),
  created_by: optional(text),
  author: optional(text),
  comment: optional(text),
  empty_layer: optional(v.boolean()),
})

const configSchema = v.looseObject({
  created: optional(text),
  architecture: text,
  os: text,
  variant: optional(text),
  'os.version': optional(text),
  'os.features': optional(texts),
  config: optional(runConfig),
  rootfs: v.object({
    type: v.literal('layers'),
    diff_ids: listOf(v.pipe(text, v.guard(isDigest, 'is not a digest'))),
  }),
  history: optional(v.array(history)),
})

/** @throws {OciPublishError} INVALID_DOCUMENT */
export function parseImageConfig(bytes: Uint8Array, where: string): ImageConfig {
  // config.md: a null field equals an absent one.
  return withoutNulls(parse(configSchema, parseJson(bytes, where), where)) as ImageConfig
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([key, one]) => [key, withoutNulls(one)]),
  )
}
