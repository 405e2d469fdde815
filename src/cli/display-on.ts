import { plainDisplay, quietDisplay, type Display } from './display.ts'
import type { Messages } from './io.ts'
import { liveDisplay } from './live.ts'

export interface DisplayOptions {
  readonly env: NodeJS.ProcessEnv
  /** Only what is said, no events. */
  readonly quiet: boolean
}

const REDRAW_MS = 100

/** Live on a terminal, plain lines elsewhere and in CI. */
export function displayOn(messages: Messages, { env, quiet }: DisplayOptions): Display {
  if (quiet) return quietDisplay(messages)
  if (!isLive(messages, env)) return plainDisplay(messages)
  return liveDisplay({
    draw: (...drawing) => {
      messages.draw(...drawing)
    },
    screen: () => ({ columns: messages.columns ?? 80, colour: messages.hasColors(env) }),
    nowMs: () => performance.now(),
    every(draw) {
      const timer = setInterval(draw, REDRAW_MS).unref()
      return () => {
        clearInterval(timer)
      }
    },
  })
}

function isLive(messages: Messages, env: NodeJS.ProcessEnv): boolean {
  const inCi = env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false'
  return messages.isTTY && env['TERM'] !== 'dumb' && !inCi
}
