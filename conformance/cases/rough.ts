import type { Case } from '../case.ts'

const SEND = /[/]blobs[/]uploads[/][^/?]+/

/** One upload in five is cut, one request in twenty refused, one answer in fifty lost, as long as it takes. */
function rough(job: 'push' | 'copy', seed: number): Case {
  return {
    name: `a rough network, ${job} ${seed}`,
    ...{ personality: 'spec', job, expect: 'done' },
    troubles: [
      { match: { path: SEND, chance: 0.2 }, fault: { cutRequestAfter: 5_000 } },
      { match: { chance: 0.025 }, fault: { status: 503 } },
      { match: { chance: 0.025 }, fault: { status: 429, headers: { 'retry-after': '1' } } },
      { match: { chance: 0.02 }, fault: { lostAnswer: true } },
    ],
  }
}

/** The number makes the name unique, and with the seed of the run the luck. */
export const ROUGH: readonly Case[] = [1, 2, 3, 4, 5].flatMap(seed => [rough('push', seed), rough('copy', seed)])
