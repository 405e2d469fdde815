import type { Witnesses } from '../sign/witness.ts'
import type { Services } from './choose-services.ts'
import type { LogDeps } from './log-entry.ts'
import { rekorV1 } from './rekor-v1.ts'
import { rekorV2 } from './rekor-v2.ts'
import { requestTimestamp } from './timestamp.ts'

/** Who testifies to signatures; nobody is asked before there is one. */
export function witnessesOf({ log, tsaUrl }: Pick<Services, 'log' | 'tsaUrl'>, deps: LogDeps): Witnesses {
  const { transport } = deps
  return {
    log: log && (log.version === 1 ? rekorV1(log.url, deps) : rekorV2(log.url, deps)),
    timestamp:
      tsaUrl === undefined
        ? undefined
        : (signature, { signal } = {}) => requestTimestamp(tsaUrl, signature, { transport, signal }),
  }
}
