import { attemptsInto, type InputProblem } from '../errors.ts'
import { selectServices, type SigningConfig } from './signing-config.ts'

export interface ServiceWishes {
  readonly signingConfig?: SigningConfig | undefined
  readonly fulcioUrl?: string | undefined
  readonly rekorUrl?: string | undefined
  readonly rekorVersion?: 1 | 2 | undefined
  readonly tsaUrl?: string | undefined
  readonly instance: 'auto' | 'public-good' | 'github'
  /** Of the repository, as GitHub says it: `public`, `private`, `internal`; undefined elsewhere. */
  readonly visibility?: string | undefined
  /** Of GitHub, for its own instance. Default: https://github.com. */
  readonly serverUrl?: string | undefined
  /** Whether certificates are needed, which only count with a testimony of when they were used. */
  readonly keyless: boolean
  /** Whether signatures of the older form are made, which cannot hold entries of Rekor 2. */
  readonly legacy: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

export interface Services {
  /** Whose roots verifiers need. */
  readonly instance: 'public-good' | 'github' | 'own'
  readonly fulcioUrl: string | undefined
  readonly log: { readonly url: string; readonly version: 1 | 2 } | undefined
  /** Whole address. */
  readonly tsaUrl: string | undefined
}

export interface ChosenServices {
  readonly services: Services
  readonly problems: readonly InputProblem[]
  readonly notices: readonly string[]
}

const NONE: Services = { instance: 'own', fulcioUrl: undefined, log: undefined, tsaUrl: undefined }

const PUBLIC_GOOD: Services = {
  instance: 'public-good',
  fulcioUrl: 'https://fulcio.sigstore.dev',
  log: { url: 'https://rekor.sigstore.dev', version: 1 },
  tsaUrl: undefined,
}

/** Where certificates, log entries and timestamps come from. Touches nothing. */
export function chooseServices(wishes: ServiceWishes): ChosenServices {
  const { signingConfig, fulcioUrl, rekorUrl, rekorVersion = 1, tsaUrl, keyless, visibility } = wishes
  const problems: InputProblem[] = []
  const base = baseOf(wishes, problems)
  const services: Services = {
    instance: fulcioUrl !== undefined || rekorUrl !== undefined || tsaUrl !== undefined ? 'own' : base.instance,
    fulcioUrl: keyless ? (fulcioUrl ?? base.fulcioUrl) : undefined,
    log: rekorUrl === undefined ? base.log : { url: rekorUrl, version: rekorVersion },
    tsaUrl: tsaUrl ?? base.tsaUrl,
  }
  if (rekorVersion === 2 && rekorUrl === undefined && signingConfig === undefined) {
    const hint = 'the public log of version 2 changes its address twice a year: name it in "signing-config"'
    problems.push({ input: 'rekor-url', problem: 'is missing, and "rekor-version" is 2', hint })
  }
  if (problems.length === 0) problems.push(...misfits(services, wishes))
  const isPublished = keyless && services.log === PUBLIC_GOOD.log && visibility !== undefined && visibility !== 'public'
  const notice = `the public log will show the names of this ${visibility} repository, its workflow and branch to everybody`
  return { services, problems, notices: isPublished ? [notice] : [] }
}

/** What is used where no address says otherwise. */
function baseOf(wishes: ServiceWishes, problems: InputProblem[]): Services {
  const { signingConfig, fulcioUrl, instance, visibility, keyless } = wishes
  if (signingConfig) return ofConfig(signingConfig, wishes, problems)
  // Who has an authority of their own does not want to be in the public log.
  if (!keyless || fulcioUrl !== undefined) return NONE
  const isPrivate = visibility === 'private' || visibility === 'internal'
  if (instance === 'github' || (instance === 'auto' && isPrivate)) return ofGithub(wishes, problems)
  return PUBLIC_GOOD
}

/** GitHub's own instance has no log. */
function ofGithub({ serverUrl = 'https://github.com' }: ServiceWishes, problems: InputProblem[]): Services {
  const host = URL.canParse(serverUrl) ? new URL(serverUrl).host : serverUrl
  const domain = host === 'github.com' ? 'githubapp.com' : host
  if (host !== 'github.com' && !host.endsWith('.ghe.com')) {
    const problem = `${host} has no sigstore of its own: github.com and GHE.com have`
    problems.push({ input: 'sigstore', problem, hint: 'set "fulcio-url" and "tsa-url", or "sigstore: public-good"' })
  }
  return {
    instance: 'github',
    fulcioUrl: `https://fulcio.${domain}`,
    log: undefined,
    tsaUrl: `https://timestamp.${domain}/api/v1/timestamp`,
  }
}

function ofConfig(config: SigningConfig, { keyless, nowMs }: ServiceWishes, problems: InputProblem[]): Services {
  const attempt = attemptsInto(problems)
  const select = (...[services, options]: Parameters<typeof selectServices>): ReturnType<typeof selectServices> =>
    attempt('signing-config', () => selectServices(services, options)) ?? []
  const { certificateAuthorities, logs, logCount, timestampAuthorities, timestampCount } = config
  const authorities = { known: [1], count: 'any', nowMs, what: 'certificate authorities' } as const
  const [ca] = keyless ? select(certificateAuthorities, authorities) : []
  const chosen = select(logs, { known: [1, 2], count: logCount, nowMs, what: 'logs' })
  const tsas = select(timestampAuthorities, { known: [1], count: timestampCount, nowMs, what: 'timestamp authorities' })
  for (const [found, what] of [
    [chosen, 'logs'],
    [tsas, 'timestamp authorities'],
  ] as const) {
    if (found.length < 2) continue
    const problem = `asks for ${found.length} ${what} for each signature, and one is what is supported`
    problems.push({ input: 'signing-config', problem, hint: 'set its selector to ANY' })
  }
  const [log] = chosen
  return {
    instance: 'own',
    fulcioUrl: ca?.url,
    log: log && { url: log.url, version: log.majorApiVersion === 2 ? 2 : 1 },
    tsaUrl: tsas[0]?.url,
  }
}

/** What does not go together. */
function misfits(services: Services, { keyless, legacy, signingConfig }: ServiceWishes): readonly InputProblem[] {
  const { fulcioUrl, log, tsaUrl } = services
  const problems: InputProblem[] = []
  const named = (input: string): string => (signingConfig ? 'signing-config' : input)
  if (keyless && fulcioUrl === undefined) {
    problems.push({ input: 'signing-config', problem: 'names no certificate authority, which keyless signatures need' })
  }
  if (keyless && log?.version !== 1 && tsaUrl === undefined) {
    const because = log
      ? 'Rekor 2 does not say when it was asked, and keyless signatures have to be dated'
      : 'keyless signatures need a log or a timestamp authority to say when they were made'
    const hint = log ? 'name a timestamp authority' : 'set "rekor-url" or "tsa-url"'
    const missing = signingConfig ? 'names no timestamp authority' : 'is missing'
    problems.push({ input: named('tsa-url'), problem: `${missing}: ${because}`, hint })
  }
  if (legacy && log?.version === 2) {
    const problem = 'signatures of the older form cannot hold the entries of Rekor 2'
    problems.push({ input: named('rekor-version'), problem, hint: 'set "signature-format: bundle"' })
  }
  return problems
}
