import type { InputProblem } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { readEntries, type Entries } from './entries.ts'
import { FIELDS, type Field, type FieldName, type FieldValues } from './fields.ts'

type SignatureFormat = 'bundle' | 'legacy' | 'both'

/** Where certificates, log entries and timestamps come from, as it was typed. */
interface SigstoreWords {
  readonly instance: 'auto' | 'public-good' | 'github'
  readonly fulcioUrl: string | undefined
  readonly rekorUrl: string | undefined
  readonly rekorVersion: 1 | 2
  readonly tsaUrl: string | undefined
  /** Path of a file. */
  readonly signingConfig: string | undefined
}

/** What to sign with: the identity of the job, `sign-key`, or the address of a key that others keep. */
export type SignWith = 'keyless' | 'key' | `${string}://${string}`

/** What is to be signed and attested, understood as far as that goes without looking at files. */
export interface SigningRequest {
  readonly with: readonly SignWith[]
  readonly key: string | undefined
  readonly password: string | undefined
  readonly format: SignatureFormat
  readonly annotations: Annotations
  readonly provenance: boolean
  readonly predicates: Readonly<Record<'types' | 'paths', readonly string[]>> & { readonly followLinks: boolean }
  readonly sigstore: SigstoreWords
  /** Path of a file that verifiers need, where the services are not the public ones. */
  readonly trustedRoot: string | undefined
  readonly githubAttestation: boolean
  readonly githubToken: string | undefined
  readonly bundleFile: string | undefined
  readonly notation: NotationWords | undefined
}

export interface NotationWords {
  readonly key: string
  readonly password: string | undefined
  readonly chain: string
}

export interface ParsedSigning {
  /** undefined where nothing is to be signed. */
  readonly request: SigningRequest | undefined
  readonly problems: readonly InputProblem[]
  readonly notices: readonly string[]
}

/** Reads the inputs about signatures, and finds every problem that can be seen without looking at files. Touches nothing. */
export function parseSigning(values: FieldValues): ParsedSigning {
  const entries = readEntries(values)
  const problems: InputProblem[] = []
  const key = entries.document('sign-key') || undefined
  const ways = waysOf(entries, key, problems)
  const provenance = entries.boolean('provenance', problems)
  const predicates = {
    types: entries.of('predicate-type'),
    paths: entries.of('predicate-path'),
    followLinks: entries.boolean('follow-links', []),
  }
  const githubAttestation = entries.boolean('github-attestation', problems)
  const attests = provenance || predicates.types.length > 0 || predicates.paths.length > 0
  const { format, notices } = formatOf(entries, { attests, ways }, problems)
  const notation = notationOf(entries, problems)
  if (ways.length === 0) problems.push(...withoutSigner(entries, { provenance, githubAttestation, notation }))
  const sbom = entries.boolean('sbom', [])
  if (githubAttestation && ways.length > 0 && !attests && !sbom) {
    const hint = 'add "provenance: true"'
    problems.push({ input: 'github-attestation', problem: 'there is nothing to attest', hint })
  }
  // Who looks there asks for an identity, never for a key.
  if (githubAttestation && ways.length > 0 && !ways.includes('keyless')) {
    const problem = 'GitHub keeps what the identity of a job has signed'
    problems.push({ input: 'github-attestation', problem, hint: 'add keyless to "sign"' })
  }
  const annotations = Object.fromEntries(entries.pairs('sign-annotations', problems))
  const reserved = notation ? Object.keys(annotations).filter(key => key.startsWith('io.cncf.notary')) : []
  for (const key of reserved) {
    problems.push({ input: 'sign-annotations', problem: `${key} belongs to the Notary Project` })
  }
  const request: SigningRequest = {
    with: ways,
    key,
    password: values['sign-password'] === undefined ? undefined : entries.document('sign-password'),
    format,
    annotations,
    provenance,
    predicates,
    sigstore: sigstoreOf(entries, problems),
    trustedRoot: entries.text('trusted-root'),
    githubAttestation,
    githubToken: entries.text('github-token'),
    bundleFile: entries.text('bundle-file'),
    notation,
  }
  const asked = ways.length > 0 || notation !== undefined
  return { request: asked ? request : undefined, problems, notices }
}

/** What says how to sign, and does nothing by itself. Those of attestations are told by `parseSigning`. */
const HOW_TO_SIGN = [
  ...['sign-password', 'signature-format', 'sigstore', 'fulcio-url', 'rekor-url', 'rekor-version', 'tsa-url'],
  ...['signing-config', 'bundle-file'],
] as const satisfies readonly FieldName[]

/**
 * Told where a publication says how to sign and not with what: the secret of the key may be missing, and nobody wants to
 * find out from a publication that is not signed. `sign: false` is an answer.
 */
export function idleSigning(values: FieldValues): readonly InputProblem[] {
  const entries = readEntries(values)
  const notation = entries.document('notation-key') !== '' || entries.document('notation-chain') !== ''
  const problems: InputProblem[] = []
  if (entries.document('notation-password') !== '' && !notation) {
    problems.push({ input: 'notation-password', problem: 'is given, and notation-key is missing' })
  }
  if (entries.of('sign').length > 0 || entries.document('sign-key') !== '') return problems
  const given = HOW_TO_SIGN.filter(name => {
    const field: Field | undefined = FIELDS.find(one => one.name === name)
    const value = entries.of(name).join()
    return value !== '' && value !== (field?.default ?? '')
  })
  const problem = 'says how to sign, and nothing says what with'
  const hint = 'set "sign" to keyless, to key with sign-key, or to false'
  return [...problems, ...given.map(input => ({ input, problem, hint }))]
}

