import { artifact } from './artifact.ts'
import { attach } from './attach.ts'
import { copy } from './copy.ts'
import type { Declaration, Family } from './declaration.ts'
import { discover } from './discover.ts'
import { generateKeyPair } from './generate-key-pair.ts'
import { inspect } from './inspect.ts'
import { plan, publish } from './publish.ts'
import { pull } from './pull.ts'
import { sbom } from './sbom.ts'
import { attest, sign } from './sign.ts'
import { verify } from './verify.ts'
import { tags } from './tags.ts'

/** All there is, in the order of the help. */
export const COMMANDS: readonly (Declaration | Family)[] = [
  ...[publish, plan, artifact, copy],
  ...[inspect, tags, attach, discover, pull, sbom],
  ...[sign, attest, verify, generateKeyPair],
]
