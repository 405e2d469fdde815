import { FIELD_GROUPS } from '../../publish/fields.ts'
import { publishCommand } from '../publish.ts'
import { JSON_REPORT, PASSWORD_STDIN, QUIET, told, type Declaration } from './declaration.ts'
import { EXAMPLES, STREAMS } from './texts.ts'

export const publish: Declaration = {
  name: 'publish',
  description: 'Publish an image, a Helm chart or files',
  sections: [
    ...FIELD_GROUPS.map(({ title, fields }) => ({ heading: `${title}:`, options: fields })),
    told(JSON_REPORT, QUIET, PASSWORD_STDIN),
  ],
  after: EXAMPLES + STREAMS,
  run: (_words, flags, io, parts) => publishCommand(flags, io, parts),
}

export const plan: Declaration = {
  ...publish,
  name: 'plan',
  description: 'Show what publish would do, without doing it (publish --dry-run)',
  run: (_words, flags, io, parts) => publishCommand({ ...flags, dryRun: true }, io, parts),
}
