import { availableParallelism } from 'node:os'

/** How many blocks are worth compressing at a time: Node's pool has 4 threads unless told otherwise, on any number of cores. */
export function poolThreads(): number {
  const asked = Number(process.env['UV_THREADPOOL_SIZE'])
  return Math.min(availableParallelism(), asked > 0 ? asked : 4)
}
