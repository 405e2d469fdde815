import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { parseRegistryReference } from '../../src/oci/reference.ts'
import { verifyCommands, type SignedImage } from '../../src/sign/verify-commands.ts'
import { DIGEST } from './some-bundles.ts'
import { ISSUER, SAN } from './some-certificates.ts'

const image = parseRegistryReference('ghcr.io/team/app:v1')
const KEY = { key: 'cosign.pub' }
const WORKFLOW = { san: SAN, issuer: ISSUER }
const REF = `ghcr.io/team/app@${DIGEST}`

const commands = (by: SignedImage['by'], more: Partial<SignedImage> = {}): readonly string[] =>
  verifyCommands({ image, digest: DIGEST, by, log: 'none', isSigned: true, predicateTypes: [], ...more })

test.each<[string, SignedImage['by'], Partial<SignedImage>, string]>([
  ['a key', KEY, {}, `--key cosign.pub --insecure-ignore-tlog ${REF}`],
  ['a key in a log', KEY, { log: 'rekor' }, `--key cosign.pub ${REF}`],
  ['a key in our log', KEY, { log: 'rekor', trustedRoot: 'r.json' }, `--key cosign.pub --trusted-root r.json ${REF}`],
  [
    'a key, with a root that it does not need',
    KEY,
    { trustedRoot: 'r.json' },
    `--key cosign.pub --insecure-ignore-tlog ${REF}`,
  ],
  ['a key of a cloud', { key: 'awskms:///alias/x' }, {}, `--key awskms:///alias/x --insecure-ignore-tlog ${REF}`],
  [
    'a workflow',
    WORKFLOW,
    { log: 'rekor' },
    `--certificate-identity ${SAN} --certificate-oidc-issuer ${ISSUER} ${REF}`,
  ],
  [
    'a workflow, witnessed by our own services',
    WORKFLOW,
    { log: 'rekor', trustedRoot: 'our root.json' },
    `--certificate-identity ${SAN} --certificate-oidc-issuer ${ISSUER} --trusted-root 'our root.json' ${REF}`,
  ],
  [
    'a workflow in no log, as GitHub has it for private repositories',
    WORKFLOW,
    { trustedRoot: 'r.json' },
    `--certificate-identity ${SAN} --certificate-oidc-issuer ${ISSUER} --insecure-ignore-tlog --trusted-root r.json ${REF}`,
  ],
  ['a path with a quote in it', { key: "it's.pub" }, {}, `--key 'it'\\''s.pub' --insecure-ignore-tlog ${REF}`],
])('the command for %s', (_, by, more, words) => {
  expect(commands(by, more)).toEqual([`cosign verify ${words}`])
})

test('each attestation has a command of its own, by the name that cosign has for it', () => {
  const predicateTypes = [
    'https://slsa.dev/provenance/v1',
    'https://spdx.dev/Document',
    'https://cyclonedx.org/bom',
    'https://openvex.dev/ns',
    'https://example.com/test-result/v1?x=1',
    'https://spdx.dev/Document',
  ]
  const words = `--key cosign.pub --insecure-ignore-tlog ${REF}`
  expect(commands(KEY, { predicateTypes, isSigned: false })).toEqual([
    `cosign verify-attestation --type slsaprovenance1 ${words}`,
    `cosign verify-attestation --type spdxjson ${words}`,
    `cosign verify-attestation --type cyclonedx ${words}`,
    `cosign verify-attestation --type openvex ${words}`,
    `cosign verify-attestation --type 'https://example.com/test-result/v1?x=1' ${words}`,
  ])
})

test.each([
  ['localhost:5000', false],
  ['127.0.0.1:5000', false],
  ['127.1.2.3', false],
  ['10.1.2.3:5000', false],
  ['172.16.0.1', false],
  ['172.32.0.1:5000', true],
  ['192.168.1.1', false],
  ['[::1]:5000', false],
  ['registry.local:5000', false],
  ['registry.localhost', false],
  ['registry.example.com:5000', true],
  ['8.8.8.8:5000', true],
  ['10.example.com', true],
])('plain http to %s has to be allowed: %s', (host, isTold) => {
  const [command = ''] = commands(KEY, { image: parseRegistryReference(`${host}/app`), plainHttp: true })
  expect(command.includes('--allow-http-registry')).toBe(isTold)
  const [secure = ''] = commands(KEY, { image: parseRegistryReference(`${host}/app`), plainHttp: false })
  expect(secure).not.toContain('--allow-http-registry')
})

test('a shell reads back the words that were meant', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), key => {
      const [command = ''] = commands({ key })
      const words = execFileSync('sh', ['-c', `cosign() { printf '%s\\0' "$@"; }; ${command}`])
        .toString()
        .split('\0')
      expect(words.slice(0, 3)).toEqual(['verify', '--key', key])
      expect(words).toHaveLength(6)
    }),
    { numRuns: 20 },
  )
})
