import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Case } from './case.ts'
import type { Client, Ended, Job } from './client.ts'
import type { Clock } from './clock.ts'
import type { Evidence, Witness } from './judge/evidence.ts'
import type { Finding } from './judge/judge.ts'
import { judge } from './judge/judge.ts'
import { readPulled } from './judge/pulled.ts'
import { PERSONALITIES, type Personality } from './personality.ts'
import { randomFrom } from './random.ts'
import type { Sample } from './sample.ts'
import { makeSample, writeLayout } from './sample.ts'
import type { SpecRegistry, SpecRegistryOptions } from './server/registry.ts'
import { startSpecRegistry } from './server/registry.ts'
import type { Content } from './server/store.ts'

/** What came of a case. */
export interface Verdict {
  readonly case: Case
  /** `none`: the client cannot do such a job. */
  readonly result: 'pass' | 'fail' | 'none'
  readonly findings: readonly Finding[]
  readonly ended: Ended | undefined
  readonly ms: number
  /** Requests to all registries. */
  readonly requests: number
  /** Bytes of blobs that arrived. */
  readonly sent: number
}

export interface CaseOptions {
  readonly seed: number
  readonly clock: Pick<Clock, 'now'>
  /** After which a client is stopped. */
  readonly limitMs: number
}

const TAG = 'v1'
const USER = 'robot'
const PASSWORDS = { target: 'secret-of-target', source: 'secret-of-source' } as const

