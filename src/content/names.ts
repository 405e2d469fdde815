import { formatReference } from '../oci/reference.ts'
import type { Output } from './places.ts'

export interface Name {
  readonly ref: string
  readonly tagged: boolean
}

/** Every name of an output; without a tag, the repository or the layout alone. */
export function namesOf(output: Output): readonly Name[] {
  const place = output.kind === 'registry' ? formatReference(output.image) : `${output.kind}:${output.path}`
  if (output.tags.length === 0) return [{ ref: place, tagged: false }]
  return output.tags.map(tag => ({ ref: `${place}:${tag}`, tagged: true }))
}
