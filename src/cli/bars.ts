import { bytesText, countText } from '../tell/amount.ts'
import type { DrawnLine } from './io.ts'
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
export function barLines(progress: Progress, nowMs: number, { columns, colour }: Screen): readonly DrawnLine[] {
  const tasks = [...progress.tasks.values()].filter(({ bytes, size }) => size === undefined || bytes < size)
  const shown = tasks.slice(0, MAX_BARS)
  const head = headline(progress, tasks, nowMs)
  if (head === '') return []
  const lines = [
    ...shown.map(task => barLine(task, nowMs, columns)),
    ...(tasks.length > shown.length ? [`  and ${tasks.length - shown.length} more`] : []),
  ]
  return [{ text: head, bold: colour }, ...lines.map(text => ({ text }))]
}

function headline({ step, sentBytes, sendingSinceMs }: Progress, tasks: readonly Task[], nowMs: number): string {
  const layers = tasks.filter(({ kind }) => kind === 'layer').length
  const sent = sendingSinceMs === undefined || sentBytes <= 0 ? '' : bytesText(sentBytes)
  const parts = [
    ...(layers > 0 ? [`making ${countText(layers, 'layer')}`] : []),
    ...(sent === '' ? [] : [`${sent} sent${rateText(sentBytes, nowMs - (sendingSinceMs ?? nowMs))}`]),
  ]
  return parts.length > 0 ? parts.join(', ') : step
}

function barLine({ what, place, bytes, size, startedAtMs }: Task, nowMs: number, columns: number): string {
  const rate = rateText(bytes, nowMs - startedAtMs)
  const to = place === undefined ? '' : `, ${place}`
  if (size === undefined) return `  ${what}  ${bytesText(Math.max(0, bytes))}${rate}${to}`
  const share = Math.min(1, Math.max(0, bytes / size))
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  if (columns <= 60) return `${percent}  ${what}`
  const cells = Math.round(share * BAR_CELLS)
  const bar = `[${'='.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`
  return `  ${bar}${percent}  ${what}  ${bytesText(Math.max(0, bytes))} of ${bytesText(size)}${rate}${to}`
}

/** Nothing in the first moment, when a rate would be noise. */
function rateText(bytes: number, ms: number): string {
  return ms < 500 || bytes <= 0 ? '' : `, ${bytesText((bytes * 1000) / ms)}/s`
}
