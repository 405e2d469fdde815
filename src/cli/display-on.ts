import { plainDisplay, quietDisplay, type Display, type Write } from './display.ts'
import type { Output } from './io.ts'
import { liveDisplay } from './live.ts'

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
  const write: Write = text => {
    output.write(hidden(text, secrets))
  }
  if (quiet) return quietDisplay(write)
  if (!isLive(output, env)) return plainDisplay(write)
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