const ADDRESS = /^[a-z0-9+.-]+:\/\/./

/** A key alone says that it is to be signed with. */
function waysOf(entries: Entries, key: string | undefined, problems: InputProblem[]): readonly SignWith[] {
  const ways = new Set<SignWith>()
  for (const entry of entries.of('sign')) {
    if (entry === 'keyless' || entry === 'key' || isAddress(entry)) ways.add(entry)
    else if (!/^(?:false|none|no|off)$/i.test(entry)) {
      const problem = `"${entry}" is not keyless, key, or the address of a key such as awskms:///alias/release`
      problems.push({ input: 'sign', problem })
    }
  }
  if (key !== undefined && entries.of('sign').length === 0) return ['key']
  if (ways.has('key') && key === undefined) {
    const hint = 'set "sign-key: ${{ secrets.COSIGN_PRIVATE_KEY }}", or a path'
    problems.push({ input: 'sign-key', problem: 'is missing, and "sign" says key', hint })
  }
  if (key !== undefined && !ways.has('key') && problems.length === 0 && ways.size > 0) {
    const problem = `is given, but "sign" says ${[...ways].join(', ')}`
    problems.push({ input: 'sign-key', problem, hint: 'add key to "sign", or leave sign-key out' })
  }
  return [...ways]
}

function isAddress(text: string): text is `${string}://${string}` {
  return ADDRESS.test(text)
}

/**
 * A verifier that finds one bundle looks no further: beside attestations, which are bundles, a signature has to be one
 * as well.
 */
function formatOf(
  entries: Entries,
  { attests, ways }: { readonly attests: boolean; readonly ways: readonly SignWith[] },
  problems: InputProblem[],
): { readonly format: SignatureFormat; readonly notices: readonly string[] } {
  const format = entries.choice('signature-format', ['bundle', 'legacy', 'both'], problems)
  if (format !== 'legacy' || ways.length === 0 || !(attests || entries.boolean('sbom', [])))
    return { format, notices: [] }
  const notice =
    'signature-format is "both" instead of "legacy": attestations are bundles, and a verifier that finds a bundle ignores older signatures'
  return { format: 'both', notices: [notice] }
}

/** What asks for a signer, where there is none. */
function withoutSigner(
  entries: Entries,
  { provenance, githubAttestation, notation }: Pick<SigningRequest, 'provenance' | 'githubAttestation' | 'notation'>,
): readonly InputProblem[] {
  const hint = 'add "sign: keyless", with "permissions: { id-token: write }" in the job, or "sign: key" with sign-key'
  const asking: FieldName[] = [
    ...(provenance ? (['provenance'] as const) : []),
    ...(githubAttestation ? (['github-attestation'] as const) : []),
    ...(['predicate-type', 'predicate-path'] as const).filter(name => entries.of(name).length > 0),
    ...(entries.of('sign-annotations').length > 0 && !notation ? (['sign-annotations'] as const) : []),
  ]
  return asking.map(input => ({ input, problem: 'is signed, and nothing says what with', hint }))
}

function notationOf(entries: Entries, problems: InputProblem[]): NotationWords | undefined {
  const [key, chain] = [entries.document('notation-key'), entries.document('notation-chain')]
  if (key === '' && chain === '') return undefined
  if (key === '' || chain === '') {
    const [input, other] = key === '' ? ['notation-key', 'notation-chain'] : ['notation-chain', 'notation-key']
    problems.push({ input, problem: `is missing, and ${other} is given: signatures of the Notary Project need both` })
    return undefined
  }
  return { key, chain, password: entries.document('notation-password') || undefined }
}

const NOWHERE = { protocol: '', hostname: '', host: '' }
const LOOPBACK = /^(?:localhost|127(?:[.]\d+){3}|\[::1\])$/

function sigstoreOf(entries: Entries, problems: InputProblem[]): SigstoreWords {
  const plain = new Set(entries.of('plain-http'))
  const address = (input: FieldName): string | undefined => {
    const text = entries.text(input)
    if (text === undefined) return undefined
    const { protocol, hostname, host } = URL.canParse(text) ? new URL(text) : NOWHERE
    const isPlain = protocol === 'http:'
    if (protocol === 'https:' || (isPlain && (LOOPBACK.test(hostname) || plain.has(host)))) return text
    if (!isPlain) {
      problems.push({ input, problem: `"${text}" is not an address such as https://sigstore.example.com` })
      return undefined
    }
    const problem = `"${text}" would show tokens and signatures to everybody on the way`
    const hint = `use https, or name ${host} in plain-http`
    problems.push({ input, problem, hint })
    return undefined
  }
  return {
    instance: entries.choice('sigstore', ['auto', 'public-good', 'github'], problems),
    fulcioUrl: address('fulcio-url'),
    rekorUrl: address('rekor-url'),
    rekorVersion: entries.choice('rekor-version', ['1', '2'], problems) === '2' ? 2 : 1,
    tsaUrl: address('tsa-url'),
    signingConfig: entries.text('signing-config'),
  }
}
