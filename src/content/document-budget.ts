import { Budget } from '../budget.ts'
import type { Descriptor } from '../oci/descriptor.ts'

/** Of one index that is meant: the largest that are known have 40, with their attestations. */
const MAX_MANIFESTS = 2_000
const MAX_DOCUMENT_BYTES = 64 << 20

/**
 * What following one name may read: nesting alone does not bound it, for eight indexes of 2,000 entries each lead to more
 * manifests than there are atoms.
 */
export class DocumentBudget {
  readonly #manifests = new Budget({ what: 'manifests in one index and the indexes within it', max: MAX_MANIFESTS })
  readonly #bytes = new Budget({ what: 'bytes of manifests and configs in one image', max: MAX_DOCUMENT_BYTES })

  /** To be called with the entries of each index, whenever it is met. @throws {OciPublishError} TOO_LARGE */
  meet(entries: readonly Descriptor[], where: string): void {
    this.#manifests.spend(entries.length, where)
  }

  /** To be called before an index is parsed: of thousands that are under way, all but the first are stopped by it. */
  check(where: string): void {
    this.#manifests.spend(0, where)
  }

  /** To be called before a document is read; sources give no more than the descriptor says. @throws TOO_LARGE */
  read({ size }: Descriptor, where: string): void {
    this.#bytes.spend(size, where)
  }
}
