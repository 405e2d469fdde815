import type { Case } from '../case.ts'
import { PERSONALITIES, type PersonalityName } from '../personality.ts'
import type { Shape } from '../sample.ts'

const NAMES = Object.keys(PERSONALITIES) as readonly PersonalityName[]

/** Nothing goes wrong but what is wrong with the registry itself. */
export const PLAIN: readonly Case[] = NAMES.flatMap((personality): readonly Case[] => [
  { name: `${personality}: push`, personality, job: 'push', expect: 'done' },
  { name: `${personality}: copy to`, personality, job: 'copy', expect: 'done' },
  { name: `${personality}: copy within`, personality, job: 'mount', expect: 'done' },
  { name: `${personality}: pull`, personality, job: 'pull', expect: 'done' },
  {
    name: `${personality}: push what is there`,
    personality,
    job: 'push',
    before: 'same',
    expect: 'done',
    sendsNothing: true,
  },
  { name: `${personality}: move a tag`, personality, job: 'push', before: 'other', expect: 'done' },
  ...(PERSONALITIES[personality].immutable ? immutable(personality) : []),
])

function immutable(personality: PersonalityName): readonly Case[] {
  const fixed = { personality, job: 'push', immutable: true } as const
  return [
    {
      ...fixed,
      name: `${personality}: push what an immutable tag has`,
      before: 'same',
      expect: 'done',
      sendsNothing: true,
    },
    { ...fixed, name: `${personality}: move an immutable tag`, before: 'other', expect: 'error' },
  ]
}

const SHAPES: readonly (readonly [shape: Shape, what: string])[] = [
  ['image', 'an image'],
  ['docker', 'an index of Docker'],
  ['nested', 'an index in an index'],
  ['artifact', 'an artifact'],
  ['no-layers', 'an image without layers'],
  ['empty-layer', 'a layer of no bytes'],
  ['unknown-fields', 'fields that nobody knows'],
  ['no-media-type', 'an index that does not say what it is'],
  ['foreign-layer', 'a layer that is kept elsewhere'],
  ['attested', 'attestations among the platforms'],
  ['sha512', 'digests by sha512'],
]

/** What registries hold, byte for byte. */
export const SHAPED: readonly Case[] = SHAPES.flatMap(([shape, what]): readonly Case[] => [
  { name: `push ${what}`, personality: 'spec', job: 'push', shape, expect: 'done' },
  { name: `copy ${what}`, personality: 'spec', job: 'copy', shape, expect: 'done' },
  // Who pulls may go for a layer that is kept elsewhere, and there is none.
  {
    name: `pull ${what}`,
    personality: 'spec',
    job: 'pull',
    shape,
    expect: shape === 'foreign-layer' ? 'either' : 'done',
  },
])
