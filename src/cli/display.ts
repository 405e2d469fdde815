import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'
import type { Messages } from './io.ts'

/** Where people read what is going on. */
export interface Display {
  readonly onEvent: OnPublishEvent
  readonly say: (lines: readonly string[]) => void
  /** Nothing more will happen; what is said from here on stays. */
  readonly end: () => void
}

/** A line for each event: for logs, CI and pipes. */
export function plainDisplay(messages: Messages): Display {
  const { say, end } = quietDisplay(messages)
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
export function quietDisplay(messages: Messages): Display {
  return {
    onEvent: () => undefined,
    say(lines) {
      messages.say(lines)
    },
    end: () => undefined,
  }
}
