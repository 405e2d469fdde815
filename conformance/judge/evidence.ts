import type { Case } from '../case.ts'
import type { Ended, Job } from '../client.ts'
import type { Sample } from '../sample.ts'
import type { SpecRegistry } from '../server/registry.ts'

/** A registry in one of its roles. */
export interface Witness {
  readonly registry: SpecRegistry
  readonly role: 'source' | 'target' | 'both'
  /** Repositories that the client had to read, or to write. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** All that is known when a client has ended. */
export interface Evidence {
  readonly case: Case
  readonly job: Job
  readonly ended: Ended
  readonly sample: Sample
  readonly witnesses: readonly Witness[]
  /** What the tag of the target pointed at before. */
  readonly before: string | undefined
  /** What the source's tag pointed at, at one time or another. */
  readonly sourceDigests: readonly string[]
  /** Digest and file of a layout that was pulled into. */
  readonly pulled: Pulled | undefined
}

/** What a layout has after a pull. */
export interface Pulled {
  /** Digests in its index.json. */
  readonly roots: readonly string[]
  /** Digests below a root that are missing, or are not what their bytes say. */
  readonly wrong: ReadonlyMap<string, readonly string[]>
}

/** A rule of the specification, or of what can be expected of a client. */
export interface Rule {
  /** What a client is held to, in a few words. */
  readonly name: string
  /** A broken `must` fails the case, a broken `should` is written beside it. */
  readonly level: 'must' | 'should'
  /** In words, once for each time it was broken. */
  readonly find: (evidence: Evidence) => readonly string[]
}

/** What a fault may have caused, and no rule must blame the client for. */
export function hadFault({ case: { troubles = [] } }: Evidence, ...kinds: readonly string[]): boolean {
  return troubles.some(({ fault }) => kinds.some(kind => kind in fault))
}

export function isHealthy({ case: { troubles = [] } }: Evidence): boolean {
  return troubles.length === 0
}
