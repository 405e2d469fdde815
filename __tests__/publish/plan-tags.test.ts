import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { planTags, tagsToMove } from '../../src/publish/plan-tags.ts'

const wanted = digestOf(new Uint8Array([1]))
const older = digestOf(new Uint8Array([2]))

test('a tag that is where it shall be stays, so that a registry with immutable tags has nothing to refuse', () => {
  const now = new Map<string, Digest | undefined>([
    ['v1', wanted],
    ['latest', older],
    ['new', undefined],
  ])
  const steps = planTags(wanted, now)
  expect(steps).toEqual([
    { do: 'keep', tag: 'v1' },
    { do: 'move', tag: 'latest', from: older },
    { do: 'move', tag: 'new', from: undefined },
  ])
  expect(tagsToMove(steps)).toEqual(['latest', 'new'])
})
