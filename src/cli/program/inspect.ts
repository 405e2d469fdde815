import { inspectCommand } from '../inspect.ts'
import { JSON_OBJECT, PLACES, own, reached, told, type Declaration } from './declaration.ts'

export const inspect: Declaration = {
  name: 'inspect',
  description: 'Show what a reference stands for',
  words: [['<reference>', PLACES]],
  sections: [
    own({ flag: '--platform <platform>', said: 'only this one, such as linux/arm64' }),
    told(
      JSON_OBJECT,
      { flag: '--raw', said: 'print the manifest exactly as it is stored' },
      { flag: '--config', said: 'print the config of one platform exactly as it is stored' },
    ),
    reached(),
  ],
  run: ([reference = ''], flags, io, parts) => inspectCommand(reference, flags, io, parts),
}
