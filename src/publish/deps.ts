import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Source, Target } from '../content/ports.ts'
import type { Reference } from '../oci/reference.ts'
import type { OnPublishEvent } from './event.ts'
import type { RequestFacts } from './parse-request.ts'
import type { Output } from './request.ts'

/** A place to build from, and the name to ask it for. */
export interface Located {
  readonly source: Source
  /** Tag, digest or the layout's own name; empty for the only image of a layout. */
  readonly name: string
  /** Targets of the same domain can mount what the source has. */
  readonly mountDomain: string | undefined
  /** As targets of the same domain call it. */
  readonly repository: string | undefined
}

/** Everything the use case needs from outside; `wire.ts` builds it. */
export interface PublishDeps {
  readonly facts: RequestFacts
  readonly cache: Cache
  /** Both only build; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly openTarget: (output: Output) => Target
  /** Where layers wait to be pushed; removed by whoever made it. */
  readonly tempDir: string
  /** Seconds since 1970 of the commit that a directory is at, undefined where that cannot be known. */
  readonly commitTime: (directory: string, options: Abortable) => Promise<number | undefined>
  readonly onEvent: OnPublishEvent
}
