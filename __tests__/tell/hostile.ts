import fc from 'fast-check'

/** What a registry may call things, to pass for what it is not. */
export const HOSTILE = [
  'a\nforged',
  '\r\n::set-output name=digest::evil',
  '::add-mask::e',
  '  ::stop-commands::x',
  '##[error]forged',
  '##vso[task.setvariable variable=a]b',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\u202egnp.exe',
  '\u2066a\u2069',
  'zero\u200bwidth\ufeff',
  'line\u2028paragraph\u2029',
  'next\u0085line',
  '\ud800 alone',
  'tag\u{e0041}',
  '|`x`|<b>\\',
] as const

/** Whether a text holds what could steer a terminal, or look like nothing; newlines are looked at as lines. */
export function isHarmless(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text.replaceAll('\n', ''))
}

/** Whether a CI system reads a line as a command. */
export function isCommand(line: string): boolean {
  return /^\s*::/.test(line) || /##\w*\[/.test(line)
}

/** Any text, with what is dangerous in it more often than chance has it. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), {
    maxLength: 4,
  })
  .map(parts => parts.join(''))
