import { styleText } from 'node:util'
import { shortDigest } from '../oci/digest.ts'
import { bytesText } from '../tell/amount.ts'
import { oneLine } from '../tell/one-line.ts'
import type { Progress, Transfer } from './progress.ts'

export interface Screen {
  /** Cells of a line. */
  readonly columns: number
  readonly colour: boolean
}

/** More lines than this would push what was said before off a small terminal. */
const MAX_BARS = 8
const BAR_CELLS = 20

/** What is going on, as the lines to show now: the step, then a bar for each blob on its way. */
export function barLines(progress: Progress, nowMs: number, { columns, colour }: Screen): readonly string[] {
  if (progress.step === '' && progress.transfers.size === 0) return []
  const bold = (text: string): string => (colour ? styleText('bold', text) : text)
  // The last cell stays free: a terminal that wraps there would need one line more than was counted.
  const width = Math.max(1, columns - 1)
  const transfers = [...progress.transfers.values()]
  const shown = transfers.slice(0, MAX_BARS)
  const more = transfers.length - shown.length
  return [
    bold(cut(headline(progress, nowMs), width)),
    ...shown.map(transfer => cut(barLine(transfer, nowMs, width), width)),
    ...(more > 0 ? [cut(`  and ${more} more`, width)] : []),
  ]
}

function headline({ step, sentBytes, startedAtMs }: Progress, nowMs: number): string {
  if (startedAtMs === undefined || sentBytes <= 0) return oneLine(step)
  return `${oneLine(step)}, ${bytesText(sentBytes)} sent${rateText(sentBytes, nowMs - startedAtMs)}`
}

function barLine({ blob, bytes, place, startedAtMs }: Transfer, nowMs: number, width: number): string {
  const share = blob.size === 0 ? 1 : Math.min(1, Math.max(0, bytes / blob.size))
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  if (width < 60) return `  ${shortDigest(blob.digest).slice(7)} ${percent}`
  const cells = Math.round(share * BAR_CELLS)
  const bar = `[${'='.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`
  const amount = `${bytesText(bytes)} of ${bytesText(blob.size)}${rateText(bytes, nowMs - startedAtMs)}`
  return `  ${shortDigest(blob.digest).slice(7)} ${bar}${percent}  ${amount}, ${oneLine(place)}`
}

/** Nothing in the first moment, when a rate would be noise. */
function rateText(bytes: number, ms: number): string {
  return ms < 500 || bytes <= 0 ? '' : `, ${bytesText((bytes * 1000) / ms)}/s`
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
