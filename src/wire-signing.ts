import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buildPlace } from './attest/build-place.ts'
import { gitResource } from './attest/resource.ts'
import type { Abortable } from './async/abortable.ts'
import { Once } from './async/once.ts'
import type { AwsOptions } from './cloud/aws/options.ts'
import { isKmsUri } from './cloud/kms-uri.ts'
import { githubIdToken } from './cloud/github-id-token.ts'
import { InputError, OciPublishError, messageOf, type InputProblem } from './errors.ts'
import { exec } from './exec.ts'
import { gitSource } from './metadata/git-source.ts'
import { parseJson } from './parse.ts'
import type { SigningRequest, SignWith } from './publish/parse-signing.ts'
import type { SigningDeps } from './publish/signing-deps.ts'
import { keySigner } from './sign/key-signer.ts'
import { readKeyText } from './sign/key-source.ts'
import type { SigningMeans } from './sign/means.ts'
import { readPublicKey } from './sign/public-key.ts'
import { parseTrustedRoot, type TrustedRoot } from './sign/trusted-root.ts'
import { readPrivateKey } from './sign/private-key.ts'
import type { Signer } from './sign/signer.ts'
import { chooseServices, type Services } from './sigstore/choose-services.ts'
import { storeAttestation } from './sigstore/github-attestations.ts'
import { identityToken, type IdentityToken } from './sigstore/identity-token.ts'
import { keylessIdentity } from './sigstore/keyless.ts'
import { parseSigningConfig, type SigningConfig } from './sigstore/signing-config.ts'
import { loadTrustedRoot } from './sigstore/trusted-roots.ts'
import { witnessesOf } from './sigstore/witnesses.ts'
import { workflowIdentity } from './sigstore/workflow-identity.ts'

export interface SigningWiring {
  readonly env: NodeJS.ProcessEnv
  /** Transport, and how AWS is asked for keys. */
  readonly aws: AwsOptions
  readonly onSecret: (secret: string) => void
  readonly onNotice: (text: string) => void
  readonly bundleFile: string | undefined
  /** The input of that name, a file. */
  readonly trustedRoot: string | undefined
  /** Of this run, for nobody else, removed by whoever made it. */
  readonly tempDir: string
}

/** Builds what signs. Nothing is touched before the first call. */
export function signingDeps(wiring: SigningWiring): SigningDeps {
  const { env, aws, onSecret, onNotice, bundleFile } = wiring
  const { transport } = aws
  let known: IdentityToken | undefined
  const token = async ({ signal }: Abortable): Promise<IdentityToken> => {
    const ask = (audience: string): Promise<string> => githubIdToken(audience, { env, transport, onSecret, signal })
    return (known = await identityToken({ env, githubIdToken: ask, onSecret }, { signal }))
  }

  const servicesFor = async (
    { sigstore, format }: SigningRequest,
    identity: IdentityToken | undefined,
    io: Abortable,
  ): Promise<Services> => {
    const { signingConfig, ...wishes } = sigstore
    const { services, problems, notices } = chooseServices({
      ...wishes,
      signingConfig: signingConfig === undefined ? undefined : await readConfig(signingConfig, io),
      visibility: identity?.claims.repositoryVisibility,
      serverUrl: env['GITHUB_SERVER_URL'],
      keyless: identity !== undefined,
      legacy: format !== 'bundle',
      nowMs: Date.now(),
    })
    if (problems.length > 0) throw new InputError(problems)
    notices.forEach(onNotice)
    return services
  }

  const keyMeans = async (way: SignWith, request: SigningRequest, io: Abortable): Promise<SigningMeans> => {
    const { signer, title, key } = await openKey(way, request, io)
    const services = await servicesFor(request, undefined, io)
    const by = { publicKey: signer.publicKey }
    return {
      title,
      verifiedBy: { key },
      trustedRoot: trustOf(services, request),
      identity: () => Promise.resolve({ signer, by }),
      known: by,
      witnesses: witnessesOf(services, { transport }),
    }
  }

  const kmsSigner = async (uri: string, io: Abortable): Promise<Signer> => {
    const { awsKmsSigner } = await import('./cloud/kms-signer.ts')
    const { kmsApis } = await import('./cloud/open-kms-api.ts')
    return awsKmsSigner(uri, { open: kmsApis(aws), env, region: aws.region }, io)
  }

  const openKey = async (way: SignWith, request: SigningRequest, io: Abortable): Promise<OpenKey> => {
    if (way !== 'key') return { signer: await kmsSigner(way, io), title: way, key: way }
    const given = request.key ?? ''
    const text = await readKeyText(given, 'sign-key', { env, ...io })
    for (const secret of [text, request.password ?? '']) if (secret !== '') onSecret(secret)
    const key: KeyObject = await readPrivateKey(text, 'sign-key', { passphrase: request.password, ...io })
    const isPath = /^[\w./-]+\.key$/.test(given.trim())
    const name = isPath ? given.trim() : undefined
    return {
      signer: keySigner(key),
      title: name === undefined ? 'sign-key' : `the key ${name}`,
      key: name === undefined ? 'cosign.pub' : name.replace(/\.key$/, '.pub'),
    }
  }

  const keylessMeans = async (request: SigningRequest, io: Abortable): Promise<SigningMeans> => {
    const first = await token(io)
    const services = await servicesFor(request, first, io)
    const { fulcioUrl } = services
    if (fulcioUrl === undefined) throw new TypeError('keyless without a certificate authority') // is a problem before
    let unused: IdentityToken | undefined = first
    const keyless = await keylessIdentity(
      {
        transport,
        fulcioUrl,
        token: async io => {
          const ready = unused ?? (await token(io))
          unused = undefined
          return ready
        },
      },
      io,
    )
    const trust = trustOf(services, request)
    const workflow = trust === 'unknown' ? undefined : workflowIdentity(first.claims)
    return {
      title: 'keyless',
      verifiedBy: undefined,
      trustedRoot: trust,
      identity: io => keyless.identity(io),
      known: workflow && { workflow, loadRoot: io => rootOf(request.trustedRoot, services.instance, io) },
      witnesses: witnessesOf(services, { transport }),
    }
  }

  const roots = new Once<string, TrustedRoot>()
  const rootOf = (path: string | undefined, instance: Services['instance'], io: Abortable): Promise<TrustedRoot> => {
    return roots.run(`${instance} ${path ?? ''}`, async () => {
      const { bytes, where } = await loadTrustedRoot({ path, instance, tempDir: wiring.tempDir }, io)
      return parseTrustedRoot(bytes, where)
    })
  }

  const open = (way: SignWith, request: SigningRequest, io: Abortable): Promise<SigningMeans> =>
    way === 'keyless' ? keylessMeans(request, io) : keyMeans(way, request, io)

  return {
    env,
    onSecret,
    bundleFile,
    async openMeans(request, io) {
      const problems: InputProblem[] = [...(request.githubAttestation ? storeProblems(request, env) : [])]
      const means: SigningMeans[] = []
      for (const way of request.with) {
        try {
          means.push(await open(way, request, io))
        } catch (error) {
          io.signal?.throwIfAborted()
          problems.push(...problemsOf(error, way))
        }
      }
      if (problems.length > 0) throw new InputError(problems)
      return means
    },
    async buildPlace(directory, { signal }) {
      const place = buildPlace(env, known && claimsOf(known))
      const source = await gitSource(directory, { env, exec, signal })
      return source ? { ...place, sources: [...place.sources, gitResource(source)] } : place
    },
    async readPublicKey(key, io) {
      if (isKmsUri(key)) return (await kmsSigner(key, io)).publicKey
      return readPublicKey(await readKeyText(key, 'key', { env, ...io }), 'key')
    },
    loadTrustedRoot: (file, io) => rootOf(file ?? wiring.trustedRoot, 'public-good', io),
    async storeAttestation(bundle, { githubToken: token = '' }, io) {
      const repository = env['GITHUB_REPOSITORY'] ?? ''
      const apiUrl = env['GITHUB_API_URL'] ?? 'https://api.github.com'
      const serverUrl = env['GITHUB_SERVER_URL'] ?? 'https://github.com'
      return storeAttestation({ apiUrl, serverUrl, repository, token, bundle }, { transport, ...io })
    },
  }
}

