/** Runs tasks, at most so many at a time, first come first served. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>

export function limit(concurrency: number): Limit {
  const waiting: (() => void)[] = []
  let running = 0
  return async task => {
    if (running >= concurrency) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      // The place is handed on, not given back: nobody can slip in between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
