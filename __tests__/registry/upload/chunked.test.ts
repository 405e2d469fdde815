import type { Blob } from '../../../src/content/blob.ts'
import type { Pushed } from '../../../src/content/ports.ts'
import { RegistryError } from '../../../src/errors.ts'
import { createTransport } from '../../../src/http/client.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { parseRepository } from '../../../src/oci/repository.ts'
import { Access } from '../../../src/registry/access.ts'
import { givenCredentials } from '../../../src/registry/credentials/inputs.ts'
import type { RegistryEvent } from '../../../src/registry/event.ts'
import { RegistryHosts } from '../../../src/registry/host.ts'
import type { UploadMode } from '../../../src/registry/upload/pieces.ts'
import type { NamedProfiles } from '../../../src/registry/profile.ts'
import { uploadBlob } from '../../../src/registry/upload/upload.ts'
import { startSpecRegistry, type SpecRegistry, type SpecRegistryOptions } from '../../../conformance/server/registry.ts'

const MIB = 1 << 20
const USER = { username: 'robot', password: 'secret' }

function layerOf(size: number): Blob & { opened: number[] } {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4096) bytes.writeUInt32BE(at * 7 + 1, at)
  const opened: number[] = []
  return {
    opened,
    descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size },
    // eslint-disable-next-line @typescript-eslint/require-await -- the type asks for an async source
    async *open({ offset = 0 } = {}) {
      opened.push(offset)
      for (let at = offset; at < size; at += 1 << 18) yield bytes.subarray(at, Math.min(size, at + (1 << 18)))
    },
  }
}

const layer = layerOf(18 * MIB)

beforeEach(() => {
  layer.opened.length = 0
})

interface Client extends AsyncDisposable {
  push(blob?: Blob, signal?: AbortSignal): Promise<Pushed>
  readonly events: readonly RegistryEvent[]
  /** What the caller was told of bytes, added up. */
  readonly progress: () => number
}

interface ClientOptions {
  readonly quietMs?: number
  readonly profiles?: NamedProfiles
}

