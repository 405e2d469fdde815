import type { Healthcheck } from '../oci/image-config.ts'
import { jsonWords } from './words.ts'

const OPTION = /^--([a-z-]+)=(\S+)\s*/
const NANOSECONDS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, ns: 1 }
const FIELD: Readonly<Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
}

/**
 * Reads what follows HEALTHCHECK in a Dockerfile: `[--interval=30s] [--timeout=3s] [--start-period=] [--start-interval=]
 * [--retries=3] CMD command`, the command as JSON array or for a shell, or `NONE`.
 *
 * @throws {Error} saying what is wrong with it
 */
export function parseHealthcheck(text: string): Healthcheck {
  let rest = text.trim()
  if (rest.toUpperCase() === 'NONE') return { Test: ['NONE'] }
  const options: Record<string, number> = {}
  for (let match = OPTION.exec(rest); match; match = OPTION.exec(rest)) {
    const [whole, name = '', value = ''] = match
    const field = FIELD[name]
    if (field) options[field] = parseDuration(value)
    else if (name === 'retries') options['Retries'] = parseRetries(value)
    else throw new Error(`--${name} is not an option; there are ${Object.keys(FIELD).join(', ')} and retries`)
    rest = rest.slice(whole.length)
  }
  const command = /^CMD\s+(\S.*)$/is.exec(rest)?.[1]
  if (command === undefined) throw new Error('it is NONE, or options and then CMD and a command')
  return { Test: command.startsWith('[') ? ['CMD', ...jsonWords(command)] : ['CMD-SHELL', command], ...options }
}

/** Go's form, `1m30s`; at least a millisecond, as Docker wants it. Nanoseconds. */
function parseDuration(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|us|ns|m|s))+$/.test(text)) throw new Error(`"${text}" is not a duration such as 1m30s`)
  const total = [...text.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)/g)]
    .map(([, amount = '0', unit = 's']) => Number(amount) * (NANOSECONDS[unit] ?? 0))
    .reduce((sum, part) => sum + part, 0)
  if (total !== 0 && total < 1e6) throw new Error(`"${text}" is less than a millisecond`)
  return Math.round(total)
}

function parseRetries(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--retries=${text} is not a whole number`)
  return Number(text)
}
