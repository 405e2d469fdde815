import { verifyCommand } from '../../src/cli/verify.ts'
import type { Flags } from '../../src/cli/flags.ts'
import { OciPublishError } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { SIGNATURE_PREDICATE } from '../../src/sign/statement.ts'
import type { Verification, VerifiedSignature, VerifyRequest } from '../../src/sign/verify.ts'
import { openIo } from '../../src/cli/io.ts'
import { fakeIo } from './fake-io.ts'

const DIGEST = digestOf(new Uint8Array(0))
const OTHER = digestOf(new Uint8Array(1))
const ISSUER = 'https://token.actions.githubusercontent.com'
const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size: 0 }
const at = new Date('2026-01-02T03:04:05Z')

const BY_KEY: VerifiedSignature = {
  form: 'legacy',
  by: { keyHint: 'HINT=' },
  predicateType: SIGNATURE_PREDICATE,
  annotations: { a: '1' },
  payload: Buffer.from('{"critical":{}}'),
  statement: undefined,
  digest: OTHER,
  times: [],
  logIndexes: [],
}
const claims = {
  buildSignerUri: undefined,
  sourceRepositoryUri: 'https://github.com/acme/app',
  sourceRepositoryDigest: undefined,
  sourceRepositoryRef: undefined,
  sourceRepositoryId: undefined,
  buildTrigger: undefined,
  runInvocationUri: undefined,
  sourceRepositoryVisibility: undefined,
}
const BY_SOMEBODY: VerifiedSignature = {
  form: 'bundle',
  by: { identity: { san: 'me@example.com', sanType: 'email', issuer: ISSUER, ...claims } },
  predicateType: 'https://slsa.dev/provenance/v1',
  annotations: {},
  payload: Buffer.from('{"_type":"x"}'),
  statement: { subjects: [], predicateType: 'https://slsa.dev/provenance/v1', predicate: {} },
  digest: OTHER,
  times: [{ by: 'log', at }],
  logIndexes: ['7'],
}
const VERIFIED: Verification = {
  place: 'r.example/a',
  root: descriptor,
  verified: [
    { descriptor, platform: undefined, signatures: [BY_KEY] },
    {
      descriptor: { ...descriptor, digest: OTHER },
      platform: { os: 'linux', architecture: 'arm64' },
      signatures: [BY_SOMEBODY],
    },
  ],
}

