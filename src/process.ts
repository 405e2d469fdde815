import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/**
 * Sets up the process for what it is going to do; the first thing that a door calls.
 *
 * Node's thread pool, which compresses, has four threads unless it is told before its first use; machines may have more
 * cores. V8 may let its nursery grow to several times what it needs, and buffers that only it knows to be garbage stay
 * with it: kept small, the same run takes a quarter less memory and the same time.
 */
export function prepareProcess(env: NodeJS.ProcessEnv): void {
  env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism()))
  setFlagsFromString('--max-semi-space-size=16')
  setFlagsFromString('--semi-space-growth-factor=1')
}
