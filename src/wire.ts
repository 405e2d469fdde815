import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreActionsCache, saveActionsCache, type RestoredCache } from './cache/actions.ts'
import { defaultCacheDirectory, directoryCache } from './cache/directory.ts'
import { hasAwsSigns } from './cloud/aws-signs.ts'
import { ecrCredentials } from './cloud/ecr.ts'
import { ensuredTarget } from './cloud/ensured-target.ts'
import { ecrApis } from './cloud/open-ecr-api.ts'
import { noCache } from './content/cache.ts'
import type { Located, Output } from './content/places.ts'
import type { Target } from './content/ports.ts'
import type { InputProblem } from './errors.ts'
import { exec } from './exec.ts'
import { createTransport } from './http/client.ts'
import { download } from './http/download.ts'
import type { HttpEvent } from './http/event.ts'
import { openLayoutArchive, openLayoutArchiveTarget } from './layout/archive.ts'
import { openLayout } from './layout/directory.ts'
import { commitTime } from './metadata/commit-time.ts'
import { parseRegistryReference, type Reference, type RegistryReference } from './oci/reference.ts'
import { ENCRYPTIONS, UPLOADS, connectionProblems } from './publish/connection-problems.ts'
import type { PublishDeps } from './publish/deps.ts'
import { readEntries, type Entries } from './publish/entries.ts'
import type { SigningDeps } from './publish/signing-deps.ts'
import type { OnPublishEvent, PublishEvent } from './publish/event.ts'
import type { FieldValues } from './publish/fields.ts'
import { vouches } from './publish/vouches.ts'
import { credentialChain } from './registry/credentials/chain.ts'
import { authFiles } from './registry/credentials/docker-config.ts'
import { githubToken, givenCredentials, type GivenCredential } from './registry/credentials/inputs.ts'
import { parseRegistryAuth } from './registry/credentials/registry-auth.ts'
import type { RegistryEvent } from './registry/event.ts'
import { RegistryHosts } from './registry/host.ts'
import { parseProfiles } from './registry/profile.ts'
import { openRepository } from './registry/registry.ts'
import { VERSION } from './version.ts'
import type { SigningWiring } from './wire-signing.ts'

export interface Wiring {
  readonly env: NodeJS.ProcessEnv
  readonly values: FieldValues
  readonly onEvent: OnPublishEvent
  /** What is known to be wrong with the request before anything was read. */
  readonly problems?: readonly InputProblem[]
  /** Told every secret before anything could print it. */
  readonly onSecret: (secret: string) => void
  /** Directory that is written when nothing is pushed and no output is named. */
  readonly defaultLayout: string
  /** File for the sigstore bundles of the run where the request names none; without it they are not written. */
  readonly bundleFile?: string
}

/** The use case with everything it needs, and the ends of what was begun. */
export interface Wired {
  readonly deps: PublishDeps
  /** What was wrong before, and with how registries are to be reached; `publish` tells it with what it finds itself. */
  readonly problems: readonly InputProblem[]
  /** Of the action: brings back what the cache folder held at the end of an earlier job, and keeps it for the next. */
  restoreCache(): Promise<void>
  saveCache(): Promise<void>
  /** Closes connections and removes temporary files. */
  close(): Promise<void>
}

