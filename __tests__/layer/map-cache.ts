import type { Cache } from '../../src/content/cache.ts'

/** A cache that lasts as long as the test. */
export class MapCache implements Cache {
  readonly kept: Map<string, Uint8Array> = new Map<string, Uint8Array>()

  read(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.kept.get(key))
  }

  write(key: string, bytes: Uint8Array): Promise<void> {
    this.kept.set(key, bytes)
    return Promise.resolve()
  }
}
