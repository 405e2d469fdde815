import {
  debug,
  endGroup,
  error,
  getInput,
  info,
  isDebug,
  notice,
  setFailed,
  setOutput,
  setSecret,
  startGroup,
  warning,
} from '@actions/core'
import { Edge } from './action/edge.ts'
import { explain } from './action/explain.ts'
import { runAction } from './action/run.ts'
import { abortOn } from './async/abort-on.ts'
import { prepareProcess } from './process.ts'
import { publishAll } from './publish/publication.ts'
import { wire } from './wire.ts'

prepareProcess(process.env)

// By name, so that the bundle leaves out the rest of the toolkit: its HTTP client is larger than all of our own code.
const runner = {
  ...{ getInput, setOutput, setSecret, setFailed },
  ...{ error, warning, notice, info, debug, isDebug, startGroup, endGroup },
}

// Not even what nobody foresaw leaves by another way: Node would print it as it is.
process.on('uncaughtException', error => {
  explain(new Edge(runner), error)
  process.exit(1)
})

// The runner sends SIGINT when a run is cancelled, and SIGTERM soon after.
await runAction(runner, { publish: publishAll, wire, env: process.env, signal: abortOn('SIGINT', 'SIGTERM') })
