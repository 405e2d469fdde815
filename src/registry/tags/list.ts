import * as v from 'valibot'
import type { TagsOptions } from '../../content/ports.ts'
import { isTag, parseTag, type Tag } from '../../oci/tag.ts'
import { parse, parseJson } from '../../parse.ts'
import type { Access } from '../access.ts'
import { ListBudget } from '../list-budget.ts'
import { pagesOf } from '../link.ts'

/** There are registries that know no pages: a hundred thousand tags of the greatest length. */
const MAX_PAGE_BYTES = 16 << 20
/** All pages together, and what is kept of them: several times what the largest repositories have. */
const MAX_BYTES = 64 << 20
const MAX_TAGS = 500_000

const page = v.object({ tags: v.nullish(v.array(v.string('is not text'), 'is not a list')) }, 'is not an object')

/**
 * Every tag of a repository, in the order of the registry, each once.
 *
 * @throws {RegistryError} NOT_FOUND where there is no such repository
 * @throws {OciPublishError} TOO_LARGE; INVALID_TAG for a listed name that is not a tag, unless `onOther` is given
 * @see distribution-spec, "Listing Tags"
 */
export async function* listTags(
  access: Access,
  { signal, onOther = name => void parseTag(name) }: TagsOptions,
): AsyncGenerator<Tag> {
  const operation = 'list tags'
  const where = `tags of ${access.host.name}/${access.repository}`
  const to = `${access.tags}?n=${access.host.profile.tagsPerPage}`
  const budget = new ListBudget(where, { maxBytes: MAX_BYTES, maxItems: MAX_TAGS, items: 'tags' })
  const seen = new Set<string>()
  for await (const response of pagesOf(access, {
    to,
    headers: { accept: 'application/json' },
    answers: [200],
    wholeBodyBytes: MAX_PAGE_BYTES,
    operation,
    signal,
  })) {
    const bytes = await response.bytes(MAX_PAGE_BYTES)
    budget.bytes(bytes.byteLength)
    const { tags } = parse(page, parseJson(bytes, where), where)
    for (const tag of tags ?? []) {
      if (seen.has(tag)) continue
      budget.items(1)
      seen.add(tag)
      if (isTag(tag)) yield tag
      else onOther(tag)
    }
  }
}
