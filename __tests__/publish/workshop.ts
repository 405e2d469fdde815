import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from '../../src/http/client.ts'
import { download } from '../../src/http/download.ts'
import type { PublishDeps } from '../../src/publish/deps.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { publishAll } from '../../src/publish/publication.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { wire } from '../../src/wire.ts'
import { tempDir, type TempDir } from '../layer/temp-dir.ts'

export interface Published {
  readonly report: PublishReport
  readonly events: readonly PublishEvent[]
}

/** A project of a user: files, a home without logins, a cache; all of it gone at the end of the block. */
export interface Workshop extends Disposable {
  /** The directory that sources are relative to. */
  readonly context: string
  /** Written where nothing is pushed. */
  readonly layout: string
  put: TempDir['put']
  /** A path outside of the project; `home` is the user's home. */
  at(name: string): string
  /** The use case as the doors wire it. */
  publish(values: FieldValues, options?: PublishOptions): Promise<Published>
}

export interface PublishOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  readonly onEvent?: (event: PublishEvent) => void
  /** Talks to registries without credentials, and does not wait before it tries again. */
  readonly impatient?: boolean
}

export function openWorkshop(): Workshop {
  const dir = tempDir()
  const at = (name: string): string => join(dir.path, name)
  for (const name of ['project', 'home', 'temp']) mkdirSync(at(name))
  const usual = {
    PATH: process.env['PATH'],
    HOME: at('home'),
    DOCKER_CONFIG: at('home/.docker'),
    RUNNER_TEMP: at('temp'),
  }
  return {
    context: at('project'),
    layout: at('layout'),
    at,
    put: files => {
      dir.put(Object.fromEntries(Object.entries(files).map(([name, wanted]) => [`project/${name}`, wanted])))
    },
    async publish(given, { env = {}, signal, onEvent, impatient = false } = {}) {
      const events: PublishEvent[] = []
      const values = { context: at('project'), 'cache-dir': at('cache'), ...given }
      const wired = await wire({
        env: { ...usual, ...env },
        values,
        onEvent: event => {
          events.push(event)
          onEvent?.(event)
        },
        onSecret: () => undefined,
        defaultLayout: at('layout'),
      })
      try {
        const deps = impatient ? hurried(wired.deps) : wired.deps
        return { report: await publishAll(values, deps, { signal }), events }
      } finally {
        await wired.close()
      }
    },
    [Symbol.dispose]: () => {
      dir[Symbol.dispose]()
    },
  }
}

/** The same, on a clock that jumps ahead whenever somebody waits. */
function hurried(deps: PublishDeps): PublishDeps {
  let nowMs = 0
  const sleep = (waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    nowMs += waitMs
    return Promise.resolve()
  }
  const transport = createTransport({ version: '0', random: () => 0, clock: { now: () => nowMs, sleep } })
  const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
  const registries = { hosts, sleep, random: (): number => 0 }
  return {
    ...deps,
    download: (url, options) => download(transport, url, options),
    openTarget: output =>
      output.kind === 'registry'
        ? openRepository(output.image, { ...registries, side: 'target' })
        : deps.openTarget(output),
    locate: reference => {
      if (reference.kind !== 'registry') return deps.locate(reference)
      const source = openRepository(reference, { ...registries, side: 'source' })
      const { repository, digest, tag = 'latest' } = reference
      return { source, name: digest ?? tag, mountDomain: source.mountDomain, repository }
    },
  }
}
