import * as v from 'valibot'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parse, parseJson } from '../parse.ts'
import type { Fingerprint } from './fingerprint.ts'

/** What the last layer of a recipe came to. */
export interface Remembered extends Fingerprint {
  readonly diffID: Digest
  /** Bytes, uncompressed. */
  readonly size: number
}

const text = v.string()
const schema: v.GenericSchema<unknown, Remembered> = v.object({
  exact: text,
  shape: text,
  diffID: v.pipe(text, v.guard(isDigest)),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
})

/**
 * What is remembered of a recipe. As git's index does for files, this spares reading what did not change. What cannot be
 * understood is not there.
 */
export async function recall(cache: Cache, key: string, options: Abortable): Promise<Remembered | undefined> {
  const bytes = await cache.read(key, options)
  try {
    return bytes && parse(schema, parseJson(bytes, key), key)
  } catch {
    return undefined
  }
}

export async function remember(cache: Cache, key: string, made: Remembered, options: Abortable): Promise<void> {
  await cache.write(key, new TextEncoder().encode(JSON.stringify(made)), options)
}
