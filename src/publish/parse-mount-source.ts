import { messageOf, type InputProblem } from '../errors.ts'
import { parseRegistryReference } from '../oci/reference.ts'
import type { MountSource } from './request.ts'

const INPUT = 'mount-from'

/** Reads `[host/]repository`. A first part with a dot or a port, or `localhost`, is a host, as in every reference. */
export function parseMountSource(text: string, problems: InputProblem[]): readonly MountSource[] {
  const hasHost = /^(?:localhost|[^/.:]*[.:][^/]*)[/]/.test(text)
  try {
    const { host, repository, tag, digest } = parseRegistryReference(hasHost ? text : `localhost/${text}`)
    if (tag === undefined && digest === undefined) return [{ host: hasHost ? host : undefined, repository }]
    problems.push({ input: INPUT, problem: `"${text}" is not a repository alone; blobs have no tag` })
  } catch (error) {
    problems.push({ input: INPUT, problem: messageOf(error) })
  }
  return []
}
