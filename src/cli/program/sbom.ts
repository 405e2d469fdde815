import { sbomCommand } from '../sbom.ts'
import { PLACES, QUIET, own, reached, told, type Declaration } from './declaration.ts'

export const sbom: Declaration = {
  name: 'sbom',
  description: 'Tell what packages are in an image, as CycloneDX',
  words: [['<reference>', PLACES]],
  sections: [
    own(
      { flag: '--platform <platform>', said: 'which of an index, such as linux/arm64' },
      { flag: '--output <file>', said: 'write it to a file instead of standard output' },
      {
        flag: '--attach',
        said: 'attach one to every platform, or to that of --platform, instead of printing it',
      },
    ),
    told(QUIET),
    reached(),
  ],
  run: ([reference = ''], flags, io, parts) => sbomCommand(reference, flags, io, parts),
}