/** Builds the adapters. The only place that knows all of them. */
export async function wire({
  env,
  values,
  problems: told = [],
  onEvent,
  onSecret,
  defaultLayout,
  bundleFile,
}: Wiring): Promise<Wired> {
  const entries = readEntries(values)
  const onNotice = (text: string): void => {
    onEvent({ type: 'notice', text })
  }
  const transport = createTransport({
    version: VERSION,
    env,
    onEvent: event => {
      onEvent(toldBy(event))
    },
  })
  const listed = await parseRegistryAuth(entries.document('registry-auth'), onSecret)
  const named = parseProfiles(entries.of('registry-profile'))
  const problems = [...told, ...listed.problems, ...named.problems, ...connectionProblems(entries)]
  const aws = {
    transport,
    env,
    onSecret,
    roleToAssume: entries.text('role-to-assume'),
    region: entries.text('aws-region'),
  }
  const openEcr = ecrApis(aws)
  const hasIdentity = async (): Promise<boolean> =>
    entries.text('role-to-assume') !== undefined || (await hasAwsSigns({ env }))
  const hosts = new RegistryHosts({
    transport,
    credentials: credentialChain([
      givenCredentials([...givenAlone(entries), ...listed.credentials]),
      authFiles({ env, exec }),
      ecrCredentials({ open: openEcr, hasIdentity, onSecret }),
      githubToken(entries.text('github-token') ?? '', env['GITHUB_ACTOR']),
    ]),
    plainHttp: entries.of('plain-http'),
    profiles: named.profiles,
    onSecret,
  })
  const onRegistryEvent = (event: RegistryEvent): void => {
    onEvent(retryOf(event))
  }
  const cacheDirectory = entries.text('cache-dir') ?? defaultCacheDirectory(env, process.platform)
  // What others could have written is not even brought back: an archive of the cache may write anywhere.
  const cached = entries.text('cache') !== 'off' && !vouches(values)
  const tempDir = await mkdtemp(join(env['RUNNER_TEMP'] ?? tmpdir(), 'oci-publish-'))

  const ensured = (target: Target, image: RegistryReference): Target => {
    if (!entries.boolean('ecr-create-repository', [])) return target
    return ensuredTarget(target, image, {
      open: openEcr,
      settings: {
        tagMutability: entries.choice('ecr-tag-mutability', ['mutable', 'immutable'], []),
        scanOnPush: entries.boolean('ecr-scan-on-push', []),
        encryption: {
          type: entries.choice('ecr-encryption', ENCRYPTIONS, []),
          key: entries.text('ecr-kms-key'),
        },
      },
      lifecyclePolicy: entries.document('ecr-lifecycle-policy') || undefined,
      repositoryPolicy: entries.document('ecr-repository-policy') || undefined,
      onCreated: place => {
        onNotice(`${place} did not exist and was made`)
      },
    })
  }
  const upload = entries.choice('upload', UPLOADS, [])
  const openTarget = (output: Output): Target => {
    switch (output.kind) {
      case 'registry': {
        const repository = openRepository(output.image, { hosts, side: 'target', upload, onEvent: onRegistryEvent })
        return ensured(repository, output.image)
      }
      case 'oci':
        return openLayout(output.path, { images: output.images })
      case 'oci-archive':
        return openLayoutArchiveTarget(output.path, { images: output.images, tempDir })
    }
  }
  const locate = (reference: Reference): Located => {
    switch (reference.kind) {
      case 'registry': {
        const source = openRepository(reference, { hosts, side: 'source', onEvent: onRegistryEvent })
        const name = reference.digest ?? reference.tag ?? 'latest'
        return { source, name, mountDomain: source.mountDomain, repository: reference.repository }
      }
      case 'oci':
        return { ...layout, source: openLayout(reference.path), name: reference.name ?? '' }
      case 'oci-archive':
        return { ...layout, source: openLayoutArchive(reference.path), name: reference.name ?? '' }
    }
  }
  let restored: RestoredCache | undefined
  return {
    deps: {
      version: VERSION,
      facts: { sourceDateEpoch: env['SOURCE_DATE_EPOCH'], defaultLayout, problems },
      cache: cached ? directoryCache(cacheDirectory) : noCache,
      tempDir,
      locate,
      openTarget,
      download: (url, options) => download(transport, url, options),
      commitTime: (directory, { signal }) => commitTime(directory, { env, exec, signal }),
      signing: signingWhenNeeded({
        ...{ env, aws, onSecret, onNotice, bundleFile, tempDir },
        trustedRoot: entries.text('trusted-root'),
      }),
      onEvent,
    },
    problems,
    restoreCache: async () => {
      // The toolkit is a megabyte to load; a runner without the service need not wait for that.
      const served = env['ACTIONS_RESULTS_URL'] !== undefined || env['ACTIONS_CACHE_URL'] !== undefined
      if (cached && served) restored = await restoreActionsCache(cacheDirectory, { onNotice })
    },
    saveCache: async () => {
      if (restored) await saveActionsCache(cacheDirectory, { onNotice, restored })
    },
    async close() {
      await transport.close()
      await rm(tempDir, { recursive: true, force: true })
    },
  }
}

/** Most runs sign nothing, and need not load what does. */
function signingWhenNeeded(wiring: SigningWiring): SigningDeps {
  const { env, onSecret, bundleFile } = wiring
  let loaded: Promise<SigningDeps> | undefined
  const load = (): Promise<SigningDeps> =>
    (loaded ??= import('./wire-signing.ts').then(({ signingDeps }) => signingDeps(wiring)))
  return {
    env,
    onSecret,
    bundleFile,
    openMeans: async (...asked) => (await load()).openMeans(...asked),
    buildPlace: async (...asked) => (await load()).buildPlace(...asked),
    storeAttestation: async (...asked) => (await load()).storeAttestation(...asked),
    readPublicKey: async (...asked) => (await load()).readPublicKey(...asked),
    loadTrustedRoot: async (...asked) => (await load()).loadTrustedRoot(...asked),
  }
}

const layout = { mountDomain: undefined, repository: undefined }

/** `username` and `password`, where both are there. */
function givenAlone(entries: Entries): readonly GivenCredential[] {
  const [registry, username] = [entries.text('registry'), entries.text('username')]
  // To the letter: a password may begin with "#", and a service account's key is JSON of several lines.
  const password = entries.document('password').trim()
  if (username === undefined || password === '') return []
  const from = 'inputs username and password'
  return [
    {
      registry: registry ?? onlyHost([...entries.of('images'), ...entries.of('chart-repository')]),
      username,
      password,
      from,
    },
  ]
}

/** A password without a host is for the only host there is, never for several. */
function onlyHost(images: readonly string[]): string {
  const hosts = new Set(images.map(hostOf))
  const [host = 'docker.io'] = hosts
  return hosts.size === 1 ? host : 'docker.io'
}

function hostOf(image: string): string {
  try {
    return parseRegistryReference(image.toLowerCase().replace(/^oci:\/\//, '')).host
  } catch {
    return '' // told with the other problems of the request
  }
}

function toldBy(event: HttpEvent): PublishEvent {
  if (event.type === 'warning') return { type: 'notice', text: `${event.host}: ${event.text}` }
  return event
}

function retryOf(event: RegistryEvent): PublishEvent {
  const { host, repository, digest, reason, attempt, waitMs } = event
  const operation =
    event.type === 'upload-retry'
      ? `push ${digest} to ${repository}`
      : `read ${digest} of ${repository} beyond byte ${event.offset}`
  return { type: 'retry', host, operation, reason, attempt, attempts: undefined, waitMs }
}
