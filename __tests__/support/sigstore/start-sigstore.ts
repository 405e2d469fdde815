import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '../peers.ts'
import { fulcio, timestampAuthority } from './authorities.ts'
import { signingConfig, trustedRoot } from './documents.ts'
import { attestationsApi, GITHUB_TOKEN } from './github-attestations.ts'
import type { Log } from './log.ts'
import { rekorV1 } from './rekor-v1.ts'
import { rekorV2 } from './rekor-v2.ts'
import { json, startService, type Fault, type LoggedRequest, type Reply, type ServiceName } from './service.ts'
import { tokensAt, type Claims } from './tokens.ts'

export interface SigstoreOptions {
  /** Major version of Rekor. Default: 2. */
  readonly rekor?: 1 | 2
  /** Default: true. */
  readonly tsa?: boolean
  /** What the services take for now; roots are there since 30 days before the real now. */
  readonly now?: () => Date
  /** Claims of the tokens that a job gets, besides those of acme/app on main. */
  readonly claims?: Claims
}

/** A sigstore on loopback, and GitHub as far as signing needs it. Gone at the end of the block. */
export interface LocalSigstore extends AsyncDisposable {
  readonly fulcioUrl: string
  readonly rekorUrl: string
  readonly rekorVersion: 1 | 2
  /** Whole, with its path. */
  readonly tsaUrl: string | undefined
  /** Of GitHub's API, and a token for it. */
  readonly github: { readonly apiUrl: string; readonly token: string; readonly bundles: readonly unknown[] }
  /** ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, as a job with `id-token: write` has them. */
  readonly oidcEnv: Readonly<Record<string, string>>
  /** A JWT for `sigstore`, of acme/app on main unless claims say otherwise. */
  readonly token: (claims?: Claims) => string
  readonly trustedRoot: unknown
  readonly trustedRootFile: string
  readonly signingConfigFile: string
  /** In the order in which they came. */
  readonly requests: readonly LoggedRequest[]
  /** What goes wrong with the next requests of a service, one each. */
  readonly fail: (service: ServiceName, ...faults: readonly Fault[]) => void
  /** A service is gone: connections are refused. */
  readonly stop: (service: ServiceName) => Promise<void>
  readonly close: () => Promise<void>
}

/** Fulcio with its CT log, Rekor, a timestamp authority, an issuer of tokens. No network but loopback. */
export async function startSigstore(options: SigstoreOptions = {}): Promise<LocalSigstore> {
  const { rekor: rekorVersion = 2, tsa: withTsa = true, now = (): Date => new Date(), claims } = options
  const requests: LoggedRequest[] = []
  const bundles: unknown[] = []
  const tokens = tokensAt(now)
  const host = (): string => new URL(services.rekor.url).host
  const ca = await fulcio(tokens, now)
  const tsa = withTsa ? await timestampAuthority(now) : undefined
  // Verifiers take the name of a log of Rekor 2 from its URL, without the port.
  const log: Log = rekorVersion === 1 ? rekorV1(host, now) : rekorV2((): string => new URL(services.rekor.url).hostname)
  const nothing = (): Reply => json(404, { message: 'Not Found' })
  const start = (name: ServiceName, answer: Parameters<typeof startService>[1]): ReturnType<typeof startService> =>
    startService(name, answer, requests)
  const services = {
    oidc: await start('oidc', request => answerToken(request, audience => tokens.issue({ ...claims, aud: audience }))),
    fulcio: await start('fulcio', ca.answer),
    rekor: await start('rekor', log.answer),
    tsa: await start('tsa', tsa?.answer ?? nothing),
    github: await start('github', attestationsApi(bundles)),
  }

  const urls = {
    oidc: services.oidc.url,
    fulcio: services.fulcio.url,
    rekor: services.rekor.url,
    tsa: withTsa ? `${services.tsa.url}/api/v1/timestamp` : undefined,
  }
  const directory = await temporaryDirectory()
  const trustedRootFile = join(directory.path, 'trusted_root.json')
  const signingConfigFile = join(directory.path, 'signing_config.json')
  const root = trustedRoot({ urls, ca, log, tsa })
  await writeFile(trustedRootFile, JSON.stringify(root))
  await writeFile(signingConfigFile, JSON.stringify(signingConfig(urls, rekorVersion)))

  const close = async (): Promise<void> => {
    await Promise.all(Object.values(services).map(service => service.stop()))
    await directory[Symbol.asyncDispose]()
  }
  return {
    fulcioUrl: urls.fulcio,
    rekorUrl: urls.rekor,
    rekorVersion,
    tsaUrl: urls.tsa,
    github: { apiUrl: services.github.url, token: GITHUB_TOKEN, bundles },
    oidcEnv: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${urls.oidc}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    token: more => tokens.issue({ ...claims, ...more }),
    trustedRoot: root,
    trustedRootFile,
    signingConfigFile,
    requests,
    fail: (service, ...faults) => {
      services[service].fail(...faults)
    },
    stop: async service => services[service].stop(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const REQUEST_TOKEN = 'request-token'

function answerToken({ path, headers }: LoggedRequest, issue: (audience: string) => string): Reply {
  const url = new URL(path, 'http://localhost')
  const audience = url.searchParams.get('audience') ?? ''
  if (headers['authorization'] !== `Bearer ${REQUEST_TOKEN}`) return json(401, { message: 'Unauthorized' })
  return json(200, { value: issue(audience), count: 1 })
}
