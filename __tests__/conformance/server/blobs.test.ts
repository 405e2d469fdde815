import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SpecRegistryOptions } from '../../../conformance/server/registry.ts'
import { startSpecRegistry } from '../../../conformance/server/registry.ts'
import { ask, digestOf, errorCodes, pushBlob, startUpload } from './ask.ts'

describe('blobs', () => {
  test.each([
    ['the first bytes', 'bytes=0-3', 206, 'bytes 0-3/10', '0123'],
    ['from the middle', 'bytes=7-', 206, 'bytes 7-9/10', '789'],
    ['the last bytes', 'bytes=-2', 206, 'bytes 8-9/10', '89'],
    ['past the end', 'bytes=8-99', 206, 'bytes 8-9/10', '89'],
    ['beyond the end', 'bytes=10-', 416, 'bytes */10', undefined],
    ['several ranges, which it may ignore', 'bytes=0-1,3-4', 200, null, '0123456789'],
    ['backwards, which it must ignore', 'bytes=4-2', 200, null, '0123456789'],
  ])('a download can ask for %s', async (_name, range, status, contentRange, text) => {
    await using registry = await startSpecRegistry()
    const digest = await pushBlob(registry, '0123456789')

    const response = await ask(registry, `/v2/team/app/blobs/${digest}`, { headers: { range } })

    expect(response.status).toBe(status)
    expect(response.headers.get('content-range')).toBe(contentRange)
    const body = await response.text()
    expect(text === undefined || body === text).toBe(true)
  })

  test('bytes that are not what their digest says are refused, and the session is gone', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)

    const wrong = await ask(registry, `${location}&digest=${digestOf('other')}`, { method: 'PUT', body: 'bytes' })

    expect(wrong.status).toBe(400)
    expect(await errorCodes(wrong)).toEqual(['DIGEST_INVALID'])
    expect((await ask(registry, location)).status).toBe(404)
    expect(registry.openUploads).toBe(0)
  })

  test('chunks arrive in order or are refused with the place to go on from', async () => {
    await using registry = await startSpecRegistry({ location: 'absolute' })
    const patch = (location: string, range: string, body: string): Promise<Response> =>
      ask(registry, location, { method: 'PATCH', headers: { 'content-range': range }, body })
    const first = await patch(await startUpload(registry), '0-3', '0123')
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-3'])
    const second = first.headers.get('location') ?? ''
    expect(second).toMatch(/^http:/)

    const gap = await patch(second, '6-9', '6789')
    expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-3'])
    expect(await errorCodes(await patch(second, '4-9', '45'))).toEqual(['SIZE_INVALID'])

    const status = await ask(registry, second)
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-3'])
    const last = await ask(registry, `${status.headers.get('location') ?? ''}&digest=${digestOf('0123456789')}`, {
      method: 'PUT',
      headers: { 'content-range': '4-9' },
      body: '456789',
    })
    expect(last.status).toBe(201)
  })

  test('an old Location is refused: the newest one counts', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    await ask(registry, location, { method: 'PATCH', body: 'abc' })

    const replay = await ask(registry, location, { method: 'PATCH', body: 'abc' })

    expect([replay.status, replay.headers.get('range')]).toEqual([416, '0-2'])
  })

  test('only the last chunk may be shorter than the registry asked for', async () => {
    await using registry = await startSpecRegistry({ minChunkBytes: 4 })
    const start = await ask(registry, '/v2/team/app/blobs/uploads/', { method: 'POST' })
    expect(start.headers.get('oci-chunk-min-length')).toBe('4')
    const short = await ask(registry, start.headers.get('location') ?? '', { method: 'PATCH', body: 'abc' })
    expect(short.status).toBe(202)

    const another = await ask(registry, short.headers.get('location') ?? '', { method: 'PATCH', body: 'defg' })

    expect(await errorCodes(another)).toEqual(['SIZE_INVALID'])
  })

  test('a cancelled upload is gone', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    expect((await ask(registry, location, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(registry, location)).status).toBe(404)
  })

  test.each([
    ['mounts what the other repository has', {}, 'team/app', 201],
    ['opens an upload for what it has not', {}, 'team/empty', 202],
    ['opens an upload where mounting is off', { mount: false }, 'team/app', 202],
  ])('%s', async (_name, options: SpecRegistryOptions, from, status) => {
    await using registry = await startSpecRegistry(options)
    const digest = await pushBlob(registry, 'layer')

    const response = await ask(registry, `/v2/team/new/blobs/uploads/?mount=${digest}&from=${from}`, { method: 'POST' })

    expect(response.status).toBe(status)
    expect(await registry.blob('team/new', digest)).toEqual(status === 201 ? Buffer.from('layer') : undefined)
  })

  test('blobs are in files where a folder is given', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spec-registry-'))
    try {
      await using registry = await startSpecRegistry({ directory })
      const digest = await pushBlob(registry, 'layer', 'sha512')
      await startUpload(registry)

      expect(await readdir(directory)).toContain(digest.replace(':', '-'))
      expect(await registry.blob('team/app', digest)).toEqual(Buffer.from('layer'))
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
