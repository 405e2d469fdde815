import { copyTagsCommand } from '../copy-tags.ts'
import { copyCommand } from '../copy.ts'
import { PUSHING } from '../flags.ts'
import { JSON_REPORT, PLACES, QUIET, own, reached, told, type Declaration } from './declaration.ts'

export const copy: Declaration = {
  name: 'copy',
  description: 'Copy an image, an index or an artifact with everything it points at, byte for byte',
  words: [
    ['<from>', PLACES],
    ['<to>', 'the same; without a tag it takes that of <from>, with a digest alone it gets none'],
  ],
  sections: [
    own(
      { flag: '--platforms <list>', said: 'only these: the index is rewritten, its digest changes' },
      {
        flag: '--referrers',
        said: 'with what refers to it and to its platforms, and with what cosign keeps under tags: signatures, attestations, SBOMs',
      },
      {
        flag: '--all-tags',
        said: 'everything in the repository <from>, each under its own tag; <to> is named without one',
      },
      {
        flag: '--include <list>',
        said: 'with --all-tags, only tags that fit one of these, such as v1.*,*-alpine',
      },
      { flag: '--exclude <list>', said: 'with --all-tags, no tags that fit one of these' },
      {
        flag: '--verify <line>',
        said: 'only what is signed by KEY=VALUE,…: key=cosign.pub, or identity=…,issuer=…; of several lines one has to fit',
        repeatable: true,
      },
      { flag: '--dry-run', said: 'say what would be sent and which tags would move' },
    ),
    told(JSON_REPORT, QUIET),
    reached(...PUSHING),
  ],
  run([from = '', to = ''], flags, io, parts) {
    const command = flags['allTags'] === true ? copyTagsCommand : copyCommand
    return command({ from, to }, flags, io, parts)
  },
}
