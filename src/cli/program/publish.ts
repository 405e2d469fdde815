import { FIELDS } from '../../publish/fields.ts'
import { publishCommand } from '../publish.ts'
import { JSON_REPORT, PASSWORD_STDIN, QUIET, told, type Declaration } from './declaration.ts'
import { EXAMPLES, STREAMS } from './texts.ts'

export const publish: Declaration = {
  name: 'publish',
  description: 'Assemble an image and publish it',
  sections: [{ heading: 'What to publish:', options: FIELDS }, told(JSON_REPORT, QUIET, PASSWORD_STDIN)],
  after: EXAMPLES + STREAMS,
  run: (_words, flags, io, parts) => publishCommand(flags, io, parts),
}

export const plan: Declaration = {
  ...publish,
  name: 'plan',
  description: 'Say what publish would send and which tags would move (publish --dry-run)',
  run: (_words, flags, io, parts) => publishCommand({ ...flags, dryRun: true }, io, parts),
}
