import fc from 'fast-check'
import { harmless, harmlessDocument, harmlessJson } from '../../src/tell/harmless.ts'
import { Secrets } from '../../src/tell/secrets.ts'
import { anyText, isCommand, isHarmless } from './hostile.ts'

describe('harmless()', () => {
  test.each([
    ['a newline', 'a\nb', 'a\\nb'],
    ['a carriage return and a tab', '\r\tb', '\\r\\tb'],
    ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['a control of the C1 set', '\u009b2J', '\\u009b2J'],
    ['a bidirectional override', 'a\u202egnp', 'a\\u202egnp'],
    ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a lone surrogate', 'a\ud800', 'a\\ud800'],
    ['a tag character', '\u{e0041}', '\\udb40\\udc41'],
    ["a command of GitHub's runner", ' ::set-output name=x::y', ' \\::set-output name=x::y'],
    ['one of the older kind', 'no ##[error]x', 'no ##\\[error]x'],
    ["one of Azure's", '##vso[a]b', '##vso\\[a]b'],
    ['text as it should be', 'Größe 日本 😀 ghcr.io/a@sha256:0', 'Größe 日本 😀 ghcr.io/a@sha256:0'],
  ])('%s is shown and does nothing', (_what, text, shown) => {
    expect(harmless(text)).toBe(shown)
  })

  test('whatever the text, one line leaves that no terminal and no CI system obeys, and it stays as it is', () => {
    fc.assert(
      fc.property(anyText, text => {
        const line = harmless(text)
        expect(line).not.toContain('\n')
        expect([isHarmless(line), isCommand(line), harmless(line)]).toEqual([true, false, line])
      }),
    )
  })
})

test('JSON means the same, and holds nothing that steers', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, fc.oneof(anyText, fc.array(anyText))), value => {
      const text = harmlessJson(value)
      expect([isHarmless(text), text.split('\n').some(isCommand)]).toEqual([true, false])
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a document on a terminal keeps its lines, and nothing that steers', () => {
  fc.assert(
    fc.property(anyText, text => {
      const shown = harmlessDocument(text)
      expect(isHarmless(shown)).toBe(true)
      expect(shown.split('\n')).toHaveLength(text.split('\n').length)
    }),
  )
})

describe('secrets', () => {
  test.each([
    ['as they are', 's3cr&t"word', 'the token is s3cr&t"word'],
    ['in an address', 's3cr&t"word', 'https://r.example/?t=s3cr%26t%22word'],
    ['in JSON', 's3cr&t"word', '{"token":"s3cr&t\\"word"}'],
    ['in a header', 's3cr&t"word', `Basic ${Buffer.from('s3cr&t"word').toString('base64')}`],
    ['a line of a key', '-----BEGIN KEY-----\nMIGHAgEAMBMG\n-----END KEY-----', 'bad line MIGHAgEAMBMG'],
    ['one that holds another', 'abcdefgh-abcdefgh', 'abcdefgh-abcdefgh'],
  ])('are hidden %s', (_how, secret, text) => {
    const secrets = new Secrets()
    secrets.add('abcdefgh')
    secrets.add(secret)
    for (const shown of [secrets.hide(text), secrets.hideInNames(text)]) {
      expect(shown).toContain('***')
      expect(shown).not.toMatch(/s3cr|MIGH|abcd/)
    }
  })

  test('a short one breaks no name that programs read', () => {
    const secrets = new Secrets()
    secrets.add('team')
    expect([secrets.hide('ghcr.io/team/app'), secrets.hideInNames('ghcr.io/team/app')]).toEqual([
      'ghcr.io/***/app',
      'ghcr.io/team/app',
    ])
  })
})
