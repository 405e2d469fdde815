import type { CopyResult } from '../../src/copy/copy.ts'
import { mergedResult, mergedSteps } from '../../src/copy/merged.ts'
import { textBlob } from './sample.ts'

const [a, b, c] = [textBlob('a').descriptor, textBlob('bb').descriptor, textBlob('ccc').descriptor]
const none = { descriptors: [], bytes: 0 }

test('what several copies have in common counts once, and what came with one is not there already for another', () => {
  const first: CopyResult = {
    sent: { descriptors: [a], bytes: 1 },
    mounted: none,
    existing: { descriptors: [c], bytes: 3 },
  }
  const second: CopyResult = {
    sent: { descriptors: [a], bytes: 1 },
    mounted: { descriptors: [b], bytes: 2 },
    existing: { descriptors: [a, b, c], bytes: 6 },
  }
  expect(mergedResult([first, second])).toEqual({
    sent: { descriptors: [a], bytes: 2 }, // on the wire it was twice
    mounted: { descriptors: [b], bytes: 2 },
    existing: { descriptors: [c], bytes: 3 },
  })
  expect(mergedResult([])).toEqual({ sent: none, mounted: none, existing: none })
})

test('a plan of several copies has each step once', () => {
  const keep = { do: 'keep', descriptor: a, bytes: 0 } as const
  const send = { do: 'send', descriptor: b, bytes: 2 } as const
  expect(mergedSteps([[keep, send], [send], []])).toEqual([keep, send])
})