function clientOf({ host }: SpecRegistry, upload?: UploadMode, { quietMs, profiles }: ClientOptions = {}): Client {
  let nowMs = 0
  let progress = 0
  const sleep = (waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    nowMs += waitMs
    return Promise.resolve()
  }
  const transport = createTransport({ version: '0', random: () => 0, clock: { now: () => nowMs, sleep } })
  const credentials = givenCredentials([{ registry: host, ...USER, from: 'inputs' }])
  const access = new Access(
    new RegistryHosts({ transport, credentials, profiles }).get(host),
    parseRepository('team/app'),
    'target',
  )
  const events: RegistryEvent[] = []
  const onEvent = (event: RegistryEvent): void => {
    events.push(event)
  }
  const onBytes = (delta: number): void => {
    progress += delta
  }
  return {
    events,
    progress: () => progress,
    push: (blob = layer, signal) =>
      uploadBlob(access, blob, { onBytes, signal }, { sleep, random: () => 0, onEvent, upload, quietMs }),
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

/** `PATCH 0-99`, `PUT`: what was sent in which order. */
function lines({ requests }: SpecRegistry): readonly string[] {
  return requests.map(({ method, headers }) => [method, headers['content-range']].filter(Boolean).join(' '))
}

async function expectThere(registry: SpecRegistry, { descriptor }: Blob = layer): Promise<void> {
  const bytes = await registry.blob('team/app', descriptor.digest)
  expect(bytes && digestOf(bytes)).toBe(descriptor.digest)
  expect(registry.openUploads).toBe(0)
}

type Fault = Parameters<SpecRegistry['fail']>[1]

const range = (fromMib: number, toMib: number): string => `PATCH ${fromMib * MIB}-${toMib * MIB - 1}`
const PIECES = [range(0, 5), range(5, 10), range(10, 15), range(15, 18)]

describe('a layer in pieces', () => {
  test('when asked: every piece follows the newest Location, and the source is read once', async () => {
    await using registry = await startSpecRegistry({ location: 'absolute' })
    await using client = clientOf(registry, 'chunked')
    expect(await client.push()).toEqual({ how: 'uploaded', bytes: 18 * MIB })
    expect(lines(registry)).toEqual(['HEAD', 'POST', ...PIECES, 'PUT'])
    expect(layer.opened).toEqual([0])
    expect(client.progress()).toBe(18 * MIB)
    await expectThere(registry)
  })

  test('after a 413 of a proxy, which is told once, and not run into a second time', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT' }, { status: 413, early: true, body: '<html><h1>413 Request Entity Too Large</h1>' })
    await using client = clientOf(registry)
    expect(await client.push()).toMatchObject({ how: 'uploaded' })
    expect(lines(registry)).toEqual(['HEAD', 'POST', 'PUT', 'DELETE', 'HEAD', 'POST', ...PIECES, 'PUT'])
    expect(client.events).toMatchObject([{ type: 'upload-retry', attempt: 1, waitMs: 0, reason: /413/ }])
    const other = layerOf(20 * MIB)
    const mark = registry.requests.length
    await client.push(other)
    expect(lines(registry).slice(mark, mark + 3)).toEqual(['HEAD', 'POST', range(0, 5)])
    await expectThere(registry, other)
  })

  test.each<[string, UploadMode | undefined, number]>([
    ['when the user forbids it', 'monolithic', 18 * MIB],
    ['when the smallest piece would be the blob', undefined, MIB / 4],
  ])('is no way around a 413 %s', async (_name, mode, size) => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT' }, { status: 413, early: true })
    await using client = clientOf(registry, mode)
    await expect(client.push(layerOf(size))).rejects.toMatchObject({ status: 413 })
    expect(lines(registry)).toEqual(['HEAD', 'POST', 'PUT', 'DELETE'])
  })

  test.each([6, 4])('so small that nginx takes them as it comes, which is 1 MiB at once (%i MiB)', async sizeMib => {
    await using registry = await startSpecRegistry()
    const refusal = { status: 413, early: true, body: '{"errors":[{"code":"SIZE_INVALID"}]}' } as const
    registry.fail({ method: 'PUT' }, refusal)
    registry.fail({ method: 'PATCH', times: sizeMib > 5 ? 3 : 2 }, refusal)
    await using client = clientOf(registry)
    const small = layerOf(sizeMib * MIB)
    await client.push(small)
    const seen = lines(registry)
    expect(seen.slice(0, 6)).toEqual(['HEAD', 'POST', 'PUT', 'DELETE', 'HEAD', 'POST'])
    const refused = [range(0, 5), 'GET', range(0, 2.5), 'GET', range(0, 1.25), 'GET']
    expect(seen.slice(6, -1 - Math.ceil(sizeMib / 0.625))).toEqual(sizeMib > 5 ? refused : refused.slice(2))
    expect(seen.at(-2)).toBe(range(Math.floor((sizeMib - 0.001) / 0.625) * 0.625, sizeMib))
    await expectThere(registry, small)
    const mark = registry.requests.length
    await client.push(layerOf(7 * MIB))
    expect(lines(registry).slice(mark, mark + 3)).toEqual(['HEAD', 'POST', range(0, 0.625)])
  })

  test('is no way around a 413 where the registry takes no smaller ones', async () => {
    await using registry = await startSpecRegistry({ minChunkBytes: 5 * MIB })
    registry.fail({ method: 'PUT' }, { status: 413, early: true })
    registry.fail({ method: 'PATCH', times: 9 }, { status: 413, early: true })
    await using client = clientOf(registry)
    await expect(client.push()).rejects.toMatchObject({ status: 413 })
    expect(lines(registry)).toEqual(['HEAD', 'POST', 'PUT', 'DELETE', 'HEAD', 'POST', range(0, 5), 'DELETE'])
  })

  test('is no way around a limit for the whole, and not tried in ever smaller ones', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PATCH', nth: 3, times: 9 }, { status: 413, early: true })
    await using client = clientOf(registry, 'chunked')
    await expect(client.push()).rejects.toMatchObject({ status: 413 })
    expect(lines(registry)).toEqual(['HEAD', 'POST', ...PIECES.slice(0, 3), 'DELETE'])
  })

  test('after two cuts of a large one, but not of a smaller one', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT', times: 2 }, { cutRequestAfter: 3 * MIB })
    await using client = clientOf(registry)
    await client.push()
    expect(lines(registry).filter(line => line.startsWith('P'))).toEqual([
      ...['POST', 'PUT', 'POST', 'PUT', 'POST', ...PIECES, 'PUT'],
    ])
    await expectThere(registry)
    registry.fail({ method: 'PUT', times: 2 }, { cutRequestAfter: 3 * MIB })
    await client.push(layerOf(8 * MIB))
    expect(lines(registry).slice(-6)).toEqual(['PUT', 'GET', 'DELETE', 'HEAD', 'POST', 'PUT'])
  })

  test('of the size that the registry asks for', async () => {
    await using registry = await startSpecRegistry({ minChunkBytes: 7 * MIB })
    await using client = clientOf(registry, 'chunked')
    await client.push()
    expect(lines(registry)).toEqual(['HEAD', 'POST', range(0, 7), range(7, 14), range(14, 18), 'PUT'])
  })

  test('goes whole to a registry that turns out to know no pieces', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT', times: 2 }, { cutRequestAfter: 3 * MIB })
    registry.fail({ method: 'PATCH' }, { status: 405, body: '{"errors":[{"code":"UNSUPPORTED"}]}' })
    await using client = clientOf(registry)
    await client.push()
    expect(lines(registry).slice(-5)).toEqual([range(0, 5), 'DELETE', 'HEAD', 'POST', 'PUT'])
    await expectThere(registry)
  })

  test('is an error where a registry thanks for pieces and drops them, as ECR does, and nothing else will do', async () => {
    await using registry = await startSpecRegistry()
    const headers = { range: `0-${5 * MIB - 1}` }
    registry.fail({ method: 'PATCH', nth: 2, times: 9 }, { status: 201, headers })
    await using client = clientOf(registry, 'chunked')
    await expect(client.push()).rejects.toThrow('the registry has 5242880 bytes of it and takes no more')
    expect(lines(registry)).toEqual(['HEAD', 'POST', range(0, 5), range(5, 10), 'DELETE'])
  })

  test('is not resent from its beginning for a token that ended in the middle', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
    registry.fail({ method: 'PATCH', nth: 3 }, { status: 401, headers: bearerOf(registry), early: true })
    await using client = clientOf(registry, 'chunked')
    await client.push()
    expect(lines(registry).filter(line => line.startsWith('PATCH'))).toEqual([
      ...PIECES.slice(0, 3),
      ...PIECES.slice(2),
    ])
    await expectThere(registry)
  })
})

