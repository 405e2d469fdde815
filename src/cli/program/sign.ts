import { PUSHING, SIGNING } from '../flags.ts'
import { signCommand } from '../sign.ts'
import { JSON_REPORT, QUIET, own, reached, told, type Declaration } from './declaration.ts'

const WORDS = [['<reference>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]']] as const

const WITH = [
  {
    flag: '--key <key>',
    said: "private key: a path, env://NAME, or awskms:///alias/NAME; cosign's encrypted form, with COSIGN_PASSWORD, or PEM",
  },
  { flag: '--keyless', said: 'with the identity of the job, or the token in SIGSTORE_ID_TOKEN' },
  {
    flag: '--platforms <list>',
    said: 'index, all, or platforms: what of an index; by default the index and all its platforms',
    repeatable: true,
  },
] as const

const EXAMPLES = `
Examples:
  With a key pair like cosign's:
    COSIGN_PASSWORD=… oci-publish generate-key-pair
    COSIGN_PASSWORD=… oci-publish sign ghcr.io/team/app:v1 --key cosign.key
    oci-publish verify ghcr.io/team/app:v1 --key cosign.pub

  With the identity of a job of GitHub Actions (permissions: id-token: write):
    oci-publish sign ghcr.io/team/app:v1 --keyless

  A document about it, signed:
    oci-publish attest ghcr.io/team/app:v1 --keyless --predicate-type vuln --predicate-path scan.json
`

export const sign: Declaration = {
  name: 'sign',
  description: 'Sign what is published already, an index with all its platforms; what is signed equally is left',
  words: WORDS,
  sections: [own(...WITH, ...SIGNING), told(JSON_REPORT, QUIET), reached(...PUSHING)],
  after: EXAMPLES,
  run: ([reference = ''], flags, io, parts) => signCommand({ reference, signature: true }, flags, io, parts),
}

export const attest: Declaration = {
  name: 'attest',
  description: 'Attest predicates about what is published already, each a signed statement that hangs on it',
  words: WORDS,
  sections: [own(...WITH, ...SIGNING), told(JSON_REPORT, QUIET), reached(...PUSHING)],
  after: EXAMPLES,
  run: ([reference = ''], flags, io, parts) => signCommand({ reference, signature: false }, flags, io, parts),
}
