import { getEventListeners } from 'node:events'
import { Authorizer, type Want } from '../../../src/registry/auth/authorizer.ts'
import { FirstAsker } from '../../../src/registry/auth/first-asker.ts'
import { scripted } from '../scripted.ts'

const settled = async (work: Promise<unknown>): Promise<boolean> => {
  let done = false
  void work.then(() => (done = true))
  await new Promise(setImmediate)
  return done
}

describe('of requests that start at once', () => {
  test('the first goes ahead, and the others when it has its answer', async () => {
    const asker = new FirstAsker()
    const leave = await asker.enter('a')
    const others = [asker.enter('a'), asker.enter('a', { signal: new AbortController().signal })]
    expect(await Promise.all(others.map(settled))).toEqual([false, false])
    leave()
    expect(await Promise.all(others.map(settled))).toEqual([true, true])
    for (const other of others) (await other)()
    expect(await settled(asker.enter('a'))).toBe(true)
  })

  test('those that need another permission do not wait', async () => {
    const asker = new FirstAsker()
    await asker.enter('a')
    expect(await settled(asker.enter('b'))).toBe(true)
  })

  test('one that is given up stops waiting, and does not begin', async () => {
    const asker = new FirstAsker()
    const leave = await asker.enter('a')
    const controller = new AbortController()
    const waiting = asker.enter('a', { signal: controller.signal })
    await settled(waiting.catch(() => undefined))
    controller.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    await expect(asker.enter('b', { signal: controller.signal })).rejects.toThrow('stop')
    leave()
    expect(await settled(asker.enter('b'))).toBe(true)
  })

  test('a wait that is over leaves no listener on the signal of the run', async () => {
    const asker = new FirstAsker()
    const leave = await asker.enter('a')
    const { signal } = new AbortController()
    const waiting = asker.enter('a', { signal })
    leave()
    await waiting
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

test('only requests of one side, one repository and the same scopes wait for each other, and only until it is known', async () => {
  const find = (): Promise<{ credential: undefined; from: undefined; lookedAt: [] }> =>
    Promise.resolve({ credential: undefined, from: undefined, lookedAt: [] })
  const transport = scripted(() => ({ status: 200 }))
  const authorizer = new Authorizer({ host: 'r.example', transport, credentials: { find }, onSecret: () => undefined })
  const want: Want = { side: 'target', repository: 'a', scopes: ['repository:a:pull,push'] }
  await authorizer.turn(want)
  const others: readonly Want[] = [
    { ...want, side: 'source' },
    { ...want, repository: 'b' },
    { ...want, scopes: ['repository:a:pull'] },
  ]
  expect(await Promise.all([want, ...others].map(one => settled(authorizer.turn(one))))).toEqual([
    ...[false, true, true, true],
  ])
  const base = new URL('https://r.example/')
  const said = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
  authorizer.heed(await scripted(() => said).request({ method: 'HEAD', url: base }), base)
  expect(await settled(authorizer.turn(want))).toBe(true)
})
