import { availableParallelism } from 'node:os'
import { poolThreads } from '../../src/archive/threads.ts'

describe('poolThreads()', () => {
  const before = process.env['UV_THREADPOOL_SIZE']
  afterEach(() => {
    if (before === undefined) delete process.env['UV_THREADPOOL_SIZE']
    else process.env['UV_THREADPOOL_SIZE'] = before
  })

  test.each([
    ['the four that Node starts', undefined, 4],
    ['a pool made smaller', '1', 1],
    ['a pool made larger', '256', 256],
    ['four when what was asked is no number', 'many', 4],
  ])('keeps no more blocks in memory than can be worked on: %s', (_name, asked, threads) => {
    if (asked === undefined) delete process.env['UV_THREADPOOL_SIZE']
    else process.env['UV_THREADPOOL_SIZE'] = asked
    expect(poolThreads()).toBe(Math.min(availableParallelism(), threads))
  })
})
