import type { LayoutOutput, Output, RegistryOutput } from '../content/places.ts'
import { OciPublishError, messageOf, type InputProblem } from '../errors.ts'
import { parseRegistryReference, type RegistryReference } from '../oci/reference.ts'
import { isTag, tagProblem } from '../oci/tag.ts'
import type { Entries } from './entries.ts'

export interface ParsedOutputs {
  readonly outputs: readonly Output[]
  readonly notices: readonly string[]
}

/**
 * Where to publish, under which names. A tag with `/` is a full reference and adds its repository; a bare one is a tag of
 * every image.
 *
 * @param defaultLayout directory that is written when nothing is pushed and no output is named
 */
export function parseOutputs(entries: Entries, defaultLayout: string, problems: InputProblem[]): ParsedOutputs {
  const notices: string[] = []
  const registries = new Map<string, RegistryOutput & { readonly tags: string[] }>()
  const add = (input: string, text: string): void => {
    const image = parseImage(input, text, problems, notices)
    if (!image) return
    const { host, repository, tag } = image
    const key = `${host}/${repository}`
    const output = registries.get(key) ?? { kind: 'registry', image: { kind: 'registry', host, repository }, tags: [] }
    registries.set(key, output)
    if (tag !== undefined) output.tags.push(tag)
  }

  for (const text of entries.of('images')) add('images', text)
  const tags: string[] = []
  for (const entry of entries.of('tags')) {
    if (entry.startsWith('type=')) {
      problems.push({
        input: 'tags',
        problem: `"${entry}" is a tag rule, which this version does not know; give the tag itself`,
      })
    } else if (entry.includes('/')) add('tags', entry)
    else if (isTag(entry)) tags.push(entry)
    else problems.push({ input: 'tags', problem: tagProblem(entry) })
  }
  const images = [...registries.values()].map(output => ({ ...output, tags: unique([...output.tags, ...tags]) }))

  const push = entries.boolean('push', problems)
  const layouts = entries.of('outputs').flatMap(line => parseLayout(line, problems))
  if (push && images.length === 0 && entries.of('outputs').length === 0 && entries.of('images').length === 0) {
    problems.push({ input: 'images', problem: 'say where to publish to, such as ghcr.io/team/app' })
  }
  const written = !push && layouts.length === 0 ? [{ kind: 'oci', path: defaultLayout } as const] : layouts
  const named = unique([...tags, ...images.flatMap(image => image.tags)])
  return {
    outputs: [
      ...(push ? images : []),
      ...written.map(layout => ({ ...layout, tags: named, images: images.map(({ image }) => image) })),
    ],
    notices,
  }
}

function parseImage(
  input: string,
  text: string,
  problems: InputProblem[],
  notices: string[],
): RegistryReference | undefined {
  try {
    const image = parseRegistryReference(lowercased(text, notices))
    if (image.digest === undefined) return image
    problems.push({ input, problem: `"${text}" names a digest; a publication makes its own` })
  } catch (error) {
    if (!(error instanceof OciPublishError)) throw error
    problems.push({ input, problem: messageOf(error) })
  }
  return undefined
}

/** Repositories are lowercase, the names of projects on code hosts often are not; tags keep their case. */
function lowercased(text: string, notices: string[]): string {
  const tagAt = text.indexOf(':', text.lastIndexOf('/'))
  const name = tagAt < 0 ? text : text.slice(0, tagAt)
  if (name === name.toLowerCase()) return text
  notices.push(`${name} is published as ${name.toLowerCase()}: repositories are lowercase`)
  return name.toLowerCase() + text.slice(name.length)
}

function parseLayout(line: string, problems: InputProblem[]): readonly Pick<LayoutOutput, 'kind' | 'path'>[] {
  const values = new Map(line.split(',').map(part => part.trim().split(/=(.*)/s) as [string, string | undefined]))
  const type = values.get('type')
  const refuse = (problem: string): readonly [] => {
    problems.push({ input: 'outputs', problem: `"${line}": ${problem}` })
    return []
  }
  const unknown = [...values.keys()].filter(key => !['type', 'dest', 'tar'].includes(key))
  if (unknown.length > 0) return refuse(`${unknown.join(', ')} is not known here; there are type, dest and tar`)
  if (type === 'registry' || type === 'image') return [] // what push does anyway
  if (type !== 'oci') return refuse(`the type is oci or registry, not ${type === undefined ? 'left out' : `"${type}"`}`)
  const dest = values.get('dest')
  if (dest === undefined || dest === '') return refuse('dest= is missing')
  const asked = values.has('tar') ? (values.get('tar') ?? 'true') : `${dest.endsWith('.tar')}`
  if (asked !== 'true' && asked !== 'false') return refuse(`tar is true or false, not "${asked}"`)
  return [{ kind: asked === 'true' ? 'oci-archive' : 'oci', path: dest }]
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