const bearerOf = ({ url }: SpecRegistry): Record<string, string> => ({
  'www-authenticate': `Bearer realm="${url.href}token",service="registry"`,
})

describe('a layer in pieces that is interrupted', () => {
  const interrupted = async (options: SpecRegistryOptions, fault: Fault): Promise<readonly string[]> => {
    await using registry = await startSpecRegistry(options)
    registry.fail({ method: 'PATCH', nth: 2 }, fault)
    await using client = clientOf(registry, 'chunked')
    expect(await client.push()).toMatchObject({ how: 'uploaded' })
    expect(client.events.length).toBeLessThanOrEqual(1)
    expect(client.progress()).toBe(18 * MIB)
    await expectThere(registry)
    return lines(registry).slice(2)
  }

  test('by a cut goes on with the byte that the registry misses', async () => {
    const seen = await interrupted({ resumable: true }, { cutRequestAfter: 3 * MIB })
    expect(seen).toEqual([range(0, 5), range(5, 10), 'GET', range(8, 13), range(13, 18), 'PUT'])
  })

  test('by a cut goes on with the piece, where only whole ones are kept', async () => {
    const seen = await interrupted({}, { cutRequestAfter: 3 * MIB })
    expect(seen).toEqual([range(0, 5), range(5, 10), 'GET', ...PIECES.slice(1), 'PUT'])
  })

  test('by a lost answer sends nothing twice', async () => {
    expect(await interrupted({}, { lostAnswer: true })).toEqual([
      ...[range(0, 5), range(5, 10), 'GET', ...PIECES.slice(2), 'PUT'],
    ])
  })

  test.each([429, 500, 503])('by %i waits, and asks how far it came', async status => {
    expect(await interrupted({}, { status })).toEqual([range(0, 5), range(5, 10), 'GET', ...PIECES.slice(1), 'PUT'])
  })

  test('by 416 goes on where the registry says', async () => {
    expect(await interrupted({}, { status: 416 })).toEqual([
      ...[range(0, 5), range(5, 10), 'GET', ...PIECES.slice(1), 'PUT'],
    ])
  })

  test('by the loss of its session begins anew, with HEAD, and has nothing to cancel', async () => {
    await using registry = await startSpecRegistry()
    const body = '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'
    registry.fail({ method: 'PATCH', nth: 2 }, { status: 404, body })
    await using client = clientOf(registry, 'chunked')
    await client.push()
    expect(lines(registry).slice(2)).toEqual([range(0, 5), range(5, 10), 'HEAD', 'POST', ...PIECES, 'PUT'])
  })

  test.each<[string, Fault]>([
    ['does not know it any more, as distribution 2 and zot', { status: 404 }],
    ['does not tell how far it came', { status: 204 }],
    ['tells nonsense', { status: 204, headers: { range: 'bytes 5-9' } }],
    ['says it has more than there is', { status: 204, headers: { range: `0-${99 * MIB}` } }],
    ['answers 200, which is not an answer of this kind', { status: 200 }],
  ])('begins anew, with HEAD, where the registry %s', async (_name, status) => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PATCH', nth: 2 }, { cutRequestAfter: 3 * MIB })
    registry.fail({ method: 'GET' }, status)
    await using client = clientOf(registry, 'chunked')
    await client.push()
    expect(lines(registry).slice(2)).toEqual([
      ...[range(0, 5), range(5, 10), 'GET', 'DELETE', 'HEAD', 'POST', ...PIECES, 'PUT'],
    ])
    await expectThere(registry)
  })

  test('at its end only closes the session again', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT' }, { status: 503 })
    await using client = clientOf(registry, 'chunked')
    await client.push()
    expect(lines(registry).slice(-3)).toEqual(['PUT', 'GET', 'PUT'])
    await expectThere(registry)
  })

  test('and closed without our hearing of it is found by HEAD', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PUT' }, { lostAnswer: true })
    await using client = clientOf(registry, 'chunked')
    expect(await client.push()).toEqual({ how: 'uploaded', bytes: 18 * MIB })
    expect(lines(registry).slice(-4)).toEqual(['PUT', 'GET', 'DELETE', 'HEAD'])
  })

  test('by the user ends at once: the session is cancelled, and the reason is not wrapped', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry, 'chunked')
    const controller = new AbortController()
    const reason = new Error('stop')
    const stopping: Blob = {
      ...layer,
      async *open(options) {
        let bytes = 0
        for await (const chunk of layer.open(options)) {
          bytes += chunk.byteLength
          if (bytes > 7 * MIB) controller.abort(reason)
          yield chunk
        }
      },
    }
    await expect(client.push(stopping, controller.signal)).rejects.toBe(reason)
    expect(lines(registry).at(-1)).toBe('DELETE')
    expect(registry.openUploads).toBe(0)
  })

  test('for good tells why, and cancels its session', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'PATCH', nth: 2 }, { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' })
    await using client = clientOf(registry, 'chunked')
    await expect(client.push()).rejects.toMatchObject({ status: 403, codes: ['DENIED'] })
    expect(lines(registry).at(-1)).toBe('DELETE')
  })
})

