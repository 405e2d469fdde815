import { noneYet, waitMs, type Tries } from '../../../src/registry/upload/tries.ts'

const MIB = 1 << 20
const SIZE = 100 * MIB
const after = (more: Partial<Tries> = {}): Tries => ({ ...noneYet('when-cut', SIZE), ...more })

test('a twentieth of a small blob is progress enough', () => {
  expect(noneYet('never', 2_000)).toMatchObject({ step: 100 })
  expect(noneYet('never', 0)).toMatchObject({ step: 1 })
  expect(noneYet('never', SIZE)).toMatchObject({ step: MIB })
})

test('clients in step do not come back in step', () => {
  expect([
    waitMs(after({ failures: 1 }), 0),
    waitMs(after({ failures: 1 }), 1),
    waitMs(after({ failures: 2, refusals: 1 }), 1),
    waitMs(after({ failures: 9 }), 1),
  ]).toEqual([0, 1_000, 4_000, 30_000])
})

test('nobody waits before what is tried in another way', () => {
  expect(waitMs(after(), 1)).toBe(0)
})

test('nothing is sent in two requests that has to be sent in one', () => {
  expect(noneYet('never', SIZE).resume).toBe('never')
  expect(noneYet('when-too-large', SIZE).resume).toBe('may')
})
