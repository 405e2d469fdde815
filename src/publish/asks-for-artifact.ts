import { readEntries } from './entries.ts'
import type { FieldName, FieldValues } from './fields.ts'

const FIELDS_OF_ARTIFACTS = ['files', 'artifact-type', 'artifact-config', 'artifact-preset', 'artifact-model'] as const

/** Whether it is an artifact that is to be published, not an image. */
export function asksForArtifact(values: FieldValues): boolean {
  const entries = readEntries(values)
  return FIELDS_OF_ARTIFACTS.some((name: FieldName) => entries.of(name).length > 0)
}
