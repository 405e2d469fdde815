import type { OciPublishError } from '../errors.ts'
import { GENERATE, invalidKey } from './invalid-key.ts'
import type { PemBlock } from './pem.ts'

/** Which half of a pair was wanted. */
export type Half = 'private' | 'public'

interface Unfit {
  /** Of the labels of the blocks and, where there is no block, of the text. */
  readonly when: RegExp
  readonly problem: string
  readonly hint: string
}

/** The first that fits says what was given instead. */
const UNFIT: Readonly<Record<Half, readonly Unfit[]>> = {
  private: [
    {
      when: /^OPENSSH PRIVATE KEY$/m,
      problem: 'is a private key in the format of OpenSSH',
      hint: `of ECDSA and RSA "ssh-keygen -p -m PKCS8 -f COPY" makes one in PKCS #8, in place, so let it work on a copy; or ${GENERATE}`,
    },
    {
      when: /^PGP /m,
      problem: 'is a PGP key, which signs charts but not images',
      hint: `chart-sign-key takes it; for images ${GENERATE}`,
    },
    {
      when: /^(RSA )?PUBLIC KEY$/m,
      problem: 'is a public key, which cannot sign',
      hint: 'give the private key that it belongs to: with cosign.pub that is cosign.key',
    },
    {
      when: /^(TRUSTED |X509 )?CERTIFICATE$/m,
      problem: 'is a certificate, which cannot sign',
      hint: 'give the private key that the certificate was issued for',
    },
    {
      when: /^(ssh|ecdsa|sk)-\S+ AAAA/,
      problem: 'is an SSH public key, which cannot sign',
      hint: GENERATE,
    },
  ],
  public: [
    {
      when: /^ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY$/m,
      problem: 'is a private key, which nobody needs who only verifies',
      hint: 'give cosign.pub, which was made with cosign.key; "cosign public-key --key cosign.key" prints it again',
    },
    {
      when: /^OPENSSH PRIVATE KEY$/m,
      problem: 'is a private key, which nobody needs who only verifies',
      hint: '"ssh-keygen -e -m PKCS8 -f KEY.pub" prints the public key in the format that is read here',
    },
    {
      when: /PRIVATE KEY$/m,
      problem: 'is a private key, which nobody needs who only verifies',
      hint: '"openssl pkey -in KEY -pubout" prints the public key',
    },
    {
      when: /^PGP /m,
      problem: 'is a PGP key, which signs charts but not images',
      hint: 'give the public key in PEM, such as cosign.pub',
    },
    {
      when: /^(TRUSTED |X509 )?CERTIFICATE$/m,
      problem: 'is a certificate, not a public key',
      hint: '"openssl x509 -in CERTIFICATE -pubkey -noout" prints the public key in it, if that is what is to be trusted',
    },
    {
      when: /^(ssh|ecdsa|sk)-\S+ AAAA/,
      problem: 'is an SSH public key',
      hint: '"ssh-keygen -e -m PKCS8 -f KEY.pub" prints it in the format that is read here, unless it is Ed25519',
    },
  ],
}

/** Tells what a text is that has no key of the half that was wanted. */
export function unfitKey(text: string, blocks: readonly PemBlock[], wanted: Half, where: string): OciPublishError {
  const labels = blocks.map(({ label }) => label)
  const seen = blocks.length === 0 ? text.trim() : labels.join('\n')
  const known = UNFIT[wanted].find(({ when }) => when.test(seen))
  if (known) return invalidKey(where, known.problem, { hint: known.hint })
  if (seen === '') return invalidKey(where, 'is empty', { hint: GENERATE })
  if (blocks.length > 0) {
    return invalidKey(where, `has no ${wanted} key, but ${[...new Set(labels)].join(', ')}`, { hint: GENERATE })
  }
  const hint = `"openssl pkey ${wanted === 'public' ? '-pubin ' : ''}-inform DER -in KEY -out key.pem" converts a key in DER`
  return invalidKey(where, 'is not PEM, which begins with "-----BEGIN"', { hint })
}
