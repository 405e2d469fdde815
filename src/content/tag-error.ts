import { OciPublishError, messageOf } from '../errors.ts'

/** Tags that did not move, and those that did: the publication is there, its names are not all. */
export class TagError extends OciPublishError {
  override readonly name = 'TagError'
  readonly moved: readonly string[]
  readonly failed: readonly string[]

  constructor(place: string, moved: readonly string[], failed: readonly string[], cause: unknown) {
    const after = moved.length === 0 ? 'no tag moved' : `moved: ${moved.join(', ')}`
    super('TAGS_NOT_MOVED', `${place}: could not tag ${failed.join(', ')} (${after}): ${messageOf(cause)}`, {
      cause,
      hint: cause instanceof OciPublishError ? cause.hint : undefined,
    })
    this.moved = moved
    this.failed = failed
  }
}
