import fc from 'fast-check'
import { openIo, type Io } from '../../src/cli/io.ts'
import { anyText, isCommand, isHarmless } from '../tell/hostile.ts'
import { fakeIo } from './fake-io.ts'

/** Everything that a command can print a list of texts by, and how many lines that makes. */
const WAYS: Readonly<Record<string, (io: Io, texts: readonly string[]) => number>> = {
  results: ({ stdout }, texts) => (stdout.lines(texts), texts.length),
  messages: ({ stderr }, texts) => (stderr.say(texts), texts.length),
  'bars that are drawn': ({ stderr }, texts) => {
    stderr.draw(
      0,
      texts,
      texts.map(text => ({ text })),
    )
    return texts.length * 2
  },
}

test.each(Object.entries(WAYS))('%s: each is one line, and none steers a terminal or a CI system', (_name, print) => {
  fc.assert(
    fc.property(fc.array(anyText), texts => {
      const { io, out, err } = fakeIo()
      const lines = print(openIo(io), texts)
      const written = `${out()}${err()}`
      expect(written.split('\n')).toHaveLength(lines + 1)
      expect([isHarmless(written), written.split('\n').some(isCommand)]).toEqual([true, false])
    }),
  )
})

test('a document goes to a pipe to the byte, and to a terminal without what steers it', () => {
  const bytes = Buffer.from('{"a": "\u001b[2J\u202e"}\n')
  const pipe = fakeIo()
  openIo(pipe.io).stdout.document(bytes)
  expect(pipe.out()).toBe(bytes.toString())
  const terminal = fakeIo({ tty: true })
  openIo(terminal.io).stdout.document(bytes)
  expect(terminal.out()).toBe('{"a": "\\u001b[2J\\u202e"}\n')
})

test('a secret is hidden before it is escaped, also in JSON', () => {
  const { io, out, err } = fakeIo()
  const edge = openIo(io)
  edge.secrets.add('hunter\u0007two"')
  edge.stderr.say(['it is hunter\u0007two"'])
  edge.stdout.json({ 'key hunter\u0007two"': ['hunter\u0007two"'] })
  expect(err()).toBe('it is ***\n')
  expect(JSON.parse(out())).toEqual({ 'key ***': ['***'] })
})
