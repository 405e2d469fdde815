import { barLines } from '../../src/cli/bars.ts'
import { displayOn } from '../../src/cli/display-on.ts'
import { liveDisplay } from '../../src/cli/live.ts'
import { IDLE, advance, type Progress } from '../../src/cli/progress.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import { sampleDigest } from '../tell/sample-report.ts'
import { openIo } from '../../src/cli/io.ts'
import { fakeIo } from './fake-io.ts'

const place = 'ghcr.io/team/app'
const blob = { mediaType: 'application/octet-stream', digest: sampleDigest('blob'), size: 10_000_000 }
const short = blob.digest.slice(0, 19)
const wide = { columns: 120, colour: false }

function sent(bytes: number, of = blob): PublishEvent {
  return { type: 'blob-progress', blob: of, bytes, place }
}

function after(...events: readonly (readonly [atMs: number, event: PublishEvent])[]): Progress {
  return events.reduce((progress, [atMs, event]) => advance(progress, event, atMs), IDLE)
}

function linesOf(...asked: Parameters<typeof barLines>): readonly string[] {
  return barLines(...asked).map(({ text }) => text)
}

describe('bars', () => {
  test('a blob on its way has a bar, its bytes and its rate', () => {
    expect(linesOf(after([0, sent(1_000_000)], [1000, sent(4_000_000)]), 2000, wide)).toEqual([
      '5.0 MB sent, 2.5 MB/s',
      `  [==========          ] 50%  ${short}  5.0 MB of 10 MB, 2.5 MB/s, ${place}`,
    ])
  })

  test('an attempt that starts over takes its bytes back', () => {
    expect(linesOf(after([0, sent(8_000_000)], [1, sent(-8_000_000)], [2, sent(1_000_000)]), 3, wide)).toEqual([
      '1.0 MB sent',
      `  [==                  ] 10%  ${short}  1.0 MB of 10 MB, ${place}`,
    ])
  })

  test('a blob that is done is gone', () => {
    const done = { type: 'blob-done', blob, how: 'uploaded', bytes: blob.size, place } as const
    expect(linesOf(after([0, sent(blob.size)], [1000, done]), 1000, wide)).toEqual(['10 MB sent, 10 MB/s'])
  })

  test('one blob to two registries is two transfers', () => {
    const other = { ...sent(5_000_000), place: 'quay.io/team/app' }
    expect(linesOf(after([0, sent(1_000_000)], [0, other]), 100, wide)).toHaveLength(3)
  })

  test('a layer that is made is seen too, also in its second pass', () => {
    const line = 'dist/:/app'
    const events: readonly PublishEvent[] = [
      { type: 'layer-start', line, bytes: 1000 },
      { type: 'layer-bytes', line, delta: 1000, pass: 'hash' },
      { type: 'layer-bytes', line, delta: 250, pass: 'compress' },
    ]
    expect(linesOf(after(...events.map(event => [0, event] as const)), 100, wide)).toEqual([
      'making 1 layer',
      '  [=====               ] 25%  dist/:/app  250 B of 1.0 kB',
    ])
  })

  test('many blobs do not push everything else off the screen', () => {
    const many = Array.from({ length: 20 }, (_, i) => sent(1, { ...blob, digest: sampleDigest(`${i}`) }))
    const lines = linesOf(after(...many.map(event => [0, event] as const)), 0, wide)
    expect(lines).toHaveLength(10)
    expect(lines.at(-1)).toBe('  and 12 more')
  })

  test.each([200, 80, 61, 40, 20, 2, 1, 0])('no line is wider than a terminal of %d columns', columns => {
    const progress = after([0, { type: 'step', step: 'push', text: 'x'.repeat(300) }], [0, sent(1_000_000)])
    const written: string[] = []
    const { io } = fakeIo()
    const { stderr } = openIo({ ...io, stderr: { columns, write: text => written.push(String(text)) } })
    stderr.draw(0, [], barLines(progress, 1000, { columns, colour: false }))
    for (const line of written.join('').split('\n')) expect(line.length).toBeLessThanOrEqual(Math.max(1, columns - 1))
  })

  test('before anything happens nothing is drawn', () => {
    expect(barLines(IDLE, 0, wide)).toEqual([])
  })

  test('colours only where they are wanted', () => {
    const progress = after([0, { type: 'step', step: 'base', text: 'step' }])
    expect(linesOf(progress, 0, wide)).toEqual(['step'])
    expect(barLines(progress, 0, { ...wide, colour: true })).toEqual([{ text: 'step', bold: true }])
  })
})

