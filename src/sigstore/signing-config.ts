import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'

export interface ConfiguredService {
  readonly url: string
  readonly majorApiVersion: number
  /** Milliseconds since 1970. */
  readonly from: number
  /** Exclusive; Infinity without an end. */
  readonly until: number
  readonly operator: string
}

/** How many of the services have to be used: any one, all, or so many of different operators. */
export type Count = 'any' | 'all' | number

export interface SigningConfig {
  readonly where: string
  readonly certificateAuthorities: readonly ConfiguredService[]
  readonly logs: readonly ConfiguredService[]
  readonly logCount: Count
  /** Each with its whole address. */
  readonly timestampAuthorities: readonly ConfiguredService[]
  readonly timestampCount: Count
}

const TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

const object = 'is not an object'
const text = v.string('is not text')
const time = v.pipe(text, v.isoTimestamp('is not a time such as 2026-01-02T03:04:05Z'), v.transform(Date.parse))
const service = v.pipe(
  v.object(
    {
      url: v.pipe(text, v.url('is not a URL'), v.startsWith('http', 'is not http or https')),
      majorApiVersion: v.optional(v.number('is not a number'), 0),
      validFor: v.optional(v.object({ start: v.nullish(time), end: v.nullish(time) }, object)),
      operator: v.optional(text, ''),
    },
    object,
  ),
  v.transform(({ url, majorApiVersion, validFor, operator }): ConfiguredService => {
    return { url, majorApiVersion, operator, from: validFor?.start ?? -Infinity, until: validFor?.end ?? Infinity }
  }),
)
const services = v.nullish(v.array(service, 'is not a list'), [])
const selection = v.nullish(
  v.pipe(
    v.object(
      {
        selector: v.optional(v.picklist(['ANY', 'ALL', 'EXACT'], 'is not ANY, ALL or EXACT'), 'ANY'),
        count: v.optional(v.number('is not a number'), 1),
      },
      object,
    ),
    v.transform(({ selector, count }): Count => (selector === 'EXACT' ? count : selector === 'ALL' ? 'all' : 'any')),
  ),
)

const schema = v.object(
  {
    mediaType: v.literal(TYPE, `is not ${TYPE}`),
    caUrls: services,
    rekorTlogUrls: services,
    rekorTlogConfig: selection,
    tsaUrls: services,
    tsaConfig: selection,
  },
  object,
)

/**
 * Reads a signing config.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 * @see sigstore protobuf-specs v0.5, sigstore_trustroot.proto, SigningConfig
 */
export function parseSigningConfig(bytes: Uint8Array | string, where: string): SigningConfig {
  const config = parse(schema, parseJson(bytes, where), where)
  return {
    where,
    certificateAuthorities: config.caUrls,
    logs: config.rekorTlogUrls,
    logCount: config.rekorTlogConfig ?? 'any',
    timestampAuthorities: config.tsaUrls,
    timestampCount: config.tsaConfig ?? 'any',
  }
}

/**
 * Which services to use: those of now, with the highest version of their API that is known here, one of each operator,
 * the newest first.
 *
 * @param known major versions
 * @param nowMs milliseconds since 1970
 * @throws {OciPublishError} UNSUPPORTED when there are some, and fewer that fit than have to be used
 */
export function selectServices(
  services: readonly ConfiguredService[],
  { known, count, nowMs, what }: { known: readonly number[]; count: Count; nowMs: number; what: string },
): readonly ConfiguredService[] {
  if (services.length === 0) return []
  const usable = services.filter(
    ({ majorApiVersion, from, until }) => known.includes(majorApiVersion) && from <= nowMs && nowMs < until,
  )
  const version = Math.max(...usable.map(({ majorApiVersion }) => majorApiVersion))
  const newest = usable.filter(one => one.majorApiVersion === version).toSorted((a, b) => b.from - a.from)
  const operators = new Set<string>()
  const found = newest.filter(({ operator }) => {
    const isNew = !operators.has(operator)
    operators.add(operator)
    return isNew
  })
  const wanted = typeof count === 'number' ? count : 1
  if (found.length < wanted) {
    const versions = known.join(' and ')
    const message = `names ${services.length} ${what}, and ${found.length} that can be used now, with version ${versions} of the API, where ${wanted} is needed`
    throw new OciPublishError('UNSUPPORTED', message)
  }
  return count === 'all' ? found : found.slice(0, wanted)
}
