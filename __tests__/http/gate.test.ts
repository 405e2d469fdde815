import { Gate } from '../../src/http/gate.ts'

/** A clock that stands still until it is told, or slept on. */
function clock(): { now: () => number; sleep: (ms: number) => Promise<void>; slept: number[] } {
  let nowMs = 0
  const slept: number[] = []
  return {
    slept,
    now: () => nowMs,
    sleep: async ms => {
      slept.push(ms)
      nowMs += ms
      await Promise.resolve()
    },
  }
}

/** Whether a promise has settled by now. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>(resolve => setImmediate(resolve, false))])
}

test('no more requests than places are under way, and they go in the order in which they came', async () => {
  const gate = new Gate(2, clock())
  const [first, second] = [await gate.enter('ask'), await gate.enter('ask')]
  const third = gate.enter('ask')
  const fourth = gate.enter('ask')
  expect(await isOpen(third)).toBe(false)
  first.leave()
  first.leave()
  expect(await isOpen(third)).toBe(true)
  expect(await isOpen(fourth)).toBe(false)
  second.leave()
  expect(await isOpen(fourth)).toBe(true)
})

test('an upload that takes its bytes from the same host does not lock both', async () => {
  const gate = new Gate(1, clock())
  const upload = await gate.enter('send')
  const source = await gate.enter('ask')
  expect(await isOpen(gate.enter('send'))).toBe(false)
  source.leave()
  upload.leave()
})

test('one 429 makes all other requests to the host wait', async () => {
  const time = clock()
  const gate = new Gate(4, time)
  const throttled = await gate.enter('ask')
  throttled.throttled(5_000)
  throttled.leave()
  await gate.enter('ask')
  await gate.enter('send')
  expect(time.slept).toEqual([5_000])
})

test('a longer back-off that is told meanwhile is waited for too', async () => {
  const time = clock()
  const gate = new Gate(4, {
    now: time.now,
    sleep: async ms => {
      if (time.slept.length === 0) late.throttled(8_000)
      await time.sleep(ms)
    },
  })
  const early = await gate.enter('ask')
  const late = await gate.enter('ask')
  early.throttled(3_000)
  await gate.enter('ask')
  expect(time.slept).toEqual([3_000, 5_000])
})

test('a clock that stands still makes a request wait once, and not for ever', async () => {
  const slept: number[] = []
  const gate = new Gate(4, {
    now: () => 0,
    sleep: async ms => {
      slept.push(ms)
      await Promise.resolve()
    },
  })
  const pass = await gate.enter('ask')
  pass.throttled(5_000)
  pass.leave()
  await gate.enter('ask')
  expect(slept).toEqual([5_000])
})

test('two throttled requests in a row halve the concurrency, once for all that were under way', async () => {
  const gate = new Gate(16, clock())
  const passes = await Promise.all(Array.from({ length: 8 }, async () => gate.enter('ask')))
  for (const pass of passes) pass.throttled(0)
  expect(gate.places).toBe(8)
})

test('a host that goes on throttling is left with one request at a time, never with none', async () => {
  const gate = new Gate(4, clock())
  for (let i = 0; i < 20; i++) {
    const pass = await gate.enter('ask')
    pass.throttled(0)
    pass.leave()
  }
  expect(gate.places).toBe(1)
})

test('a host that serves again gets its concurrency back, one place for twenty requests', async () => {
  const gate = new Gate(4, clock())
  const pass = await gate.enter('ask')
  const other = await gate.enter('ask')
  pass.throttled(0)
  other.throttled(0)
  expect(gate.places).toBe(2)
  for (let i = 0; i < 20; i++) pass.served()
  expect(gate.places).toBe(3)
  for (let i = 0; i < 60; i++) pass.served()
  expect(gate.places).toBe(4)
})

test('an abort ends the wait for a place at once, with its own reason, and costs no place', async () => {
  const gate = new Gate(1, clock())
  const inside = await gate.enter('ask')
  const controller = new AbortController()
  const reason = new Error('stopped by SIGINT')
  const waiting = gate.enter('ask', controller.signal)
  const next = gate.enter('ask')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  inside.leave()
  expect(await isOpen(next)).toBe(true)
})

test('an abort during the back-off gives the place back', async () => {
  const reason = new Error('stopped')
  const time = clock()
  let stop = false
  const gate = new Gate(1, {
    now: time.now,
    sleep: async ms => {
      if (stop) throw reason
      await time.sleep(ms)
    },
  })
  const pass = await gate.enter('ask')
  pass.throttled(1_000)
  pass.leave()
  stop = true
  await expect(gate.enter('ask')).rejects.toBe(reason)
  stop = false
  expect(await isOpen(gate.enter('ask'))).toBe(true)
})
