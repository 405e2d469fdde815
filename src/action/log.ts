import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'
import type { Edge } from './edge.ts'

export interface Narrator {
  readonly onEvent: OnPublishEvent
  /** Ends the group that is open, so that what follows is seen without unfolding it. */
  readonly end: () => void
}

/** Tells events in the log: a group for each step, a line for each event. */
export function narrate(edge: Edge): Narrator {
  let open = false
  const end = (): void => {
    if (open) edge.endGroup()
    open = false
  }
  return {
    end,
    onEvent(event) {
      const line = lineOf(event)
      if (line === undefined) return
      if (event.type === 'step') {
        end()
        edge.startGroup(line)
        open = true
      } else if (event.type === 'notice') edge.notice(line)
      else edge.info(line)
    },
  }
}
