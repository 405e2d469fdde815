import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'
import type { Output } from './io.ts'
import { liveDisplay } from './live.ts'

/** Where people read what is going on. */
export interface Display {
  readonly onEvent: OnPublishEvent
  readonly say: (lines: readonly string[]) => void
  /** Nothing more will happen; what is said from here on stays. */
  readonly end: () => void
}

export interface DisplayOptions {
  readonly env: NodeJS.ProcessEnv
  /** Only what is said, no events. */
  readonly quiet: boolean
  /** Texts that are never shown; may grow. */
  readonly secrets: ReadonlySet<string>
}

const REDRAW_MS = 100

/** Live on a terminal, plain lines elsewhere and in CI. */
export function displayOn(output: Output, { env, quiet, secrets }: DisplayOptions): Display {
  const write = (text: string): void => {
    output.write(hidden(text, secrets))
  }
  const say = (lines: readonly string[]): void => {
    if (lines.length > 0) write(lines.map(line => `${line}\n`).join(''))
  }
  if (quiet) return { onEvent: () => undefined, say, end: () => undefined }
  if (!isLive(output, env)) {
    return {
      onEvent(event) {
        const line = lineOf(event)
        if (line !== undefined) say([line])
      },
      say,
      end: () => undefined,
    }
  }
  return liveDisplay({
    write,
    screen: () => ({ columns: output.columns ?? 80, colour: output.hasColors?.(env) ?? false }),
    nowMs: () => performance.now(),
    every(draw) {
      const timer = setInterval(draw, REDRAW_MS).unref()
      return () => {
        clearInterval(timer)
      }
    },
  })
}

function isLive(output: Output, env: NodeJS.ProcessEnv): boolean {
  const inCi = env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false'
  return output.isTTY === true && env['TERM'] !== 'dumb' && !inCi
}

function hidden(text: string, secrets: ReadonlySet<string>): string {
  let shown = text
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '***')
  return shown
}
