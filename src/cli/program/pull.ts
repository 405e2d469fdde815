import { pullCommand } from '../pull.ts'
import { JSON_REPORT, PLACES, QUIET, own, reached, told, type Declaration } from './declaration.ts'

export const pull: Declaration = {
  name: 'pull',
  description: 'Write the files of an artifact into a folder, and nothing outside of it',
  words: [['<reference>', PLACES]],
  sections: [
    own(
      { flag: '--output <directory>', said: 'folder that the files are written to', byDefault: '.' },
      { flag: '--overwrite', said: 'replace files that are there with other content' },
      { flag: '--config <file>', said: 'write the config, too' },
      { flag: '--platform <platform>', said: 'which of an index, such as linux/arm64' },
      { flag: '--max-size <size>', said: 'refuse to write more, such as 500GB', byDefault: '250GB' },
      { flag: '--max-files <number>', said: 'refuse to write more files', byDefault: '100000' },
    ),
    told(JSON_REPORT, QUIET),
    reached(),
  ],
  run: ([reference = ''], flags, io, parts) => pullCommand(reference, flags, io, parts),
}