/** Runs one case with one client. */
export async function runCase(client: Client, one: Case, { seed, clock, limitMs }: CaseOptions): Promise<Verdict> {
  const directory = await mkdtemp(join(tmpdir(), 'oci-conformance-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const sample = makeSample(one.shape ?? 'index', seed)
  const random = randomFrom(seed ^ hashOf(one.name))

  const personality = PERSONALITIES[one.personality]
  const main = stack.use(await startSpecRegistry({ ...optionsOf(one, personality), now: clock.now, random }))
  const source = one.job.startsWith('copy') ? stack.use(await startSource({ now: clock.now, random })) : undefined
  const { job, witnesses } = partsOf(one, personality, { main, source, directory })

  const target = 'target' in job ? job.target : undefined
  const from = 'source' in job ? job.source : undefined
  if (from) (source ?? main).seed(from.repository, taggedAs(sample, TAG))
  const isThere = one.before === 'same' || (job.do !== 'push' && !from)
  if (target && isThere) main.seed(target.repository, taggedAs(sample, TAG))
  if (target && one.unlisted) for (const { digest } of sample.referrers) main.unlist(target.repository, digest)
  if (one.elsewhere) main.seed(`${personality.prefix}/base`, taggedAs(sample, TAG))
  const other = makeSample('image', seed + 1)
  if (target && !isThere && one.before === 'other') main.seed(target.repository, taggedAs(other, TAG))
  if (job.do === 'push') await writeLayout(job.layout.path, sample, TAG)
  if (job.do === 'attach') await writeFile(job.file, 'a note\n')
  if (job.do === 'sign') await writeFile(job.key, newKey())
  for (const { at, match, fault } of one.troubles ?? []) (at === 'source' && source ? source : main).fail(match, fault)
  const config = await writeConfig(directory, one, { main, source })

  const startedAt = performance.now()
  const signal = AbortSignal.timeout(limitMs)
  const ended = await client.run(job, { config, signal })
  const ms = Math.round(performance.now() - startedAt)
  const registries = witnesses.map(({ registry }) => registry)
  const counts = {
    ms,
    requests: registries.reduce((sum, { requests }) => sum + requests.length, 0),
    sent: sentTo(main),
  }
  if (!ended) return { case: one, result: 'none', findings: [], ended, ...counts }

  const before = target && (isThere ? sample : one.before === 'other' ? other : undefined)?.root.digest
  const now = from && (source ?? main).tags(from.repository).get(TAG)
  const evidence: Evidence = {
    ...{ case: one, job, ended, sample, witnesses, before },
    sourceDigests: [sample.root.digest, ...(now === undefined ? [] : [now])],
    pulled: job.do === 'pull' ? await readPulled(job.layout.path) : undefined,
  }
  const findings = judge(evidence)
  const result = findings.some(({ level }) => level === 'must') ? 'fail' : 'pass'
  return { case: one, result, findings, ended, ...counts }
}

function optionsOf(one: Case, { options, auth, immutable }: Personality): SpecRegistryOptions {
  return {
    ...options,
    ...(one.immutable && { immutableTags: immutable ?? true }),
    ...one.options,
    auth: auth && { ...auth, ...one.auth, username: USER, password: PASSWORDS.target },
  }
}

/** The other end of a copy, of which no case is about. */
function startSource(options: SpecRegistryOptions): Promise<SpecRegistry> {
  return startSpecRegistry({ ...options, auth: { scheme: 'bearer', username: USER, password: PASSWORDS.source } })
}

function partsOf(
  one: Case,
  { prefix }: Personality,
  {
    main,
    source,
    directory,
  }: { readonly main: SpecRegistry; readonly source: SpecRegistry | undefined; readonly directory: string },
): { readonly job: Job; readonly witnesses: readonly Witness[] } {
  const app = `${prefix}/app`
  const base = `${prefix}/base`
  const local = { path: join(directory, 'layout'), tag: TAG }
  const target = { host: main.host, repository: app, tag: TAG }
  switch (one.job) {
    case 'push':
      return {
        job: { do: 'push', layout: local, target },
        witnesses: [{ registry: main, role: 'target', reads: [], writes: [app] }],
      }
    case 'pull':
      return {
        job: { do: 'pull', source: target, layout: local },
        witnesses: [{ registry: main, role: 'source', reads: [app], writes: [] }],
      }
    case 'mount':
      return {
        job: { do: 'copy', source: { ...target, repository: base }, target },
        witnesses: [{ registry: main, role: 'both', reads: [base], writes: [app] }],
      }
    case 'attach':
    case 'sign':
      return {
        job:
          one.job === 'attach'
            ? { do: 'attach', target, file: join(directory, 'note.txt') }
            : { do: 'sign', target, key: join(directory, 'key.pem') },
        witnesses: [{ registry: main, role: 'target', reads: [], writes: [app] }],
      }
    case 'copy-referrers':
    case 'copy': {
      if (!source) throw new TypeError(`${one.name} has no source`)
      return {
        job: {
          do: 'copy',
          source: { host: source.host, repository: 'team/origin', tag: TAG },
          target,
          ...(one.job === 'copy-referrers' && { referrers: true }),
        },
        witnesses: [
          { registry: main, role: 'target', reads: [], writes: [app] },
          { registry: source, role: 'source', reads: ['team/origin'], writes: [] },
        ],
      }
    }
  }
}

/** PKCS #8, PEM: what every program that signs reads. */
function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function taggedAs({ root, blobs, manifests }: Sample, tag: string): Content {
  return { blobs, manifests, tags: new Map([[tag, root.digest]]) }
}

/** docker's config.json, as `login` leaves it. @returns its folder */
async function writeConfig(
  directory: string,
  { stranger }: Case,
  { main, source }: { readonly main: SpecRegistry; readonly source: SpecRegistry | undefined },
): Promise<string> {
  const auth = (password: string): { readonly auth: string } => ({
    auth: Buffer.from(`${USER}:${password}`).toString('base64'),
  })
  const auths = {
    [main.host]: auth(stranger ? 'a-wrong-password' : PASSWORDS.target),
    ...(source && { [source.host]: auth(PASSWORDS.source) }),
  }
  const config = join(directory, 'config')
  await mkdir(config)
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths }))
  return config
}

function sentTo({ requests }: SpecRegistry): number {
  return requests
    .filter(({ method, path }) => path.includes('/blobs/uploads/') && method !== 'GET')
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
}

/** So that every case has luck of its own. */
function hashOf(text: string): number {
  return Buffer.from(text).reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 7)
}
