import type { Blob } from '../../src/content/blob.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parseRepository } from '../../src/oci/repository.ts'
import { Access } from '../../src/registry/access.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { download } from '../../src/registry/download.ts'
import type { RegistryEvent } from '../../src/registry/event.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { handClock } from './hand-clock.ts'
import { scripted, type Said, type ScriptedTransport, type Seen, type Server } from './scripted.ts'

const bytes = new Uint8Array(100).map((_, i) => i)
const blob: Blob = bytesBlob({ bytes, descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size: 100 } })

function sourceOf(server: Server): { source: Target; transport: ScriptedTransport; events: RegistryEvent[] } {
  const events: RegistryEvent[] = []
  const onEvent = (event: RegistryEvent): void => {
    events.push(event)
  }
  const transport = scripted(server)
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
  const deps = { hosts, side: 'source', sleep: () => Promise.resolve(), random: () => 0, onEvent } as const
  return { transport, events, source: openRepository({ host: 'reg.example.com', repository: 'team/app' }, deps) }
}

const read = (source: Target, offset?: number): Promise<number[]> =>
  readAll(source.open(blob.descriptor, { offset }), { maxBytes: 1_000, what: 'blob' }).then(all => [...all])

const whole = { status: 200, headers: { 'content-length': '100' }, body: bytes }

/** As registries serve ranges. */
function ranged({ headers }: Seen): Said {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? []
  if (first === undefined || last === undefined) return whole
  const range = `bytes ${first}-${last}/100`
  return { status: 206, headers: { 'content-range': range }, body: bytes.subarray(Number(first), Number(last) + 1) }
}

describe('a download', () => {
  test('that is cut goes on where it stopped, with the end of the range named', async () => {
    let requests = 0
    const { source, transport } = sourceOf(request => {
      const said = ranged(request)
      return ++requests < 4 ? { ...said, cutAfter: 10 } : said
    })
    expect(await read(source)).toEqual([...bytes])
    expect(transport.seen.map(({ headers }) => headers['range'])).toEqual([
      undefined,
      'bytes=10-99',
      'bytes=20-99',
      'bytes=30-99',
    ])
  })

  test('tells once of every time that it goes on: why, after what, and from where', async () => {
    let requests = 0
    const { source, events } = sourceOf(request => {
      const said = ranged(request)
      return ++requests < 3 ? { ...said, cutAfter: 10 } : said
    })
    await read(source)
    const told = { type: 'download-resume', host: 'reg.example.com', repository: 'team/app', reason: 'ECONNRESET' }
    expect(events).toEqual([
      { ...told, digest: blob.descriptor.digest, attempt: 1, waitMs: 0, offset: 10 },
      { ...told, digest: blob.descriptor.digest, attempt: 2, waitMs: 0, offset: 20 },
    ])
  })

  test('from a registry that knows no ranges steps over what it has', async () => {
    let requests = 0
    const { source } = sourceOf(() => (++requests === 1 ? { ...whole, cutAfter: 60 } : whole))
    expect(await read(source)).toEqual([...bytes])
  })

  test('that ends too early without an error goes on, too', async () => {
    let requests = 0
    const { source } = sourceOf(request =>
      ++requests === 1 ? { status: 200, body: bytes.subarray(0, 5) } : ranged(request),
    )
    expect(await read(source)).toEqual([...bytes])
  })

  test('that never gets anywhere ends', async () => {
    const { source, transport } = sourceOf(request => ({ ...ranged(request), cutAfter: 1 }))
    await expect(read(source)).rejects.toMatchObject({ name: 'RegistryError', side: 'source', status: 0 })
    expect(transport.seen).toHaveLength(4)
  })

  test('of other bytes is an error, however many there are', async () => {
    const { source } = sourceOf(() => ({ ...whole, body: new Uint8Array(100) }))
    await expect(read(source)).rejects.toMatchObject({ name: 'IntegrityError' })
  })

  test('of another size is refused before it is read', async () => {
    const { source } = sourceOf(() => ({ ...whole, headers: { 'content-length': '1000000' } }))
    await expect(read(source)).rejects.toThrow(
      /reg\.example\.com\/team\/app@sha256:\S+ expected 100 bytes, got 1000000/,
    )
  })

  test.each([
    ['begins elsewhere', 'bytes 0-89/100'],
    ['ends elsewhere', 'bytes 10-89/100'],
    ['is not said to be one', ''],
  ])('is not made of a range that %s', async (_name, range) => {
    const { source } = sourceOf(() => ({ status: 206, headers: { 'content-range': range }, body: bytes.subarray(10) }))
    await expect(read(source, 10)).rejects.toMatchObject({ name: 'IntegrityError' })
  })

  test('from an offset asks for the rest only', async () => {
    const { source } = sourceOf(ranged)
    expect(await read(source, 90)).toEqual([...bytes.subarray(90)])
    expect(await read(source, 100)).toEqual([])
  })

  test('of what is not there says so', async () => {
    const { source } = sourceOf(() => ({
      status: 404,
      body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}',
    }))
    await expect(read(source)).rejects.toMatchObject({ code: 'NOT_FOUND', codes: ['BLOB_UNKNOWN'] })
  })

  test('stops at once when the user stops', async () => {
    const controller = new AbortController()
    const reason = new Error('stop')
    const { source } = sourceOf(() => {
      controller.abort(reason)
      return { ...whole, cutAfter: 10 }
    })
    const reading = readAll(source.open(blob.descriptor, { signal: controller.signal }), {
      maxBytes: 1_000,
      what: 'blob',
    })
    await expect(reading).rejects.toBe(reason)
  })
})

