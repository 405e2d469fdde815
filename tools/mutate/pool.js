// Runs tests in a worker process and replaces it when it hangs, dies or has grown too large.
import { fork } from 'node:child_process'
import { join } from 'node:path'

const FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const MAX_MEMORY = 1.2e9
const GRACE_MS = 30_000

/** @param {{ root: string, testTimeout: number }} options */
export function openRunner({ root, testTimeout }) {
  let child
  const start = async () => {
    const started = fork(join(import.meta.dirname, 'worker.js'), [root, testTimeout], {
      execArgv: FLAGS,
      stdio: 'ignore',
    })
    const next = listen(started)
    await next(10 * GRACE_MS)
    return { next, send: message => started.send(message), kill: () => started.kill('SIGKILL') }
  }
  const close = () => {
    child?.kill()
    child = undefined
  }
  return {
    close,
    /** Runs one test file for its duration and coverage. */
    async cover(test) {
      child ??= await start()
      child.send({ covers: test })
      const said = await child.next(20 * GRACE_MS)
      if (!said) close()
      return said
    },
    /** @returns {Promise<{ outcome: 'noticed' | 'timeout' | 'survived', test?: string, by?: string }>} */
    async run(tests, usualMs) {
      child ??= await start()
      child.send({ tests })
      for (const test of tests) {
        const said = await child.next(GRACE_MS + 20 * usualMs(test))
        if (!said || 'died' in said) {
          close()
          return { outcome: said ? 'noticed' : 'timeout', test, by: test }
        }
        if (said.memory > MAX_MEMORY || said.timedOut) close()
        if (said.noticed !== undefined) {
          return { outcome: said.timedOut ? 'timeout' : 'noticed', test, by: `${test}: ${said.noticed}` }
        }
        if (said.last) break
        if (!child) {
          child = await start()
          child.send({ tests: tests.slice(tests.indexOf(test) + 1) })
        }
      }
      return { outcome: 'survived' }
    },
  }
}

/** The messages of a process, one by one; undefined when none arrives in time. Two may arrive at once. */
function listen(child) {
  const said = []
  let wake = () => undefined
  const put = message => {
    said.push(message)
    wake()
  }
  child.on('message', put)
  child.once('exit', code => put({ died: code }))
  return async withinMs => {
    if (said.length > 0) return said.shift()
    let timer
    await new Promise(resolve => {
      wake = resolve
      timer = setTimeout(resolve, withinMs)
    })
    clearTimeout(timer)
    return said.shift()
  }
}
