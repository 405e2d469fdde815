import { startSpecRegistry } from '../../../conformance/server/registry.ts'
import { ask, digestOf, pushBlob, startUpload } from './ask.ts'

describe('faults', () => {
  const LAYER = 'x'.repeat(100_000)

  test('an answer instead of the work, on the nth request that matches', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'GET', path: /^\/v2\/$/, nth: 2 }, { status: 429, headers: { 'retry-after': '1' } })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await ask(registry, '/v2/')).status)
    expect(statuses).toEqual([200, 429, 200])
    expect(registry.requests.map(({ status }) => status)).toEqual(statuses)
  })

  test.each([
    ['lost', false, 0],
    ['kept where the registry can resume', true, 50_000],
  ])('a request that is cut: what came is %s', async (_name, resumable, kept) => {
    await using registry = await startSpecRegistry({ resumable })
    const location = await startUpload(registry)
    registry.fail({ method: 'PATCH' }, { cutRequestAfter: 50_000 })

    await expect(ask(registry, location, { method: 'PATCH', body: LAYER })).rejects.toThrow('fetch failed')

    expect(registry.requests.at(-1)).toMatchObject({ method: 'PATCH', bodyBytes: 50_000, status: 0 })
    const status = await ask(registry, location)
    expect(status.headers.get('range')).toBe(`0-${Math.max(0, kept - 1)}`)
  })

  test('a lost answer: the work is done, and nobody heard of it', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    const digest = digestOf(LAYER)
    registry.fail({ method: 'PUT' }, { lostAnswer: true })
    const put = (): Promise<Response> => ask(registry, `${location}&digest=${digest}`, { method: 'PUT', body: LAYER })

    await expect(put()).rejects.toThrow('fetch failed')

    expect((await ask(registry, `/v2/team/app/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200)
    expect((await put()).status).toBe(404)
  })

  test('an answer that is cut announces its whole length', async () => {
    await using registry = await startSpecRegistry()
    const digest = await pushBlob(registry, LAYER)
    registry.fail({ method: 'GET', path: digest }, { cutResponseAfter: 10_000 })

    const response = await ask(registry, `/v2/team/app/blobs/${digest}`)

    expect(response.headers.get('content-length')).toBe('100000')
    await expect(response.arrayBuffer()).rejects.toThrow('terminated')
  })

  test('a reset, as often as asked for', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ path: '/v2/' }, { reset: true })
    await expect(ask(registry, '/v2/')).rejects.toThrow('fetch failed')
    expect((await ask(registry, '/v2/')).status).toBe(200)
  })

  test('a hang ends when the client gives up, and does not keep the registry from stopping', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ path: '/v2/', times: Infinity }, { hang: true })
    const controller = new AbortController()
    const asked = ask(registry, '/v2/', { signal: controller.signal })
    while (registry.requests.length === 0) await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    void ask(registry, '/v2/').catch(() => undefined)
  })

  test('an early refusal comes before the body has been read', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    registry.fail({ method: 'PUT' }, { status: 413, early: true })
    const response = await ask(registry, `${location}&digest=${digestOf(LAYER)}`, { method: 'PUT', body: LAYER })
    expect(response.status).toBe(413)
    expect(registry.requests.at(-1)?.bodyBytes).toBe(0)
  })
})
