import { messageOf } from '../../src/errors.ts'
import type { Runner } from '../../src/action/runner.ts'

export interface Recorder {
  readonly runner: Runner
  /** Every call in order, as `name: text`. */
  readonly calls: string[]
  readonly outputs: Map<string, unknown>
}

/** A runner that keeps what it is told. */
export function recorder(
  inputs: Readonly<Record<string, string>> = {},
  { debug = false }: { readonly debug?: boolean } = {},
): Recorder {
  const calls: string[] = []
  const outputs = new Map<string, unknown>()
  const keep =
    (name: string) =>
    (text?: string | Error): void => {
      calls.push(text === undefined ? name : `${name}: ${messageOf(text)}`)
    }
  const runner: Runner = {
    getInput(name) {
      calls.push(`getInput: ${name}`)
      return inputs[name] ?? ''
    },
    setOutput(name, value) {
      outputs.set(name, value)
    },
    setSecret: keep('setSecret'),
    setFailed: keep('setFailed'),
    error: (message, properties) => {
      keep(properties?.title === undefined ? 'error' : `error [${properties.title}]`)(message)
    },
    warning: keep('warning'),
    notice: keep('notice'),
    info: keep('info'),
    debug: keep('debug'),
    isDebug: () => debug,
    startGroup: keep('startGroup'),
    endGroup: keep('endGroup'),
  }
  return { runner, calls, outputs }
}
