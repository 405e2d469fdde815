import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreActionsCache, saveActionsCache, type RestoredCache } from './cache/actions.ts'
import { defaultCacheDirectory, directoryCache } from './cache/directory.ts'
import { noCache } from './content/cache.ts'
import type { Located, Output } from './content/places.ts'
import type { Target } from './content/ports.ts'
import { exec } from './exec.ts'
import { createTransport } from './http/client.ts'
import type { HttpEvent } from './http/event.ts'
import { openLayoutArchive, openLayoutArchiveTarget } from './layout/archive.ts'
import { openLayout } from './layout/directory.ts'
import { commitTime } from './metadata/commit-time.ts'
import { parseRegistryReference, type Reference } from './oci/reference.ts'
import type { PublishDeps } from './publish/deps.ts'
import { readEntries } from './publish/entries.ts'
import type { OnPublishEvent, PublishEvent } from './publish/event.ts'
import type { FieldValues } from './publish/fields.ts'
import { credentialChain } from './registry/credentials/chain.ts'
import type { CredentialSource } from './registry/credentials/credential.ts'
import { authFiles } from './registry/credentials/docker-config.ts'
import { githubToken, givenCredentials } from './registry/credentials/inputs.ts'
import type { RegistryEvent } from './registry/event.ts'
import { RegistryHosts } from './registry/host.ts'
import { openRepository } from './registry/registry.ts'
import { VERSION } from './version.ts'

export interface Wiring {
  readonly env: NodeJS.ProcessEnv
  readonly values: FieldValues
  readonly onEvent: OnPublishEvent
  /** Told every secret before anything could print it. */
  readonly onSecret: (secret: string) => void
  /** Directory that is written when nothing is pushed and no output is named. */
  readonly defaultLayout: string
}

/** The use case with everything it needs, and the ends of what was begun. */
export interface Wired {
  readonly deps: PublishDeps
  /** Of the action: brings back what the cache folder held at the end of an earlier job, and keeps it for the next. */
  restoreCache(): Promise<void>
  saveCache(): Promise<void>
  /** Closes connections and removes temporary files. */
  close(): Promise<void>
}

/** Builds the adapters. The only place that knows all of them. */
export async function wire({ env, values, onEvent, onSecret, defaultLayout }: Wiring): Promise<Wired> {
  const entries = readEntries(values)
  const transport = createTransport({
    version: VERSION,
    env,
    onEvent: event => {
      onEvent(toldBy(event))
    },
  })
  const hosts = new RegistryHosts({
    transport,
    credentials: credentialsOf(values, env),
    plainHttp: entries.of('plain-http'),
    onSecret,
  })
  const onRegistryEvent = (event: RegistryEvent): void => {
    onEvent(uploadRetry(event))
  }
  const cacheDirectory = entries.text('cache-dir') ?? defaultCacheDirectory(env, process.platform)
  const cached = entries.text('cache') !== 'off'
  const tempDir = await mkdtemp(join(env['RUNNER_TEMP'] ?? tmpdir(), 'oci-publish-'))

  const openTarget = (output: Output): Target => {
    switch (output.kind) {
      case 'registry':
        return openRepository(output.image, { hosts, side: 'target', onEvent: onRegistryEvent })
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
  const onNotice = (text: string): void => {
    onEvent({ type: 'notice', text })
  }
  return {
    deps: {
      facts: { sourceDateEpoch: env['SOURCE_DATE_EPOCH'], defaultLayout },
      cache: cached ? directoryCache(cacheDirectory) : noCache,
      tempDir,
      locate,
      openTarget,
      commitTime: (directory, { signal }) => commitTime(directory, { env, exec, signal }),
      onEvent,
    },
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

const layout = { mountDomain: undefined, repository: undefined }

/** What the user gave for this run comes first, then what logins left, then the token of the workflow. */
function credentialsOf(values: FieldValues, env: NodeJS.ProcessEnv): CredentialSource {
  const entries = readEntries(values)
  const [registry, username, password] = [entries.text('registry'), entries.text('username'), entries.text('password')]
  const given =
    username !== undefined && password !== undefined
      ? [
          {
            registry: registry ?? onlyHost(entries.of('images')),
            username,
            password,
            from: 'inputs username and password',
          },
        ]
      : []
  return credentialChain([
    givenCredentials(given),
    authFiles({ env, exec }),
    githubToken(entries.text('github-token') ?? '', env['GITHUB_ACTOR']),
  ])
}

/** A password without a host is for the only host there is, never for several. */
function onlyHost(images: readonly string[]): string {
  const hosts = new Set(images.map(hostOf))
  const [host = 'docker.io'] = hosts
  return hosts.size === 1 ? host : 'docker.io'
}

function hostOf(image: string): string {
  try {
    return parseRegistryReference(image.toLowerCase()).host
  } catch {
    return '' // told with the other problems of the request
  }
}

function toldBy(event: HttpEvent): PublishEvent {
  if (event.type === 'warning') return { type: 'notice', text: `${event.host}: ${event.text}` }
  return event
}

function uploadRetry({ host, repository, digest, reason, attempt, waitMs }: RegistryEvent): PublishEvent {
  const operation = `push ${digest} to ${repository}`
  return { type: 'retry', host, operation, reason, attempt, attempts: undefined, waitMs }
}
