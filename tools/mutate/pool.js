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
    await answer(started, 10 * GRACE_MS)
    return started
  }
  const close = () => {
    child?.kill('SIGKILL')
    child = undefined
  }
  return {
    close,
    /** Runs one test file for its duration and coverage. */
    async cover(test) {
      child ??= await start()
      child.send({ covers: test })
      const said = await answer(child, 20 * GRACE_MS)
      if (!said) close()
      return said
    },
    /** @returns {Promise<{ outcome: 'noticed' | 'timeout' | 'survived', by?: string }>} */
    async run(tests, usualMs) {
      child ??= await start()
      child.send({ tests })
      for (const test of tests) {
        const said = await answer(child, GRACE_MS + 20 * usualMs(test))
        if (!said || 'died' in said) {
          close()
          return { outcome: said ? 'noticed' : 'timeout', by: test }
        }
        if (said.memory > MAX_MEMORY || said.timedOut) close()
        if (said.noticed !== undefined)
          return { outcome: said.timedOut ? 'timeout' : 'noticed', by: `${test}: ${said.noticed}` }
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

/** The next message of a process; undefined when none arrives in time. */
function answer(child, withinMs) {
  return new Promise(resolve => {
    const done = said => {
      clearTimeout(timer)
      child.off('message', done)
      child.off('exit', died)
      resolve(said)
    }
    const died = code => done({ died: code })
    const timer = setTimeout(done, withinMs)
    child.on('message', done)
    child.on('exit', died)
  })
}
