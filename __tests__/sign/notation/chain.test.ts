import { createPublicKey, generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { OciPublishError } from '../../../src/errors.ts'
import { chainProblems, checkChain, readChain, thumbprintsOf } from '../../../src/sign/notation/chain.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { certificateOf, pemOf, DIGITAL_SIGNATURE, KEY_CERT_SIGN, SERVER_AUTH } from '../../support/certificates.ts'
import { chainOf, ecKey, rsaKey, INTERMEDIATE, LEAF, NOW, ROOT, type MadeChain } from './chains.ts'

const problemsOf = (chain: readonly X509Certificate[], key: KeyObject, at = NOW): readonly string[] =>
  chainProblems(chain, createPublicKey(key), at)

const SIGNER = 'certificate 1 (C=US, ST=WA, O=Acme, CN=Signer)'
const ISSUING = 'certificate 2 (C=US, O=Acme, CN=Issuing)'
const TOP = 'certificate 3 (C=US, O=Acme, CN=Root)'

describe('a chain can be used', () => {
  test.each([
    ['P-256', ecKey('P-256')],
    ['P-384', ecKey('P-384')],
    ['P-521', ecKey('P-521')],
    ['RSA with 2048 bits', rsaKey(2048)],
  ])('with a key on %s', (_name, key) => {
    expect(problemsOf(chainOf({ key }).chain, key)).toEqual([])
  })

  test('without extendedKeyUsage, with a purpose of its own, or with nonRepudiation beside digitalSignature', () => {
    const usages = [DIGITAL_SIGNATURE, 1]
    for (const leaf of [{ purposes: null }, { purposes: ['1.3.6.1.4.1.311.10.3.13'] }, { usages }]) {
      const { chain, key } = chainOf({ leaf })
      expect(problemsOf(chain, key)).toEqual([])
    }
  })

  test('of one certificate that is issued by itself', () => {
    const key = ecKey()
    expect(problemsOf([certificateOf({ subject: LEAF, key })], key)).toEqual([])
  })

  test('where the root leaves as many authorities below it as there are', () => {
    const { chain, key } = chainOf({ root: { constraints: { ca: true, pathLength: 1 } } })
    expect(problemsOf(chain, key)).toEqual([])
  })
})

describe('told before anything is signed', () => {
  test.each<[string, Parameters<typeof chainOf>[0], string]>([
    ['no keyUsage', { leaf: { usages: null } }, 'it has no keyUsage, which has to be "critical, digitalSignature"'],
    ['keyUsage not critical', { leaf: { usagesCritical: false } }, 'its keyUsage is not marked critical'],
    ['no digitalSignature', { leaf: { usages: [1] } }, 'its keyUsage has no digitalSignature'],
    [
      'a key that also encrypts',
      { leaf: { usages: [DIGITAL_SIGNATURE, 2, 8] } },
      'its keyUsage must not have keyEncipherment, decipherOnly',
    ],
    [
      'the certificate of a web server',
      { leaf: { purposes: [SERVER_AUTH, '1.3.6.1.5.5.7.3.2'] } },
      'it is made for serverAuth, clientAuth: extendedKeyUsage has to be codeSigning',
    ],
    [
      'that of an authority',
      { leaf: { constraints: { ca: true } } },
      'it is that of an authority (CA:TRUE), and those do not sign content',
    ],
    ['not valid yet', { leaf: { notBefore: '2027-01-01T00:00:00Z' } }, 'it is not valid before 2027-01-01T00:00:00Z'],
    ['expired', { leaf: { notAfter: '2026-05-31T23:59:59Z' } }, 'it has expired on 2026-05-31T23:59:59Z'],
    ['signed with SHA-1', { leaf: { hash: 'sha1' } }, 'it is signed with SHA-1'],
    [
      'Ed25519',
      { key: generateKeyPairSync('ed25519').privateKey },
      'its key is ed25519; Notation takes RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521',
    ],
    [
      "Bitcoin's curve",
      { key: ecKey('secp256k1') },
      'its key is EC secp256k1; Notation takes RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521',
    ],
    [
      'RSA with 1024 bits',
      { key: rsaKey(1024) },
      'its key is RSA 1024; Notation takes RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521',
    ],
  ])('of the certificate of the key: %s', (_name, parts, problem) => {
    const { chain, key } = chainOf(parts)
    expect(problemsOf(chain, key)).toEqual([`${SIGNER}: ${problem}`])
  })

  test.each<[string, Parameters<typeof chainOf>[0], string]>([
    [
      'an intermediate that is no authority',
      { intermediate: { constraints: null } },
      `${ISSUING}: as that of an authority it needs basicConstraints "critical, CA:TRUE"`,
    ],
    [
      'a root whose basicConstraints are not critical',
      { root: { constraints: { ca: true, critical: false } } },
      `${TOP}: as that of an authority it needs basicConstraints "critical, CA:TRUE"`,
    ],
    [
      'a root that allows no other authority',
      { root: { constraints: { ca: true, pathLength: 0 } } },
      `${TOP}: below it may be 0 authorities (pathlen), and there are 1`,
    ],
    [
      'an intermediate that may not sign certificates',
      { intermediate: { usages: [DIGITAL_SIGNATURE] } },
      `${ISSUING}: its keyUsage has no keyCertSign`,
    ],
    [
      'a root that has expired',
      { root: { notAfter: '2021-01-01T00:00:00Z' } },
      `${TOP}: it has expired on 2021-01-01T00:00:00Z`,
    ],
    [
      'another intermediate of the same name',
      { leaf: { issuer: { subject: INTERMEDIATE, key: ecKey() } } },
      `${SIGNER} is not signed with the key of ${ISSUING}`,
    ],
    [
      'an intermediate of another chain',
      { leaf: { issuer: { subject: { CN: 'Elsewhere' }, key: ecKey() } } },
      `${SIGNER} is issued by "CN=Elsewhere", not by ${ISSUING}`,
    ],
  ])('of the others: %s', (_name, parts, problem) => {
    const { chain, key } = chainOf(parts)
    expect(problemsOf(chain, key)).toEqual([problem])
  })

  test('a chain without its root, which is how most authorities send it', () => {
    const { chain, key } = chainOf()
    expect(problemsOf(chain.slice(0, 2), key)).toEqual([
      `${ISSUING} is the last and is issued by "C=US, O=Acme, CN=Root": the chain has to end with the root`,
    ])
    expect(problemsOf(chain.slice(0, 1), key)).toEqual([
      `${SIGNER} is the last and is issued by "C=US, O=Acme, CN=Issuing": the chain has to end with the root`,
    ])
  })

  test('a root that is there twice', () => {
    const { chain, key, root } = chainOf()
    expect(problemsOf([...chain, root], key)).toContain(`${TOP} is issued by itself: no other may come after it`)
  })

  test('a chain in the wrong order, and nothing of what follows from that', () => {
    const { chain, key } = chainOf()
    expect(problemsOf(chain.toReversed(), key)).toEqual([
      'certificate 3 (C=US, ST=WA, O=Acme, CN=Signer) is that of the key: it has to come first, then the one that issued it, the root last',
    ])
  })

  test('a chain of another key', () => {
    expect(problemsOf(chainOf().chain, ecKey())).toEqual([
      `${SIGNER} is not that of the key, and neither is any other: the first has to be`,
    ])
    expect(problemsOf([], ecKey())).toEqual(['there is no certificate'])
  })

  test('all of it at once, with what to do', () => {
    const leaf = { usagesCritical: false, usages: [KEY_CERT_SIGN], purposes: [SERVER_AUTH] }
    const { chain, key } = chainOf({ leaf, root: { constraints: null } })
    expect(problemsOf(chain, key)).toHaveLength(5)
    const failure = failureOf(() => {
      checkChain(chain, key, NOW)
    })
    expect(failure.code).toBe('UNUSABLE_CERTIFICATE')
    expect(failure.message).toBe(
      `Notation would refuse what is signed with this chain of certificates: ${problemsOf(chain, key).join('; ')}`,
    )
    expect(failure.hint).toContain('docs/notation.md')
  })
})

function failureOf(act: () => unknown): OciPublishError {
  try {
    act()
  } catch (error) {
    if (error instanceof OciPublishError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('reading a chain', () => {
  const made: MadeChain = chainOf()

  test('in the order in which it is written, with the key or notes beside it', () => {
    const key = made.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const text = `subject=C=US, O=Acme\r\n${key}${pemOf(...made.chain).replaceAll('\n', '\r\n')}\n# end\n`
    expect(readChain(text, 'chain.pem').map(({ raw }) => raw)).toEqual(made.chain.map(({ raw }) => raw))
  })

  test('in one line, as a variable of CI may have it', () => {
    expect(readChain(pemOf(...made.chain).replaceAll('\n', String.raw`\n`), 'chain')).toHaveLength(3)
  })

  test.each([
    ['nothing', '', 'chain.pem: is not PEM'],
    [
      'a key',
      ecKey().export({ type: 'pkcs8', format: 'pem' }).toString(),
      'chain.pem: has no certificate, but PRIVATE KEY',
    ],
    [
      'bytes that are none',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'chain.pem, 1: is not an X.509 certificate',
    ],
  ])('%s is told by the name of the file, without its content', (_name, text, message) => {
    expect(failureOf(() => readChain(text, 'chain.pem')).message).toBe(message)
  })

  test('thumbprints are those of the bytes', () => {
    expect(thumbprintsOf(made.chain).map(hex => `sha256:${hex}`)).toEqual(made.chain.map(({ raw }) => digestOf(raw)))
    expect(made.root.subject).toContain(ROOT.CN)
  })
})
