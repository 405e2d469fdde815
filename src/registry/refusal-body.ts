import { parseJson } from '../parse.ts'
import { pageText } from './page-text.ts'

/** What the body of a refusal says, whichever form it has. */
export interface Said {
  /** The registry's own codes: `NAME_UNKNOWN`. */
  readonly codes: readonly string[]
  /** Its own words, at most a few hundred characters, on one line. */
  readonly detail: string
}

const MAX_DETAIL = 400
const MAX_CODES = 8

/**
 * Reads the body of a refusal: `{"errors": [...]}` of the specification, the single object that some send in its place,
 * the errors of OAuth2 token servers, and the text of proxies, HTML or plain.
 *
 * @see distribution-spec, "Error codes"
 */
export function readRefusalBody(body: string): Said {
  const trimmed = body.trim()
  if (trimmed === '') return { codes: [], detail: '' }
  let value: unknown
  try {
    value = parseJson(trimmed, 'refusal')
  } catch {
    return { codes: [], detail: cut(/<[a-z!]/i.test(trimmed) ? pageText(trimmed) : trimmed) }
  }
  const errors = isRecord(value) && Array.isArray(value['errors']) ? (value['errors'] as unknown[]) : [value]
  const said = errors.filter(isRecord).map(one => ({ code: codeOf(one), words: wordsOf(one) }))
  const words = [...new Set(said.map(({ words }) => words).filter(text => text !== ''))].join('; ')
  return {
    codes: [...new Set(said.map(({ code }) => code).filter(code => code !== ''))].slice(0, MAX_CODES),
    detail: cut(words === '' && said.every(({ code }) => code === '') ? trimmed : words),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function codeOf(one: Record<string, unknown>): string {
  const code = one['code'] ?? one['error']
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : ''
}

function wordsOf(one: Record<string, unknown>): string {
  const message =
    [one['message'], one['error_description'], one['details']].find(text => typeof text === 'string') ?? ''
  const detail = one['detail']
  const more = typeof detail === 'string' ? detail : isEmpty(detail) ? '' : JSON.stringify(detail)
  if (more === '' || message.includes(more)) return message
  return message === '' ? more : `${message} (${more})`
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

function cut(text: string): string {
  // A control character must not write into the log of a job.
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL)}…` : line
}
