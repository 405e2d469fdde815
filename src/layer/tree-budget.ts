import { InflationBudget } from '../archive/inflation.ts'
import { Budget } from '../budget.ts'

/** What the trees of the layers of one image may take together. */
export interface TreeBudget {
  readonly entries: Budget
  /** Bytes, about. */
  readonly memory: Budget
  /** Bytes of files that names of users and groups are looked up in. */
  readonly accounts: Budget
  readonly inflation: InflationBudget
}

/** Ten times what large images with CUDA and Python have. */
const MAX_ENTRIES = 1_000_000
/** A million entries in directories of ten take 100 MB. */
const MAX_MEMORY = 128 << 20
const MAX_ACCOUNT_BYTES = 16 << 20
/** containerd mounts 500 at most, Docker 127. */
export const MAX_LAYERS = 1_000

const hint = 'use a base image with fewer files: `oci-publish inspect` shows its layers'

export function entryBudget(): Budget {
  return new Budget({ what: 'files and directories in the layers of one image', max: MAX_ENTRIES, hint })
}

export function treeBudget(): TreeBudget {
  return {
    entries: entryBudget(),
    memory: new Budget({ what: 'bytes of memory for the names in the layers of one image', max: MAX_MEMORY, hint }),
    accounts: new Budget({
      what: 'bytes of passwd and group files in the layers of one image',
      max: MAX_ACCOUNT_BYTES,
    }),
    inflation: new InflationBudget(),
  }
}
