import { harmless } from './harmless.ts'
import type { Secrets } from './secrets.ts'

/** Text as GitHub's Markdown that shows it and nothing else: no markup, no link, no mention, no cell of its own. */
export type Shown = (text: string) => string

/**
 * Secrets are hidden before anything is escaped, and what can stand in Markdown as it is does: the runner masks what it
 * knows as a secret in the summary too, and would not find it among escapes.
 */
export function shownWithout(secrets: Secrets): Shown {
  return text => codeSpan(harmless(secrets.hide(text)).trim())
}

/** A code span needs no escapes, but cannot hold a backtick simply, and ends with its cell at a bar. */
function codeSpan(text: string): string {
  if (text === '') return ''
  return /[`|\\]/.test(text) ? `<code>${entities(text)}</code>` : `\`${text}\``
}

function entities(text: string): string {
  return text.replace(/[^\p{L}\p{N} ]/gu, char => `&#${char.codePointAt(0) ?? 0};`)
}