async function run(text: string, flags: Flags, answer: Verification | Error = VERIFIED) {
  const { io, out, err } = fakeIo()
  const seen: { request?: VerifyRequest; values?: FieldValues } = {}
  const exitCode = await verifyCommand(text, flags, openIo(io), {
    env: {},
    signal: new AbortController().signal,
    verify: request => {
      seen.request = request
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    wire: ({ values, problems }) => {
      seen.values = values
      return Promise.resolve({ deps: 'deps', problems, close: () => Promise.resolve() })
    },
  })
  return { exitCode, out: out(), err: err(), ...seen }
}

const NOTHING = { predicateType: undefined, annotations: {}, trustedRoot: undefined }

test('standard output has what was verified, by digest; standard error whose the signatures are', async () => {
  expect(await run('r.example/a:v1', { key: 'cosign.pub' })).toMatchObject({
    exitCode: 0,
    out: `r.example/a@${DIGEST}\nr.example/a@${OTHER}\n`,
    err:
      `${DIGEST} is signed by the key HINT=, in the older form\n` +
      `linux/arm64 ${OTHER} has https://slsa.dev/provenance/v1, signed by me@example.com (issuer ${ISSUER}), logged 2026-01-02T03:04:05.000Z, log entry 7\n`,
    request: {
      reference: { host: 'r.example', tag: 'v1' },
      policies: [{ key: 'cosign.pub', ...NOTHING }],
      choices: [],
    },
    values: { registry: 'r.example' },
  })
  expect(await run('r.example/a', { key: 'cosign.pub', quiet: true })).toMatchObject({ err: '' })
})

test('--json has what was signed, and by whom, for other programs', async () => {
  const { out } = await run('r.example/a:v1', { key: 'cosign.pub', json: true })
  expect(JSON.parse(out)).toEqual({
    reference: 'r.example/a:v1',
    ref: `r.example/a@${DIGEST}`,
    digest: DIGEST,
    verified: [
      {
        ref: `r.example/a@${DIGEST}`,
        digest: DIGEST,
        signatures: [
          {
            form: 'legacy',
            digest: OTHER,
            predicateType: SIGNATURE_PREDICATE,
            signedBy: { keyHint: 'HINT=' },
            annotations: { a: '1' },
            times: [],
            logIndexes: [],
            payload: { critical: {} },
          },
        ],
      },
      {
        ref: `r.example/a@${OTHER}`,
        digest: OTHER,
        platform: 'linux/arm64',
        signatures: [
          {
            form: 'bundle',
            digest: OTHER,
            predicateType: 'https://slsa.dev/provenance/v1',
            signedBy: {
              san: 'me@example.com',
              sanType: 'email',
              issuer: ISSUER,
              sourceRepositoryUri: 'https://github.com/acme/app',
            },
            annotations: {},
            times: [{ by: 'log', at: '2026-01-02T03:04:05.000Z' }],
            logIndexes: ['7'],
            statement: { _type: 'x' },
          },
        ],
      },
    ],
  })
})

test.each<readonly [string, Flags, Partial<VerifyRequest>]>([
  [
    'flags as cosign has them',
    {
      certificateIdentity: 'me@example.com',
      certificateOidcIssuerRegexp: 'https://.*',
      type: 'slsaprovenance1',
      annotations: ['a=1', 'b=2'],
      trustedRoot: 'root.json',
      platforms: ['all,index', 'linux/arm64'],
    },
    {
      policies: [
        {
          identity: { text: 'me@example.com', pattern: undefined },
          issuer: { text: 'https://.*', pattern: /^(?:https:\/\/.*)$/ },
          predicateType: 'https://slsa.dev/provenance/v1',
          annotations: { a: '1', b: '2' },
          trustedRoot: 'root.json',
        },
      ],
      choices: ['all', 'index', { os: 'linux', architecture: 'arm64' }],
    },
  ],
  [
    'lines, of which one has to fit, for one type',
    { policy: ['a.pub', 'b.pub,annotation=x=1'], type: 'vuln' },
    {
      policies: [
        { key: 'a.pub', ...NOTHING },
        { key: 'b.pub', ...NOTHING, annotations: { x: '1' } },
      ],
      predicateType: 'https://cosign.sigstore.dev/attestation/vuln/v1',
    },
  ],
  [
    'both',
    { policy: ['a.pub'], key: 'b.pub' },
    {
      policies: [
        { key: 'b.pub', ...NOTHING },
        { key: 'a.pub', ...NOTHING },
      ],
    },
  ],
])('whom to trust is said by %s', async (_, flags, request) => {
  expect(await run('r.example/a', flags)).toMatchObject({ exitCode: 0, request })
})

test.each<readonly [string, Flags, readonly string[]]>([
  ['r.example/a', {}, ['--key: is missing: say whom to trust, by a public key such as cosign.pub']],
  [
    'r.example/A:',
    { certificateIdentity: 'a', type: 'x', platforms: ['p'], policy: ['key=b,key=c'] },
    [
      'REFERENCE: ',
      '--certificate-oidc-issuer: is missing: ',
      '--type: "x" is neither',
      '--platforms: ',
      '--policy: "key=b,key=c": key is given twice',
    ],
  ],
  [
    'r.example/a',
    { policy: ['a.pub'], annotations: ['a=1'], trustedRoot: 'r', type: 'x' },
    [
      '--annotations: is for --key and --certificate-identity; a line of --policy has annotation=… of its own',
      '--trusted-root: is for --key and --certificate-identity; a line of --policy has trusted-root=… of its own',
      '--type: "x" is neither',
    ],
  ],
  [
    'r.example/a',
    { key: 'a', certificateIdentityRegexp: '(', certificateOidcIssuer: 'b' },
    ['--certificate-identity-regexp: "(" is not a regular expression', '--key: cannot be had besides an identity'],
  ],
])('%s with %j is refused with every problem, before anything is read', async (text, flags, problems) => {
  const { exitCode, err, request } = await run(text, flags)
  expect({ exitCode, request }).toEqual({ exitCode: 2, request: undefined })
  for (const problem of problems) expect(err).toContain(`  ${problem}`)
})

test('what is not verified is a failure, and nothing is printed that a script could go on with', async () => {
  const error = new OciPublishError('VERIFICATION_FAILED', 'r.example/a@sha256:… is not signed', { hint: 'sign it' })
  expect(await run('r.example/a', { key: 'k.pub' }, error)).toMatchObject({
    exitCode: 1,
    out: '',
    err: 'error: r.example/a@sha256:… is not signed\n  hint: sign it\n',
  })
})
