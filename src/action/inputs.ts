import { refTags } from '../metadata/ref-tags.ts'
import { FIELDS, entriesOf, isSecret, type Field, type FieldName, type FieldValues } from '../publish/fields.ts'
import { kindsOf } from '../publish/kinds.ts'
import type { Edge } from './edge.ts'

/** Reads every input; secrets first, so that they are masked before anything can print them. */
export function readInputs(edge: Edge): FieldValues {
  const values: Partial<Record<FieldName, string>> = {}
  const secretsFirst = FIELDS.toSorted((a, b) => Number(mayBeSecret(b)) - Number(mayBeSecret(a)))
  for (const field of secretsFirst) {
    const value = edge.input(field.name)
    if (value === '') continue
    if (isSecret(field, value)) edge.hide(value)
    values[field.name] = value
  }
  return values
}

function mayBeSecret(field: Field): boolean {
  return field.secret !== undefined && field.secret !== false
}

/** The tags that the workflow run implies, when the user gave none: neither in `tags` nor with an image. */
export function withRefTags(values: FieldValues, env: NodeJS.ProcessEnv): FieldValues {
  const given = FIELDS.some(field => {
    const entries = entriesOf(field, values[field.name])
    return (field.name === 'tags' && entries.length > 0) || (field.name === 'images' && entries.some(carriesTag))
  })
  // A chart has the tag of its version.
  const { image, files } = kindsOf(values)
  const implied = given || !(image || files) ? [] : refTags(env)
  return implied.length === 0 ? values : { ...values, tags: implied }
}

/** A colon after the last slash; before it, it is a port. */
function carriesTag(image: string): boolean {
  return image.includes(':', image.lastIndexOf('/') + 1)
}
