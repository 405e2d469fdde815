// A child process that keeps Jest loaded and runs test files as its parent asks, one after the other.
import { Session } from 'node:inspector'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { readConfig } from 'jest-config'
import TestRunner from 'jest-runner'
import Runtime from 'jest-runtime'

// Every run compiles its modules again, so cached code would only fill memory.
setFlagsFromString('--no-compilation-cache')

const [root, testTimeout] = process.argv.slice(2)
const { default: jest } = await import(join(root, 'jest.config.js'))
const { displayName: _, ...unit } = jest.projects.find(({ displayName }) => displayName === 'unit')
const config = {
  ...unit,
  rootDir: root,
  testTimeout: Number(testTimeout),
  testEnvironment: join(import.meta.dirname, 'environment.js'),
  cacheDirectory: join(root, '.jest-cache'),
}
const { globalConfig, projectConfig } = await readConfig({ _: [], $0: 'mutate', config: JSON.stringify(config) }, root)
const context = await Runtime.createContext(projectConfig, { console, maxWorkers: 1, watch: false, watchman: false })

const watcher = { isInterrupted: () => false, isWatchMode: () => false, setState: () => undefined }

async function runFile(test) {
  const runner = new TestRunner({ ...globalConfig, silent: true }, {})
  let outcome
  runner.on('test-file-success', ([, result]) => (outcome = outcomeOf(test, result)))
  runner.on('test-file-failure', ([, error]) => (outcome = { test, noticed: String(error?.message ?? error) }))
  await runner.runTests([{ path: join(root, test), context }], watcher, { serial: true })
  return outcome
}

function outcomeOf(test, { testResults, testExecError, failureMessage, numPassingTests }) {
  const failed = testResults.find(({ status }) => status === 'failed')
  const said = failed?.failureMessages.join('\n') ?? testExecError?.message ?? failureMessage ?? ''
  const noticed = failed || testExecError || failureMessage ? (failed?.fullName ?? said.slice(0, 200)) : undefined
  return {
    test,
    noticed,
    passed: numPassingTests,
    why: said.slice(0, 2000),
    timedOut: /Exceeded timeout of/.test(said),
  }
}

const session = new Session()
session.connect()
const post = (method, params) =>
  new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)))
  })

const sources = `${pathToFileURL(join(root, 'src')).href}/`

/** Runs a test file and returns V8's block coverage of the sources. */
async function cover(test) {
  await post('Profiler.enable')
  await post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const begun = performance.now()
  const outcome = await runFile(test)
  const ms = performance.now() - begun
  const { result } = await post('Profiler.takePreciseCoverage')
  await post('Profiler.stopPreciseCoverage')
  const ranges = {}
  for (const { url, functions } of result) {
    if (!url.startsWith(sources)) continue
    const counted = functions.flatMap(one => one.ranges.map(range => [range.startOffset, range.endOffset, range.count]))
    const file = relative(root, fileURLToPath(url))
    // A module can be loaded more than once.
    ranges[file] = [...(ranges[file] ?? []), counted]
  }
  return { ...outcome, ms, ranges }
}

// Timers and sockets that a mutant left behind may fail after its test.
process.on('uncaughtException', () => undefined)
process.on('unhandledRejection', () => undefined)
process.on('disconnect', () => process.exit())
process.on('message', async ({ covers, tests }) => {
  if (covers) return process.send(await cover(covers))
  for (const test of tests) {
    const outcome = await runFile(test)
    process.send({ ...outcome, last: test === tests.at(-1), memory: process.memoryUsage.rss() })
    if (outcome.noticed !== undefined) return
  }
})
process.send({ ready: true })
