import { InflationBudget } from '../archive/inflation.ts'
import { Budget } from '../budget.ts'
import { entryBudget } from '../content/image-limits.ts'

/** What the trees of the layers of one image may take together. */
export interface TreeBudget {
  readonly entries: Budget
  /** Entries as they are laid over each other; those of a layer that an earlier run read are only met there. */
  readonly laid: Budget
  /** Bytes, about. */
  readonly memory: Budget
  /** Bytes of files that names of users and groups are looked up in. */
  readonly accounts: Budget
  readonly inflation: InflationBudget
}

/** A million entries in directories of ten take 100 MB. */
const MAX_MEMORY = 128 << 20
const MAX_ACCOUNT_BYTES = 16 << 20

const hint = 'use a base image with fewer files: `oci-publish inspect` shows its layers'

export function treeBudget(): TreeBudget {
  return {
    entries: entryBudget(hint),
    laid: entryBudget(hint),
    memory: new Budget({ what: 'bytes of memory for the names in the layers of one image', max: MAX_MEMORY, hint }),
    accounts: new Budget({
      what: 'bytes of passwd and group files in the layers of one image',
      max: MAX_ACCOUNT_BYTES,
    }),
    inflation: new InflationBudget(),
  }
}
