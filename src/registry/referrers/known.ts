import { Once } from '../../async/once.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Referrer } from '../../oci/referrer.ts'

/** Who keeps the lists of referrers: the registry, or its clients under a tag. */
export type Keeper = 'api' | 'tag'

/** What a run knows of the referrers of one repository, and what it still has to write down. */
export class KnownReferrers {
  /** As far as it was found out. */
  keeper: Keeper | undefined
  readonly #asked = new Once<'keeper', Keeper>()
  readonly #pending = new Map<Digest, Map<Digest, Descriptor>>()

  /** Finds out once who keeps the lists. */
  async findKeeper(ask: () => Promise<Keeper>): Promise<Keeper> {
    this.keeper ??= await this.#asked.run('keeper', ask)
    return this.keeper
  }

  /** Keeps a referrer for the tag of its subject. */
  add({ subject, descriptor }: Referrer): void {
    const referrers = this.#pending.get(subject) ?? new Map<Digest, Descriptor>()
    this.#pending.set(subject, referrers.set(descriptor.digest, descriptor))
  }

  /** Hands out what was kept, to be written down. */
  take(): readonly { readonly subject: Digest; readonly descriptors: readonly Descriptor[] }[] {
    const taken = [...this.#pending].map(([subject, referrers]) => ({ subject, descriptors: [...referrers.values()] }))
    this.#pending.clear()
    return taken
  }
}
