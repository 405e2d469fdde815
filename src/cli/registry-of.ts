import { parseReference } from '../oci/reference.ts'
import type { FieldValues } from '../publish/fields.ts'

/** Values with the host of a reference: a password without a host is for the only host there is. */
export function withRegistryOf(text: string, values: FieldValues): FieldValues {
  try {
    const reference = parseReference(text)
    return reference.kind === 'registry' ? { registry: reference.host, ...values } : values
  } catch {
    return values // told with all that is wrong with the request
  }
}
