import { allOrErrors } from '../../src/async/all-or-errors.ts'
import { limit } from '../../src/async/limit.ts'
import { Once } from '../../src/async/once.ts'
import { sleep } from '../../src/async/sleep.ts'

describe('limit()', () => {
  test('never runs more at once than it was told, and runs all', async () => {
    const two = limit(2)
    let running = 0
    let most = 0
    const tasks = Array.from({ length: 9 }, (_, i) =>
      two(async () => {
        most = Math.max(most, ++running)
        await sleep(1)
        running--
        return i
      }),
    )
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(most).toBe(2)
  })

  test('a task that fails gives its place on', async () => {
    const one = limit(1)
    const failing = one(() => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    expect(await one(() => Promise.resolve('yes'))).toBe('yes')
  })
})

describe('Once', () => {
  test('shares work, and forgets a failure so that the next caller may try', async () => {
    const once = new Once<string, number>()
    let calls = 0
    const work = (): Promise<number> => (++calls === 1 ? Promise.reject(new Error('first')) : Promise.resolve(calls))
    await expect(Promise.allSettled([once.run('a', work), once.run('a', work)])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ])
    expect(await once.run('a', work)).toBe(2)
    expect(await once.run('a', work)).toBe(2)
  })
})

describe('allOrErrors()', () => {
  test('a failure does not cancel its siblings, and all failures are told', async () => {
    let finished = false
    const slow = sleep(5).then(() => (finished = true))
    await expect(allOrErrors([Promise.reject(new Error('a')), slow, Promise.reject(new Error('b'))])).rejects.toThrow(
      'a\nb',
    )
    expect(finished).toBe(true)
  })

  test('a single failure is thrown as it is', async () => {
    const error = new Error('only')
    await expect(allOrErrors([Promise.reject(error)])).rejects.toBe(error)
  })
})

test('an abort ends a wait at once, with its own reason', async () => {
  const reason = new Error('stop')
  const controller = new AbortController()
  const waiting = sleep(60_000, controller.signal)
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