/** What a terminal shows in the end, of text with the two movements that the display uses. */
function screenOf(text: string): readonly string[] {
  let lines: string[] = []
  for (const [, up, line] of text.matchAll(/\u001b\[(\d+)A\r\u001b\[J|(.*)\n/g)) {
    if (up !== undefined) lines = lines.slice(0, lines.length - Number(up))
    else if (line !== undefined) lines.push(line)
  }
  return lines
}

describe('liveDisplay()', () => {
  function start() {
    const written: string[] = []
    const { io } = fakeIo()
    const { stderr } = openIo({ ...io, stderr: { columns: 120, write: text => written.push(String(text)) } })
    const clock = { ms: 0, draw: (): void => undefined, stopped: false }
    const display = liveDisplay({
      draw: (...drawing) => {
        stderr.draw(...drawing)
      },
      screen: () => wide,
      nowMs: () => clock.ms,
      every(draw) {
        clock.draw = draw
        return () => {
          clock.stopped = true
        }
      },
    })
    return { display, written, clock, screen: () => screenOf(written.join('')) }
  }

  test('draws with the clock and not with every event', () => {
    const { display, written, clock } = start()
    for (let i = 0; i < 1000; i++) display.onEvent(sent(1000))
    expect(written).toHaveLength(0)
    clock.draw()
    expect(written).toHaveLength(1)
  })

  test('what is done stays above, what is going on is drawn over', () => {
    const { display, clock, screen } = start()
    display.onEvent({ type: 'notice', text: 'a notice' })
    display.onEvent(sent(1_000_000))
    clock.draw()
    display.onEvent(sent(1_000_000))
    clock.draw()
    expect(screen()).toEqual([
      'a notice',
      '2.0 MB sent',
      `  [====                ] 20%  ${short}  2.0 MB of 10 MB, ${place}`,
    ])
    display.onEvent({ type: 'blob-done', blob, how: 'uploaded', bytes: blob.size, place })
    display.end()
    display.say(['published'])
    expect(screen()).toEqual(['a notice', `sent: ${short}, 10 MB, ${place}`, 'published'])
    expect(clock.stopped).toBe(true)
  })

  test('an idle display does not write', () => {
    const { clock, written, display } = start()
    clock.draw()
    display.end()
    expect(written).toEqual([])
  })
})

describe('displayOn()', () => {
  test.each([
    ['a file or a pipe', false, {}],
    ['CI', true, { CI: 'true' }],
    ['a dumb terminal', true, { TERM: 'dumb' }],
  ])('%s gets plain lines as things happen', (_name, tty, env) => {
    const { io, err } = fakeIo({ tty })
    const display = displayOn(openIo(io).stderr, { env, quiet: false })
    display.onEvent(sent(1))
    display.onEvent({ type: 'notice', text: 'a notice' })
    expect(err()).toBe('a notice\n')
    display.end()
  })

  test('a terminal gets the live display', () => {
    const { io, err } = fakeIo({ tty: true })
    const display = displayOn(openIo(io).stderr, { env: { CI: 'false' }, quiet: false })
    display.onEvent({ type: 'notice', text: 'a notice' })
    expect(err()).toBe('')
    display.end()
    expect(err()).toBe('a notice\n')
  })
})
