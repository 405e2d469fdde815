import { bytesText, countText } from '../tell/amount.ts'
import { oneLine } from '../tell/one-line.ts'
import type { Progress, Task } from './progress.ts'

export interface Screen {
  /** Cells of a line. */
  readonly columns: number
  readonly colour: boolean
}

/** More lines than this would push what was said before off a small terminal. */
const MAX_BARS = 8
const BAR_CELLS = 20

/** What is going on, as the lines to show now: a headline, then a bar for each layer and blob that is not done. */
export function barLines(progress: Progress, nowMs: number, { columns, colour }: Screen): readonly string[] {
  const tasks = [...progress.tasks.values()].filter(({ bytes, size }) => size === undefined || bytes < size)
  const shown = tasks.slice(0, MAX_BARS)
  const head = headline(progress, tasks, nowMs)
  if (head === '') return []
  // The last cell stays free: a terminal that wraps there would need one line more than was counted.
  const width = Math.max(1, columns - 1)
  const first = cut(head, width)
  return [
    colour ? `\u001b[1m${first}\u001b[22m` : first,
    ...shown.map(task => cut(barLine(task, nowMs, width), width)),
    ...(tasks.length > shown.length ? [cut(`  and ${tasks.length - shown.length} more`, width)] : []),
  ]
}

function headline({ step, sentBytes, sendingSinceMs }: Progress, tasks: readonly Task[], nowMs: number): string {
  const layers = tasks.filter(({ kind }) => kind === 'layer').length
  const sent = sendingSinceMs === undefined || sentBytes <= 0 ? '' : bytesText(sentBytes)
  const parts = [
    ...(layers > 0 ? [`making ${countText(layers, 'layer')}`] : []),
    ...(sent === '' ? [] : [`${sent} sent${rateText(sentBytes, nowMs - (sendingSinceMs ?? nowMs))}`]),
  ]
  return parts.length > 0 ? parts.join(', ') : oneLine(step)
}

function barLine({ what, place, bytes, size, startedAtMs }: Task, nowMs: number, width: number): string {
  const rate = rateText(bytes, nowMs - startedAtMs)
  const to = place === undefined ? '' : `, ${oneLine(place)}`
  if (size === undefined) return `  ${oneLine(what)}  ${bytesText(Math.max(0, bytes))}${rate}${to}`
  const share = Math.min(1, Math.max(0, bytes / size))
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  if (width < 60) return `${percent}  ${oneLine(what)}`
  const cells = Math.round(share * BAR_CELLS)
  const bar = `[${'='.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`
  return `  ${bar}${percent}  ${oneLine(what)}  ${bytesText(Math.max(0, bytes))} of ${bytesText(size)}${rate}${to}`
}

/** Nothing in the first moment, when a rate would be noise. */
function rateText(bytes: number, ms: number): string {
  return ms < 500 || bytes <= 0 ? '' : `, ${bytesText((bytes * 1000) / ms)}/s`
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