/** @throws {InputError} for a file that is not there, or is no signing config */
async function readConfig(path: string, { signal }: Abortable): Promise<SigningConfig> {
  try {
    return parseSigningConfig(await readFile(path, { signal }), path)
  } catch (error) {
    signal?.throwIfAborted()
    throw new InputError([{ input: 'signing-config', problem: messageOf(error) }], { cause: error })
  }
}

/** Whether verifiers know whose certificates and entries to believe. */
function trustOf({ instance, log, fulcioUrl }: Services, { trustedRoot }: SigningRequest): SigningMeans['trustedRoot'] {
  if (instance === 'public-good') return 'public-good'
  const needed = log !== undefined || fulcioUrl !== undefined
  return trustedRoot !== undefined || !needed ? 'given' : 'unknown'
}

/** What GitHub needs to keep an attestation, found before anything is published. */
function storeProblems({ githubToken }: SigningRequest, env: NodeJS.ProcessEnv): readonly InputProblem[] {
  const input = 'github-attestation'
  if (!env['GITHUB_REPOSITORY'])
    return [{ input, problem: 'is for jobs of GitHub Actions: GITHUB_REPOSITORY is not set' }]
  if (githubToken) return []
  return [{ input, problem: 'needs github-token', hint: 'set "github-token: ${{ github.token }}"' }]
}

interface OpenKey {
  readonly signer: Signer
  readonly title: string
  /** Where verifiers find its public half. */
  readonly key: string
}

/** A key that cannot be used is a wrong request; a service that does not answer is not. */
function problemsOf(error: unknown, way: SignWith): readonly InputProblem[] {
  if (error instanceof InputError) return error.problems
  if (!(error instanceof OciPublishError) || !WRONG.has(error.code)) throw error
  const input = way === 'key' ? 'sign-key' : 'sign'
  const problem = error.message.startsWith(`${input}: `) ? error.message.slice(input.length + 2) : error.message
  return [{ input, problem, hint: error.hint }]
}

const WRONG: ReadonlySet<string> = new Set(['INVALID_KEY', 'UNSUPPORTED', 'NO_ID_TOKEN', 'INVALID_ID_TOKEN'])

/** All of them, as GitHub signed them; the token itself goes nowhere. */
function claimsOf({ token }: IdentityToken): Readonly<Record<string, unknown>> {
  const payload = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url'), 'ID token')
  return typeof payload === 'object' && payload !== null ? { ...payload } : {}
}
