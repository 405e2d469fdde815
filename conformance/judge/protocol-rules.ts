import type { SeenRequest } from '../server/seen.ts'
import type { Evidence, Rule, Witness } from './evidence.ts'
import { hadFault, isHealthy } from './evidence.ts'

const UPLOAD = /[/]blobs[/]uploads[/][^/?]+/

function everyRequest({ witnesses }: Evidence): readonly SeenRequest[] {
  return witnesses.flatMap(({ registry }) => registry.requests)
}

/** Requests that bring bytes of a blob. */
function uploadsOf(evidence: Evidence): readonly SeenRequest[] {
  return everyRequest(evidence).filter(({ method, path, headers }) => {
    if (method !== 'PUT' && method !== 'PATCH') return false
    return UPLOAD.test(path) && headers['content-length'] !== '0'
  })
}

const say = ({ method, path, status, codes }: SeenRequest): string =>
  [method, path.replace(/([0-9a-f]{8})[0-9a-f-]{20,}/g, '$1…'), status === 0 ? '' : `${status}`, ...codes]
    .filter(word => word !== '')
    .join(' ')

const written = ({ witnesses }: Evidence): readonly Witness[] => witnesses.filter(({ role }) => role !== 'source')

/** distribution-spec, as far as a registry can see whether a client follows it. */
export const PROTOCOL_RULES: readonly Rule[] = [
  {
    name: 'sends blobs as application/octet-stream',
    level: 'should',
    find: evidence =>
      uploadsOf(evidence)
        .filter(({ headers }) => headers['content-type'] !== 'application/octet-stream')
        .map(seen => `${say(seen)}: Content-Type ${seen.headers['content-type'] ?? 'is missing'}`)
        .slice(0, 1),
  },
  {
    name: 'says how long a blob is',
    level: 'must',
    find: evidence =>
      uploadsOf(evidence)
        .filter(({ headers }) => headers['content-length'] === undefined)
        // A stream of unknown length has no Content-Range either; registries take it, the specification knows it not.
        .filter(({ method, headers }) => method === 'PUT' || headers['content-range'] !== undefined)
        .map(seen => `${say(seen)}: Content-Length is missing`),
  },
  {
    name: 'keeps Content-Range and Content-Length together',
    level: 'must',
    find: evidence => answered(evidence, 400, 'SIZE_INVALID'),
  },
  {
    name: 'sends the bytes that it names',
    level: 'must',
    find: evidence =>
      // What is damaged at the source may be found out here at the latest; chunks that a registry drops, too.
      hadFault(evidence, 'damaged', 'truncateTo', 'cutRequestAfter') || dropsChunks(evidence)
        ? []
        : answered(evidence, 400, 'DIGEST_INVALID'),
  },
  {
    name: 'follows the newest Location',
    level: 'must',
    find: evidence => {
      // ghcr refuses chunks with 416 for their length, which nobody can know before.
      const { personality, expect } = evidence.case
      if (!isHealthy(evidence) || personality === 'ghcr' || expect !== 'done') return []
      return [[404, 'BLOB_UPLOAD_INVALID'] as const, [403] as const, [416] as const].flatMap(([status, code]) =>
        answered(evidence, status, code, UPLOAD),
      )
    },
  },
  {
    name: 'pushes nothing before what it needs',
    level: 'must',
    find: evidence => [
      ...written(evidence).flatMap(({ registry }) =>
        registry.landed
          .filter(({ missing }) => missing.length > 0)
          .map(({ what, name, missing }) => `${what} ${name} before ${missing.join(', ')}`),
      ),
      ...(hadFault(evidence, 'lagReads') ? [] : answered(evidence, 400, 'MANIFEST_BLOB_UNKNOWN')),
    ],
  },
  {
    name: 'moves no tag but its own',
    level: 'must',
    find: evidence => {
      const { job } = evidence
      if (!('target' in job)) return []
      return written(evidence)
        .flatMap(({ registry }) => registry.landed)
        .filter(({ what, name, bySomebodyElse }) => what === 'tag' && name !== job.target.tag && !bySomebodyElse)
        .filter(({ name }) => !/^sha(?:256|512)-/.test(name)) // lists of referrers
        .map(({ name }) => `it moved ${name}`)
    },
  },
  {
    name: 'ends the uploads that it began',
    level: 'should',
    find: evidence => {
      if (evidence.ended.exitCode === undefined) return []
      return written(evidence)
        .filter(({ registry }) => registry.leftUploads > 0 && !hidesUploads(registry.requests))
        .map(({ registry }) => `${registry.leftUploads} left open`)
    },
  },
  {
    name: 'comes back no sooner than Retry-After says',
    level: 'should',
    find: evidence =>
      evidence.witnesses.flatMap(({ registry: { requests } }) =>
        requests.flatMap((seen, at) => {
          // Uploads of several blobs begin in the same words, and some may be under way.
          if (seen.retryAfterMs === 0 || seen.method === 'POST') return []
          const again = requests.slice(at + 1).find(({ method, path }) => method === seen.method && path === seen.path)
          const waitedMs = again ? again.at - seen.at : Infinity
          return waitedMs < seen.retryAfterMs - SLACK_MS
            ? [`${say(seen)} again after ${Math.round(waitedMs)} ms, not ${seen.retryAfterMs}`]
            : []
        }),
      ),
  },
  {
    name: 'takes a final answer for one',
    level: 'must',
    find: evidence =>
      [...Map.groupBy(everyRequest(evidence).filter(isFinal), say)]
        // Content that shows late is worth another try.
        .filter(([what]) => !hadFault(evidence, 'lagReads') || !what.endsWith(' MANIFEST_BLOB_UNKNOWN'))
        // Uploads of several blobs begin in the same words.
        .filter(([what, all]) => all.length > MAX_SAME * (what.startsWith('POST') ? evidence.sample.blobs.size : 1))
        .map(([what, all]) => `${what}: ${all.length} times`),
  },
  {
    name: 'asks no more than it takes',
    level: 'must',
    find: evidence => {
      const { sample } = evidence
      const parts = sample.blobs.size + sample.manifests.length
      return evidence.witnesses.flatMap(({ registry: { requests } }) => {
        const struck = requests.filter(({ fault }) => fault !== undefined).length
        const most = 20 + 8 * parts + 12 * struck
        return requests.length > most ? [`${requests.length} requests, where ${most} are many`] : []
      })
    },
  },
  {
    name: 'sends no more than it takes',
    level: 'must',
    find: evidence => {
      const sent = uploadsOf(evidence).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      if (evidence.case.sendsNothing) return sent > 0 ? [`${sent} bytes of blobs that are there`] : []
      // What is attached is of no sample.
      if (['attach', 'sign'].includes(evidence.job.do)) return []
      if (!isHealthy(evidence) || dropsChunks(evidence) || evidence.case.options?.maxBodyBytes !== undefined) return []
      const needed = [...evidence.sample.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
      return sent > needed ? [`${sent} bytes of blobs, where ${needed} are needed`] : []
    },
  },
]

const SLACK_MS = 50
const MAX_SAME = 3

/** Statuses that asking again does not change. */
function isFinal({ status }: SeenRequest): boolean {
  return [400, 403, 405, 409, 412, 413].includes(status)
}

/** Uploads that could not be ended, or that a fault said were gone. */
function hidesUploads(requests: readonly SeenRequest[]): boolean {
  return requests.some(
    ({ method, path, fault, status }) =>
      (method === 'DELETE' && (fault !== undefined || status >= 400)) ||
      (UPLOAD.test(path) && status === 404 && fault !== undefined && 'status' in fault),
  )
}

function dropsChunks({ witnesses }: Evidence): boolean {
  return witnesses.some(({ registry }) => registry.chunks === 'only-first')
}

/** Answers that a client that follows the specification does not get, but for those that a fault made. */
function answered(evidence: Evidence, status: number, code?: string, path = /^[/]v2[/]/): readonly string[] {
  return everyRequest(evidence)
    .filter(seen => path.test(seen.path))
    .filter(({ fault }) => fault === undefined || !('status' in fault))
    .filter(seen => seen.status === status && (code === undefined || seen.codes.includes(code)))
    .map(say)
    .slice(0, 1)
}
