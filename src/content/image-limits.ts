import { Budget, overLimit } from '../budget.ts'

/** Ten times what large images with CUDA and Python have. */
const MAX_ENTRIES = 1_000_000
/** containerd mounts 500 at most, Docker 127. */
const MAX_LAYERS = 1_000

/** Entries of all layers of an image, whiteouts included. */
export function entryBudget(hint: string): Budget {
  return new Budget({ what: 'files and directories in the layers of one image', max: MAX_ENTRIES, hint })
}

/** @throws {OciPublishError} TOO_LARGE */
export function checkLayerCount(count: number, where: string): void {
  if (count > MAX_LAYERS) throw overLimit(where, { what: 'layers', max: MAX_LAYERS })
}
