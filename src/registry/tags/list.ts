import * as v from 'valibot'
import type { Abortable } from '../../async/abortable.ts'
import { parse, parseJson } from '../../parse.ts'
import type { Access } from '../access.ts'
import { pagesOf } from '../link.ts'

/** There are registries that know no pages: a hundred thousand tags of the greatest length. */
const MAX_PAGE_BYTES = 16 << 20

const page = v.object({ tags: v.nullish(v.array(v.string('is not text'), 'is not a list')) }, 'is not an object')

/**
 * Every tag of a repository, in the order of the registry, each once.
 *
 * @throws {RegistryError} NOT_FOUND where there is no such repository
 * @see distribution-spec, "Listing Tags"
 */
export async function* listTags(access: Access, { signal }: Abortable): AsyncGenerator<string> {
  const operation = 'list tags'
  const where = `tags of ${access.host.name}/${access.repository}`
  const to = `${access.path('tags/list')}?n=${access.host.profile.tagsPerPage}`
  const seen = new Set<string>()
  for await (const response of pagesOf(access, {
    to,
    headers: { accept: 'application/json' },
    answers: [200],
    wholeBodyBytes: MAX_PAGE_BYTES,
    operation,
    signal,
  })) {
    const { tags } = parse(page, parseJson(await response.bytes(MAX_PAGE_BYTES), where), where)
    for (const tag of tags ?? []) {
      if (!seen.has(tag)) yield tag
      seen.add(tag)
    }
  }
}
