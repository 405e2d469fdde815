import { Once } from '../async/once.ts'
import type { PushOptions, Pushed, Target } from '../content/ports.ts'
import type { Blob } from '../content/blob.ts'
import { withPush } from '../content/with-push.ts'
import type { Digest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import type { PreparedTarget } from './prepare.ts'

/**
 * Has a blob go over the wire once for each host: of several targets there, the first to push it sends it, the others
 * wait and mount it from there. Where the first fails, the next one sends. Different hosts do not wait for each other.
 */
export function shareHosts(targets: readonly PreparedTarget[]): readonly PreparedTarget[] {
  const holders = new Map<string, Holders>()
  return targets.map(one => {
    const { target, output } = one
    const domain = target.mountDomain
    if (output.kind !== 'registry' || domain === undefined) return one
    const ofHost = holders.get(domain) ?? new Once<Digest, string>()
    holders.set(domain, ofHost)
    return { ...one, target: sharing(target, output.image.repository, ofHost) }
  })
}

/** For each blob, the repository that surely has it. */
type Holders = Once<Digest, string>

function sharing(target: Target, repository: string, holders: Holders): Target {
  return withPush(target, async (blob, options = {}) => {
    if (isManifestType(blob.descriptor.mediaType)) return target.push(blob, options)
    for (;;) {
      options.signal?.throwIfAborted()
      const { own, holder } = await firstOrHolder(target, repository, holders, blob, options)
      if (own) return own
      if (holder === undefined) continue // the one before failed: it is somebody else's turn
      return target.push(blob, { ...options, mountFrom: [holder, ...(options.mountFrom ?? [])] })
    }
  })
}

interface Turn {
  isFirst: boolean
  /** What this target did, because it came first. */
  own?: Pushed
  holder?: string
}

async function firstOrHolder(
  target: Target,
  repository: string,
  holders: Holders,
  blob: Blob,
  options: PushOptions,
): Promise<Turn> {
  const turn: Turn = { isFirst: false }
  try {
    turn.holder = await holders.run(blob.descriptor.digest, async () => {
      turn.isFirst = true
      turn.own = await target.push(blob, options)
      return repository
    })
  } catch (error) {
    if (turn.isFirst) throw error
  }
  return turn
}
