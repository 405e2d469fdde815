import { artifactPushCommand } from '../artifact.ts'
import { ARTIFACT, PUSHING } from '../flags.ts'
import { JSON_REPORT, QUIET, own, reached, told, type Declaration, type Family } from './declaration.ts'

const push: Declaration = {
  name: 'push',
  description: 'Publish files as an artifact',
  words: [
    ['<to>', 'host/repository[:tag], oci:DIR[:NAME] or oci-archive:FILE[:NAME]'],
    ['<files...>', 'PATH[:MEDIA-TYPE], files or directories'],
  ],
  sections: [
    own(
      {
        flag: '--type <name>',
        said: 'kind whose readers want a form of their own: modelpack, wasm, flux, opentofu',
      },
      { flag: '--artifact-type <type>', said: 'what it is, a media type' },
      { flag: '--config <file>', said: 'its config, PATH[:MEDIA-TYPE]; by default an empty one' },
      { flag: '--annotations <line>', said: 'KEY=VALUE of the manifest', repeatable: true },
      {
        flag: '--model <line>',
        said: 'KEY=VALUE of a model: name, family, version, format, paramSize, licenses, ...',
        repeatable: true,
      },
      ...ARTIFACT,
    ),
    told(JSON_REPORT, QUIET),
    reached(...PUSHING),
  ],
  run: ([to = '', ...files], flags, io, parts) => artifactPushCommand({ to, files }, flags, io, parts),
}

export const artifact: Family = {
  name: 'artifact',
  description: 'Artifacts that are no images: models, WebAssembly, any files',
  commands: [push],
}
