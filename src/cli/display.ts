import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'

/** Where people read what is going on. */
export interface Display {
  readonly onEvent: OnPublishEvent
  readonly say: (lines: readonly string[]) => void
  /** Nothing more will happen; what is said from here on stays. */
  readonly end: () => void
}

export type Write = (text: string) => void

/** A line for each event: for logs, CI and pipes. */
export function plainDisplay(write: Write): Display {
  const { say, end } = quietDisplay(write)
  return {
    onEvent(event) {
      const line = lineOf(event)
      if (line !== undefined) say([line])
    },
    say,
    end,
  }
}

/** Only what is said, no events. */
export function quietDisplay(write: Write): Display {
  return {
    onEvent: () => undefined,
    say(lines) {
      if (lines.length > 0) write(lines.map(line => `${line}\n`).join(''))
    },
    end: () => undefined,
  }
}
