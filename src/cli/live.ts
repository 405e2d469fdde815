import type { OnPublishEvent } from '../publish/event.ts'
import { lineOf } from '../tell/line.ts'
import { barLines, type Screen } from './bars.ts'
import type { Display } from './display.ts'
import type { Messages } from './io.ts'
import { IDLE, advance } from './progress.ts'

export interface LiveOptions {
  readonly draw: Messages['draw']
  /** Asked before every drawing: windows change their size. */
  readonly screen: () => Screen
  readonly nowMs: () => number
  /** Calls `draw` again and again until the returned function is called. */
  readonly every: (draw: () => void) => () => void
}

/** Lines that stay, and below them bars that are drawn over. Nothing is hidden or switched, so a kill leaves no mess. */
export function liveDisplay({ draw: drawOn, screen, nowMs, every }: LiveOptions): Display {
  let progress = IDLE
  let drawn = 0
  let changed = false
  const waiting: string[] = []
  const draw = (above: readonly string[]): void => {
    const bars = barLines(progress, nowMs(), screen())
    drawOn(drawn, above, bars)
    drawn = bars.length
    changed = false
  }
  const flush = (): void => {
    draw(waiting.splice(0))
  }
  const stop = every(() => {
    if (changed || progress.tasks.size > 0) flush()
  })
  const onEvent: OnPublishEvent = event => {
    progress = advance(progress, event, nowMs())
    changed = true
    const line = event.type === 'step' ? undefined : lineOf(event)
    if (line !== undefined) waiting.push(line)
  }
  return {
    onEvent,
    say(lines) {
      waiting.push(...lines)
      flush()
    },
    end() {
      stop()
      progress = IDLE
      if (drawn > 0 || waiting.length > 0) flush()
    },
  }
}
