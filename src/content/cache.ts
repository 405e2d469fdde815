import type { Abortable } from '../async/abortable.ts'

/**
 * Small facts kept between runs, by key. Losing it only costs time, so it has no errors: what cannot be read is not
 * there, what cannot be written is not kept, and what was read is checked by its reader.
 */
export interface Cache {
  read(key: string, options?: Abortable): Promise<Uint8Array | undefined>
  write(key: string, bytes: Uint8Array, options?: Abortable): Promise<void>
}

/** For `cache: off`. */
export const noCache: Cache = {
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
}
