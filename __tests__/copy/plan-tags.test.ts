import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { planTags, tagsToMove, type OnExistingTag, type TagStep } from '../../src/copy/plan-tags.ts'

const wanted = digestOf(new Uint8Array([1]))
const older = digestOf(new Uint8Array([2]))

const now = new Map<string, Digest | undefined>([
  ['v1', wanted],
  ['latest', older],
  ['new', undefined],
])

describe('a tag that is where it shall be stays, so that a registry with immutable tags has nothing to refuse', () => {
  test.each<[onExisting: OnExistingTag, latest: TagStep, moves: readonly string[]]>([
    ['overwrite', { do: 'move', tag: 'latest', from: older }, ['latest', 'new']],
    ['skip', { do: 'leave', tag: 'latest', from: older }, ['new']],
    ['fail', { do: 'refuse', tag: 'latest', from: older }, ['new']],
  ])('and one that is elsewhere, with on-existing-tag: %s', (onExisting, latest, moves) => {
    const steps = planTags(wanted, now, onExisting)
    expect(steps).toEqual([{ do: 'keep', tag: 'v1' }, latest, { do: 'move', tag: 'new', from: undefined }])
    expect(tagsToMove(steps)).toEqual(moves)
  })
})
