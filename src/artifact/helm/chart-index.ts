import * as v from 'valibot'
import { messageOf, OciPublishError } from '../../errors.ts'

/** A version of a chart in the index.yaml of a repository, as far as it is of use here. */
export interface IndexEntry {
  readonly version: string
  readonly urls: readonly string[]
  /** sha256 in hexadecimal digits, perhaps with `sha256:` before. */
  readonly digest?: string | null | undefined
}

const entrySchema = v.object({
  version: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  urls: v.array(v.string()),
  digest: v.nullish(v.string()),
})
const indexSchema = v.object({ entries: v.record(v.string(), v.array(v.unknown())) })

/**
 * The versions of one chart, undefined where the index has none. An entry that somebody broke does not take the others
 * away.
 *
 * @param where names the index in errors
 * @throws {OciPublishError} DEPENDENCY_UNAVAILABLE for what is no index
 */
export async function entriesFor(
  name: string,
  index: string,
  where: string,
): Promise<readonly IndexEntry[] | undefined> {
  const { entries } = (await readPart(name, index)) ?? (await readWhole(index, where))
  return entries[name]?.flatMap(one => {
    const { success, output } = v.safeParse(entrySchema, one)
    return success ? [output] : []
  })
}

type Index = v.InferOutput<typeof indexSchema>

/** Indexes of many megabytes are common, and take seconds to parse: of those that helm wrote, a part is enough. */
async function readPart(name: string, index: string): Promise<Index | undefined> {
  const lines = index.slice(index.search(/^entries:\s*$/m)).split('\n')
  const indent = /^ +(?=\S)/.exec(lines[1] ?? '')?.[0]
  const start = lines.findIndex(line => indent !== undefined && line.trimEnd() === `${indent}${name}:`)
  if (indent === undefined || start < 0) return undefined
  // The items of a list may be as far to the left as its key.
  const next = new RegExp(`^ {0,${indent.length}}[^\\s#-]`)
  const length = lines.slice(start + 1).findIndex(line => next.test(line))
  const part = lines.slice(start, length < 0 ? undefined : start + 1 + length)
  try {
    return v.parse(indexSchema, await parseYaml(['entries:', ...part].join('\n')))
  } catch {
    return undefined // an alias of something elsewhere in the file
  }
}

async function readWhole(index: string, where: string): Promise<Index> {
  try {
    const isJson = index.trimStart().startsWith('{')
    return v.parse(indexSchema, isJson ? (JSON.parse(index) as unknown) : await parseYaml(index))
  } catch (error) {
    const message = `${where} is no index of a chart repository: ${messageOf(error)}`
    throw new OciPublishError('DEPENDENCY_UNAVAILABLE', message, { cause: error })
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { default: yaml } = await import('yaml')
  // As text, because no version of a chart is a number.
  return yaml.parse(text, { schema: 'failsafe', uniqueKeys: false }) as unknown
}
