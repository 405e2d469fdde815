import { tagsCommand } from '../tags.ts'
import { JSON_OBJECT, reached, told, type Declaration } from './declaration.ts'

export const tags: Declaration = {
  name: 'tags',
  description: 'List the tags of a repository, one a line',
  words: [['<repository>', 'host/repository']],
  sections: [told(JSON_OBJECT), reached()],
  run: ([repository = ''], flags, io, parts) => tagsCommand(repository, flags, io, parts),
}
