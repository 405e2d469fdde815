import type { PersonalityName } from './personality.ts'
import type { Shape } from './sample.ts'
import type { AuthOptions } from './server/auth.ts'
import type { Fault, Match } from './server/fault.ts'
import type { SpecRegistryOptions } from './server/registry.ts'

/** Something that goes wrong. */
export interface Trouble {
  /** Which registry; the only one, where there is one. Default: the one of the case's personality. */
  readonly at?: 'source' | undefined
  readonly match: Match
  readonly fault: Fault
}

/** What a client has to do, with which registry, under which conditions; and what must come of it. */
export interface Case {
  /** Unique, and what is at stake. */
  readonly name: string
  readonly personality: PersonalityName
  /** `mount` copies within one registry; `pull` reads from the registry of the personality, all others write to it. */
  readonly job: 'push' | 'copy' | 'mount' | 'pull' | 'copy-referrers' | 'attach' | 'sign'
  /** Default `index`. */
  readonly shape?: Shape | undefined
  readonly troubles?: readonly Trouble[] | undefined
  /** Of the registry, besides those of its personality. */
  readonly options?: SpecRegistryOptions | undefined
  readonly auth?: Partial<AuthOptions> | undefined
  /** What the tag of the target points at before. Default: it is not there. */
  readonly before?: 'same' | 'other' | undefined
  /** The registry has the image in another repository as well. */
  readonly elsewhere?: boolean | undefined
  /** What refers to the image that is there before is in no list. */
  readonly unlisted?: boolean | undefined
  /** Tags that are there stay as they are. */
  readonly immutable?: boolean | undefined
  /** The client has a wrong password. */
  readonly stranger?: boolean | undefined
  /** `either`: whatever is honest. */
  readonly expect: 'done' | 'error' | 'either'
  /** Clients wait long in it: left out unless asked for. */
  readonly slow?: boolean | undefined
  /** The blobs that may be sent. Default: what is needed, and more for every fault. */
  readonly sendsNothing?: boolean | undefined
}
