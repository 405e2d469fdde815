/** Work shared by all who ask for the same key. A failure is forgotten, so that the next caller may try. */
export class Once<K, V> {
  readonly #started = new Map<K, Promise<V>>()

  run(key: K, work: () => Promise<V>): Promise<V> {
    const known = this.#started.get(key)
    if (known) return known
    const started = work()
    this.#started.set(key, started)
    started.catch(() => {
      if (this.#started.get(key) === started) this.#started.delete(key)
    })
    return started
  }

  /** Makes the next `run` of the key work again. */
  forget(key: K): void {
    this.#started.delete(key)
  }
}
