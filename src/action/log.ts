import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'
import { inert } from './inert.ts'
import type { Runner } from './runner.ts'

type Log = Pick<Runner, 'info' | 'notice' | 'warning' | 'startGroup' | 'endGroup'>

export interface Narrator {
  readonly onEvent: OnPublishEvent
  /** Ends the group that is open, so that what follows is seen without unfolding it. */
  readonly end: () => void
}

/** Tells events in the log: a group for each step, a line for each event. */
export function narrate(runner: Log): Narrator {
  let open = false
  const end = (): void => {
    if (open) runner.endGroup()
    open = false
  }
  return {
    end,
    onEvent(event) {
      const line = lineOf(event)
      if (line === undefined) return
      if (event.type === 'step') {
        end()
        runner.startGroup(line)
        open = true
      } else if (event.type === 'notice') runner.notice(line)
      else runner.info(inert(line))
    },
  }
}
