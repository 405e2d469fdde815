import { attachCommand } from '../attach.ts'
import { JSON_REPORT, QUIET, own, reached, told, type Declaration } from './declaration.ts'

export const attach: Declaration = {
  name: 'attach',
  description: 'Attach files to what is there already: SBOMs, reports, signatures',
  words: [
    ['<subject>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]'],
    ['[files...]', 'PATH[:MEDIA-TYPE], files or directories'],
  ],
  sections: [
    own(
      {
        flag: '--artifact-type <type>',
        said: 'what it is; SBOMs are known by their names (*.spdx.json, *.cdx.json)',
      },
      {
        flag: '--platforms <list>',
        said: 'all, index, or platforms: what of an index is attached to',
        repeatable: true,
      },
      { flag: '--annotations <line>', said: 'KEY=VALUE of the manifest that is attached', repeatable: true },
      { flag: '--follow-links', said: 'allow files that are or pass symlinks that lead out of the working directory' },
    ),
    told(JSON_REPORT, QUIET),
    reached(),
  ],
  run: ([subject = '', ...files], flags, io, parts) => attachCommand({ subject, files }, flags, io, parts),
}
