import { createHash } from 'node:crypto'
import type { Answer } from './answer.ts'
import { readAll } from './answer.ts'
import type { Fault } from './fault.ts'
import type { Store } from './store.ts'
import { bytesOf } from './store.ts'

/** An address that nobody has, in the range of addresses that clouds give their secrets at. */
const PRIVATE = 'http://169.254.1.1:9'

/** What is answered instead of doing the work; undefined where it is done. */
export function insteadOf(fault: Fault | undefined, target: string, elsewhere: URL): Answer | undefined {
  if (fault && 'status' in fault) {
    return { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') }
  }
  if (fault && 'redirect' in fault) return { status: 307, headers: { location: new URL(target, elsewhere).href } }
  return undefined
}

/** An answer as a fault makes it; the work is done by then. */
export async function bent(
  answer: Answer,
  fault: Fault | undefined,
  origins: { readonly url: URL; readonly elsewhere: URL },
): Promise<Answer> {
  if (!fault) return answer
  const { headers = {} } = answer
  if ('digestHeader' in fault)
    return { ...answer, headers: { ...headers, 'docker-content-digest': fault.digestHeader } }
  if ('location' in fault)
    return { ...answer, headers: { ...headers, ...relocated(headers['location'], fault, origins) } }
  if (!('truncateTo' in fault) && !('damaged' in fault)) return answer
  const bytes = await wholeOf(answer)
  if ('damaged' in fault) bytes[bytes.byteLength >> 1] = (bytes[bytes.byteLength >> 1] ?? 0) ^ 1
  const body = 'truncateTo' in fault ? bytes.subarray(0, fault.truncateTo) : bytes
  return { ...answer, body, size: body.byteLength }
}

function relocated(
  location: string | readonly string[] | undefined,
  { location: kind }: Extract<Fault, { location: unknown }>,
  { url, elsewhere }: { readonly url: URL; readonly elsewhere: URL },
): Record<string, string> {
  if (typeof location !== 'string') return {}
  const { pathname, search } = new URL(location, url)
  const path = `${pathname}${search}`
  switch (kind) {
    case 'relative':
      return { location: path }
    case 'absolute':
      return { location: new URL(path, url).href }
    case 'elsewhere':
      return { location: new URL(path, elsewhere).href }
    case 'private':
      return { location: `${PRIVATE}${path}` }
    case 'none':
      return { location: '' }
  }
}

async function wholeOf({ body = Buffer.alloc(0) }: Answer): Promise<Buffer> {
  return body instanceof Uint8Array ? Buffer.from(body) : await readAll(body)
}

/** Error codes in an answer, if it is one of errors. */
export function codesOf({ status, body }: Answer): readonly string[] {
  if (status < 400 || !(body instanceof Uint8Array)) return []
  const codes = Buffer.from(body)
    .toString('utf8')
    .matchAll(/"code":\s*"([A-Z_]+)"/g)
  return [...codes].map(([, code = '']) => code)
}

/** Points a tag of the repository that a path is about at an image that nobody here knows. */
export function moveTagAway(store: Store, path: string, tag: string): void {
  const [, name] = /^[/]v2[/](.+)[/](?:blobs|manifests|tags|referrers)[/]/.exec(path) ?? []
  if (name === undefined) return
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.byteLength,
      },
      layers: [],
      annotations: { 'org.opencontainers.image.title': 'pushed by somebody else' },
    }),
  )
  const digest = digestOf(bytes)
  const repository = store.repository(name)
  repository.blobs.set(digestOf(config), bytesOf(config))
  repository.manifests.set(digest, { digest, mediaType, bytes })
  repository.tags.set(tag, digest)
  store.landed.push({ what: 'tag', repository: name, name: tag, missing: [], bySomebodyElse: true })
}

/** Loses a manifest from the lists of referrers, or hides it there from so many reads. */
export function bendLists(store: Store, path: string, digest: string, reads: number | undefined): void {
  const [, name = ''] = /^[/]v2[/](.+)[/]manifests[/]/.exec(path) ?? []
  const { referrers } = store.repository(name)
  for (const [subject, list] of referrers) {
    if (!list.includes(digest)) continue
    if (reads !== undefined) store.hide(`${subject} ${digest}`, reads)
    else
      referrers.set(
        subject,
        list.filter(one => one !== digest),
      )
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