describe('a download of which no byte comes', () => {
  const MINUTE_MS = 60_000

  /** The waits before another attempt take as long as the test says; every attempt brings some bytes or none. */
  const slow = (cutAfter: number, waitMs: number) => {
    const clock = handClock()
    const transport = scripted(request => ({ ...ranged(request), cutAfter }))
    const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
    const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'source')
    const sleep = (_waitMs: number, signal?: AbortSignal): Promise<void> => {
      clock.goOn(waitMs)
      signal?.throwIfAborted()
      return Promise.resolve()
    }
    const deps = { sleep, random: () => 0, onEvent: () => undefined, quiet: { clock } }
    return { clock, reading: download(access, blob.descriptor, {}, deps) }
  }

  test('ends after a quarter of an hour, however many attempts are left', async () => {
    const { clock, reading } = slow(0, 8 * MINUTE_MS)
    await expect(readAll(reading, { maxBytes: 1_000, what: 'blob' })).rejects.toMatchObject({
      ...{ code: 'UNREACHABLE', side: 'source', hint: 'try again later' },
      message: /could not read blob sha256:\S+ no byte of it has moved for 15 minutes/,
    })
    expect(clock.waiting()).toBe(0)
  })

  test('because nobody takes them goes on when they are wanted', async () => {
    const { clock, reading } = slow(40, MINUTE_MS)
    const read: number[] = []
    for await (const chunk of reading) {
      read.push(...chunk)
      clock.goOn(60 * MINUTE_MS)
    }
    expect(read).toEqual([...bytes])
    expect(clock.waiting()).toBe(0)
  })
})

describe('resolve()', () => {
  const digest = digestOf(bytes)
  const told = {
    'docker-content-digest': digest,
    'content-type': `${OCI_MANIFEST}; charset=utf-8`,
    'content-length': '100',
  }

  test('asks with HEAD, which Docker Hub does not count as a pull', async () => {
    const { source, transport } = sourceOf(() => ({ status: 200, headers: told }))
    expect(await source.resolve('v1')).toEqual({ mediaType: OCI_MANIFEST, digest, size: 100 })
    expect(transport.lines()).toEqual(['HEAD /v2/team/app/manifests/v1'])
    expect(transport.seen[0]?.headers['accept']).toMatch(
      /oci\.image\.index.*oci\.image\.manifest.*manifest\.list.*manifest\.v2.*\*\/\*/,
    )
  })

  test.each<[string, Said]>([
    ['does not tell the digest', { status: 200, headers: { ...told, 'docker-content-digest': [] } }],
    ['tells nonsense for a digest', { status: 200, headers: { ...told, 'docker-content-digest': 'sha256:xyz' } }],
    ['tells a length of 0', { status: 200, headers: { ...told, 'content-length': '0' } }],
    ['is not allowed', { status: 405 }],
    ['is forbidden, which Artifactory says of what is not there', { status: 403 }],
  ])('asks with GET when HEAD %s', async (_name, head) => {
    const { source } = sourceOf(({ method }) =>
      method === 'HEAD' ? head : { status: 200, headers: told, body: bytes },
    )
    expect(await source.resolve('v1')).toEqual({ mediaType: OCI_MANIFEST, digest, size: 100 })
  })

  test('does not believe that a digest stands for other bytes', async () => {
    const { source } = sourceOf(({ method }) =>
      method === 'HEAD' ? { status: 405 } : { status: 200, headers: told, body: 'other' },
    )
    await expect(source.resolve(digest)).rejects.toMatchObject({ name: 'IntegrityError' })
  })

  test('says what is missing, and that nothing was found is no other failure', async () => {
    const { source } = sourceOf(() => ({ status: 404 }))
    await expect(source.resolve('v9')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message:
        'reg.example.com/team/app: could not read manifest v9: 404 (HEAD https://reg.example.com/v2/team/app/manifests/v9)',
    })
  })

  test('tells what the body of a refusal says, which HEAD has not', async () => {
    const { source } = sourceOf(({ method }) =>
      method === 'HEAD'
        ? { status: 403 }
        : { status: 403, body: '{"errors":[{"code":"DENIED","message":"no quota"}]}' },
    )
    await expect(source.resolve('v1')).rejects.toThrow('no quota')
  })
})