describe('a layer that is cut while it is sent whole', () => {
  const rest = (fromMib: number, toMib: number): string => range(fromMib, toMib).replace('PATCH', 'PUT')
  const small = layerOf(8 * MIB)
  const cut = async (
    options: SpecRegistryOptions,
    { upload, then, get }: { upload?: UploadMode; then?: Fault; get?: Fault } = {},
  ): Promise<readonly string[]> => {
    await using registry = await startSpecRegistry(options)
    registry.fail({ method: 'PUT' }, { cutRequestAfter: 3 * MIB })
    if (then) registry.fail({ method: 'PUT', nth: 2 }, then)
    if (get) registry.fail({ method: 'GET' }, get)
    await using client = clientOf(registry, upload)
    expect(await client.push(small)).toMatchObject({ how: 'uploaded' })
    expect(client.progress()).toBe(8 * MIB)
    await expectThere(registry, small)
    return lines(registry).slice(2)
  }
  const anew = ['DELETE', 'HEAD', 'POST', 'PUT']

  test('goes on with the byte that the registry misses', async () => {
    expect(await cut({ resumable: true })).toEqual(['PUT', 'GET', rest(3, 8)])
  })

  test('and cut again goes on from there', async () => {
    const seen = await cut({ resumable: true }, { then: { cutRequestAfter: 2 * MIB } })
    expect(seen).toEqual(['PUT', 'GET', rest(3, 8), 'GET', rest(5, 8)])
  })

  test.each<[string, SpecRegistryOptions, { get?: Fault }]>([
    ['kept nothing', {}, {}],
    ['does not tell', { resumable: true, uploadStatus: false }, {}],
    ['forgets its session, as distribution 2', { resumable: true }, { get: { status: 404 } }],
  ])('begins anew, with HEAD, where the registry %s', async (_name, options, more) => {
    expect(await cut(options, more)).toEqual(['PUT', 'GET', ...anew])
  })

  test('begins anew at GHCR, which would take no more than 4 MiB to a session, and goes on with less', async () => {
    await using registry = await startSpecRegistry({ resumable: true, maxChunkBytes: 4 * MIB })
    registry.fail({ method: 'PUT' }, { cutRequestAfter: 3 * MIB })
    registry.fail({ method: 'PUT', nth: 2 }, { cutRequestAfter: 5 * MIB })
    await using client = clientOf(registry, 'auto', { profiles: new Map([[registry.host, 'ghcr']]) })
    await client.push(small)
    expect(lines(registry).slice(2)).toEqual(['PUT', 'GET', ...anew, 'GET', rest(5, 8)])
    await expectThere(registry, small)
  })

  test('is not gone on with where the user wants one request a layer', async () => {
    expect(await cut({ resumable: true }, { upload: 'monolithic' })).toEqual(['PUT', ...anew])
  })

  test.each<[string, Fault, readonly string[]]>([
    ['is found to be another', { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }, anew.slice(1)],
    ['has the wrong size', { status: 400, body: '{"errors":[{"code":"SIZE_INVALID"}]}' }, anew],
    ['is out of order', { status: 416 }, anew],
    ['has a header that nobody knows on a PUT', { status: 400 }, anew],
  ])('begins anew where the whole of two requests %s, and does not try that again', async (_name, then, after) => {
    await using registry = await startSpecRegistry({ resumable: true })
    registry.fail({ method: 'PUT' }, { cutRequestAfter: 3 * MIB })
    registry.fail({ method: 'PUT', nth: 2 }, then)
    registry.fail({ method: 'PUT', nth: 3 }, { cutRequestAfter: 5 * MIB })
    await using client = clientOf(registry)
    await client.push(small)
    const seen = lines(registry).slice(2)
    expect(seen).toEqual(['PUT', 'GET', rest(3, 8), ...after, ...anew])
  })
})

