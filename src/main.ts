import * as core from '@actions/core'
import { runAction } from './action/run.ts'
import { abortOn } from './async/abort-on.ts'
import { publish } from './publish/publish.ts'
import { wire } from './wire.ts'

// The runner sends SIGINT when a run is cancelled, and SIGTERM soon after.
await runAction(core, { publish, wire, env: process.env, signal: abortOn('SIGINT', 'SIGTERM') })
