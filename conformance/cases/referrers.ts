import type { Case } from '../case.ts'
import { PERSONALITIES, type PersonalityName } from '../personality.ts'
import type { Fault, Match } from '../server/fault.ts'

const NAMES = Object.keys(PERSONALITIES) as readonly PersonalityName[]

/** The manifests that are pushed by digest: of a job that only adds to what is there, the one that says something about it. */
const CHILD: Match = { method: 'PUT', path: /[/]manifests[/]sha256:/ }

const LOST: Fault = { unlisted: true }

/** Takes no type of artifact that it does not know. */
const PICKY: PersonalityName = 'gitlab'

function referring(name: string, job: Case['job'], more: Partial<Case> = {}): Case {
  const shape = job === 'copy-referrers' ? 'signed' : 'index'
  return { name, personality: 'spec', job, shape, expect: 'done', ...more }
}

const one = (match: Match, fault: Fault): Pick<Case, 'troubles'> => ({ troubles: [{ match, fault }] })

/** Signatures, attestations, SBOMs: nobody may be told that they are there where nobody finds them. */
export const REFERRERS: readonly Case[] = [
  ...NAMES.flatMap(personality => {
    const expect = personality === PICKY ? 'error' : 'done'
    return [
      referring(`${personality}: copy with what refers to it`, 'copy-referrers', { personality, expect }),
      referring(`${personality}: attach`, 'attach', { personality, expect }),
      referring(`${personality}: sign`, 'sign', { personality, expect }),
    ]
  }),
  referring('a signature that others push out of the list, copying', 'copy-referrers', one({ ...CHILD, nth: 6 }, LOST)),
  referring('an attachment that others push out of the list', 'attach', one(CHILD, LOST)),
  referring('a signature that others push out of the list', 'sign', one({ ...CHILD, times: 2 }, LOST)),
  referring('a list that is behind, attaching', 'attach', one(CHILD, { lagLists: 1 })),
  referring('a list that is behind, signing', 'sign', one({ ...CHILD, times: 3 }, { lagLists: 1 })),
  referring('a list that never has what is attached', 'attach', {
    ...one({ ...CHILD, times: Infinity }, LOST),
    expect: 'error',
  }),
  referring('signatures that are there and not listed, copied again', 'copy-referrers', {
    before: 'same',
    unlisted: true,
    sendsNothing: true,
  }),
  referring('the same, where the list is kept under a tag', 'copy-referrers', {
    ...{ personality: 'distribution-3', before: 'same', unlisted: true, sendsNothing: true },
  }),
  ...(['quay-mirror', 'zot'] as const).flatMap((personality): readonly Case[] => [
    {
      name: `${personality}: push what another repository has`,
      ...{ personality, job: 'push', elsewhere: true, expect: 'done' },
    },
  ]),
  {
    name: 'quay-mirror: push what another repository has, and nobody looks at what belongs to a manifest',
    ...{ personality: 'quay-mirror', job: 'push', elsewhere: true, expect: 'done' },
    options: { missingContent: 'taken' },
  },
  referring('quay-mirror: sign what another repository has as well', 'sign', {
    personality: 'quay-mirror',
    elsewhere: true,
  }),
]