test('a session is cancelled when the source of the bytes turns out not to have them', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const missing = new RegistryError({
    ...{ side: 'source', host: 'src.example.com', repository: 'a', operation: 'read blob', method: 'GET', url: '' },
    ...{ status: 404, codes: ['BLOB_UNKNOWN'], detail: '', requestId: undefined, retriable: false },
  })
  const open = async function* (): AsyncGenerator<Uint8Array> {
    await Promise.resolve()
    throw missing
  }
  await expect(client.push({ ...layer, open })).rejects.toBe(missing)
  expect(lines(registry).at(-1)).toBe('DELETE')
  expect(registry.openUploads).toBe(0)
})

test('a wait that the registry asks for is told as it is, and taken', async () => {
  await using registry = await startSpecRegistry()
  registry.fail({ method: 'PUT' }, { status: 429, headers: { 'retry-after': '30' } })
  await using client = clientOf(registry)
  await client.push(layerOf(MIB))
  expect(client.events).toMatchObject([{ type: 'upload-retry', reason: '429', waitMs: 30_000 }])
})

test('an upload of which nothing moves ends, and its session with it', async () => {
  await using registry = await startSpecRegistry()
  registry.fail({ method: 'PUT' }, { hang: true })
  await using client = clientOf(registry, 'auto', { quietMs: 300 })
  await expect(client.push(layerOf(MIB))).rejects.toMatchObject({ side: 'target', message: /no byte of it has moved/ })
  expect(lines(registry).at(-1)).toBe('DELETE')
  expect(registry.openUploads).toBe(0)
})
