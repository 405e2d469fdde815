import { JSON_REPORT, QUIET, own, reached, told, type Declaration } from './declaration.ts'

const EXAMPLES = `
Examples:
  With a public key:
    oci-publish verify ghcr.io/team/app:v1 --key cosign.pub

  Signed by a workflow, whatever branch it ran on:
    oci-publish verify ghcr.io/team/app:v1 --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
      --certificate-identity-regexp 'https://github\\.com/team/app/\\.github/workflows/release\\.yml@.*'

  Its provenance, by one of two signers:
    oci-publish verify ghcr.io/team/app:v1 --type slsaprovenance1 --policy key=cosign.pub --policy key=old.pub
`

export const verify: Declaration = {
  name: 'verify',
  description: 'Verify who signed or attested what a reference stands for, and print it by digest',
  words: [['<reference>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]']],
  sections: [
    own(
      { flag: '--key <key>', said: 'public key: a path, env://NAME, or a key of AWS KMS, awskms:///alias/NAME' },
      { flag: '--certificate-identity <name>', said: 'whom the certificate has to name' },
      { flag: '--certificate-identity-regexp <pattern>', said: 'the same as a pattern for all of it' },
      { flag: '--certificate-oidc-issuer <url>', said: 'who has to have vouched for that name' },
      { flag: '--certificate-oidc-issuer-regexp <pattern>', said: 'the same as a pattern for all of it' },
      {
        flag: '--policy <line>',
        said: 'KEY=VALUE,… in place of the flags above; of several one has to fit',
        repeatable: true,
      },
      { flag: '--type <type>', said: 'what has to be attested, such as slsaprovenance1; by default that it is signed' },
      { flag: '--annotations <line>', said: 'KEY=VALUE that the signature has to carry', repeatable: true },
      {
        flag: '--trusted-root <file>',
        said: 'certificates and keys of a sigstore of your own; nothing is asked of the network then',
      },
      { flag: '--platforms <list>', said: 'all, index, or platforms: each of them has to be signed', repeatable: true },
    ),
    told(JSON_REPORT, QUIET),
    reached(),
  ],
  after: EXAMPLES,
  async run([reference = ''], flags, io, parts) {
    const { verifyCommand } = await import('../verify.ts') // what reads certificates is of no use to others
    return verifyCommand(reference, flags, io, parts)
  },
}
