import { InflationBudget } from '../../archive/inflation.ts'
import { Budget } from '../../budget.ts'
import { entryBudget } from '../../content/image-limits.ts'

/** What reading the packages of one image may take, over all its layers. */
export interface ScanBudget {
  readonly entries: Budget
  /** Packages as they are read: again for each layer that writes their database. */
  readonly read: Budget
  /** Packages that are there in the end. */
  readonly packages: Budget
  /** Characters of their names, versions and licenses. */
  readonly texts: Budget
  /** Bytes of the paths of files that tell of packages, about. */
  readonly paths: Budget
  readonly inflation: InflationBudget
}

const MAX_READ = 200_000
/** The largest images that were seen have 10,000; each takes 7 kB while the document is written. */
const MAX_PACKAGES = 20_000
const MAX_TEXT = 32 << 20
/** Files of 45,000 packages, each in a folder of its own. */
const MAX_PATHS = 24 << 20

const hint = 'make the SBOM with another tool, and add it with `oci-publish attach`'

export function scanBudget(): ScanBudget {
  return {
    entries: entryBudget(hint),
    read: new Budget({ what: 'packages in the layers of one image', max: MAX_READ, hint }),
    packages: new Budget({ what: 'packages in one image', max: MAX_PACKAGES, hint }),
    texts: new Budget({ what: 'characters of names, versions and licenses', max: MAX_TEXT, hint }),
    paths: new Budget({ what: 'bytes of memory for the files that tell of packages', max: MAX_PATHS, hint }),
    inflation: new InflationBudget(),
  }
}
