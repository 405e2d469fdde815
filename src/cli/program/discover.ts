import { discoverCommand } from '../discover.ts'
import { JSON_OBJECT, reached, told, type Declaration } from './declaration.ts'

export const discover: Declaration = {
  name: 'discover',
  description: 'Show everything that hangs on a reference: SBOMs, attestations, signatures, and what hangs on those',
  words: [['<reference>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]']],
  sections: [told(JSON_OBJECT), reached()],
  run: ([reference = ''], flags, io, parts) => discoverCommand(reference, flags, io, parts),
}
