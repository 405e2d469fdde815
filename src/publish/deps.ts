import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Located, Output } from '../content/places.ts'
import type { Download, Target } from '../content/ports.ts'
import type { Reference } from '../oci/reference.ts'
import type { OnPublishEvent } from './event.ts'
import type { SigningDeps } from './signing-deps.ts'
import type { RequestFacts } from './parse-request.ts'

/** Everything the use case needs from outside; `wire.ts` builds it. */
export interface PublishDeps {
  readonly facts: RequestFacts
  /** Of this program, which SBOMs name. */
  readonly version: string
  readonly cache: Cache
  /** Both only build; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly openTarget: (output: Output) => Target
  /** What is in no registry: dependencies of charts. */
  readonly download: Download
  /** Where layers wait to be pushed; removed by whoever made it. */
  readonly tempDir: string
  /** Seconds since 1970 of the commit that a directory is at, undefined where that cannot be known. */
  readonly commitTime: (directory: string, options: Abortable) => Promise<number | undefined>
  readonly signing: SigningDeps
  readonly onEvent: OnPublishEvent
}
