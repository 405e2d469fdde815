import { harmless, harmlessJson } from '../tell/harmless.ts'
import { Secrets } from '../tell/secrets.ts'
import type { Runner } from './runner.ts'

/**
 * The edge of the action: everything that it tells the runner goes through here. Every line is one line, and none is a
 * command; what the runner knows as a secret it masks itself, so secrets are only hidden where it would not find them.
 */
export class Edge {
  readonly #runner: Runner
  readonly secrets: Secrets = new Secrets()

  constructor(runner: Runner) {
    this.#runner = runner
  }

  input(name: string): string {
    return this.#runner.getInput(name)
  }

  hide(secret: string): void {
    this.secrets.add(secret)
    this.#runner.setSecret(secret)
  }

  info(line: string): void {
    this.#runner.info(this.#line(line))
  }

  notice(line: string): void {
    this.#runner.notice(this.#line(line))
  }

  warning(line: string): void {
    this.#runner.warning(this.#line(line))
  }

  error(line: string, title?: string): void {
    this.#runner.error(this.#line(line), title === undefined ? undefined : { title: this.#line(title) })
  }

  /** Only what is asked for by debug logging. */
  debug(lines: () => readonly string[]): void {
    if (!this.#runner.isDebug()) return
    for (const line of lines()) this.#runner.debug(this.#line(line))
  }

  startGroup(line: string): void {
    this.#runner.startGroup(this.#line(line))
  }

  endGroup(): void {
    this.#runner.endGroup()
  }

  /** Fails the step. */
  fail(lines: readonly string[]): void {
    this.#runner.setFailed(lines.map(this.#line).join('\n'))
  }

  /** Sets an output to one text, to a list with an entry a line, or to JSON. No entry can pass for two. */
  output(name: string, value: OutputValue): void {
    this.#runner.setOutput(name, outputText(value))
  }

  // Secrets first: escaped they would not be known any more.
  readonly #line = (line: string): string => harmless(this.secrets.hide(line))
}

export type OutputValue = string | readonly string[] | { readonly json: unknown }

/** Without hiding: an output is handed on and not printed, and the runner refuses those with secrets where it matters. */
export function outputText(value: OutputValue): string {
  if (typeof value === 'string') return harmless(value)
  return 'json' in value ? harmlessJson(value.json, 0) : value.map(harmless).join('\n')
}
