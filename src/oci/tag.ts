import { OciPublishError } from '../errors.ts'
import { isDigest, type Digest } from './digest.ts'
import { quoted } from './quoted.ts'

declare const parsed: unique symbol

/** A tag, checked. It can be part of a path or a query as it is. Only this file makes one. */
export type Tag = string & { readonly [parsed]: 'Tag' }

/** distribution-spec, "Pulling manifests": the grammar of `<reference>` as a tag. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
/** Characters. */
export const MAX_TAG = 128

export function isTag(text: string): text is Tag {
  return TAG.test(text)
}

/** @throws {OciPublishError} INVALID_TAG */
export function parseTag(text: string): Tag {
  if (isTag(text)) return text
  throw new OciPublishError('INVALID_TAG', tagProblem(text))
}

/**
 * What a manifest is asked for by.
 *
 * @throws {OciPublishError} INVALID_TAG for what is neither a tag nor a digest
 */
export function parseManifestName(text: string): Tag | Digest {
  return isDigest(text) ? text : parseTag(text)
}

/** Why a tag is refused, in words that are safe to print. */
export function tagProblem(tag: string): string {
  if (tag.length > MAX_TAG)
    return `the tag ${quoted(tag.slice(0, 20))}… has ${tag.length} characters, ${MAX_TAG} are allowed`
  return `${quoted(tag)} is not a tag: letters, digits, "_", "." and "-", and it does not begin with "." or "-"`
}
