import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from '../../src/http/client.ts'
import type { Transport } from '../../src/http/transport.ts'
import { download } from '../../src/http/download.ts'
import type { Abortable } from '../../src/async/abortable.ts'
import { readEntries } from '../../src/publish/entries.ts'
import type { PublishDeps } from '../../src/publish/deps.ts'
import type { PublishEvent } from '../../src/publish/event.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { publishAll } from '../../src/publish/publication.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { signExisting, type SignedExisting, type SignWords } from '../../src/publish/sign-existing.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { wire } from '../../src/wire.ts'
import { signingDeps, type SigningWiring } from '../../src/wire-signing.ts'
import { tempDir, type TempDir } from '../layer/temp-dir.ts'

export interface Published<R = PublishReport> {
  readonly report: R
  readonly events: readonly PublishEvent[]
  /** What the doors were told to hide. */
  readonly secrets: readonly string[]
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
  /** Signs what is published already. */
  sign(
    words: Pick<SignWords, 'reference'> & Partial<SignWords>,
    values: FieldValues,
    options?: PublishOptions,
  ): Promise<Published<SignedExisting>>
}

export interface PublishOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  readonly onEvent?: (event: PublishEvent) => void
  /** Talks to registries without credentials, and does not wait before it tries again. */
  readonly impatient?: boolean
  /** How long signing services may take to answer, for the impatient. */
  readonly answerMs?: number
  /** Where bundles are written when the request does not say. */
  readonly bundleFile?: string
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
  const run = async <R>(
    given: FieldValues,
    { env: more = {}, signal, onEvent, impatient = false, answerMs, bundleFile }: PublishOptions = {},
    useCase: (values: FieldValues, deps: PublishDeps, io: Abortable) => Promise<R>,
  ): Promise<Published<R>> => {
    const events: PublishEvent[] = []
    const secrets: string[] = []
    const values = { context: at('project'), 'cache-dir': at('cache'), ...given }
    const env = { ...usual, ...more }
    const wiring = {
      env,
      values,
      onEvent: (event: PublishEvent): void => {
        events.push(event)
        onEvent?.(event)
      },
      onSecret: (secret: string): void => void secrets.push(secret),
    }
    const wired = await wire({
      ...wiring,
      defaultLayout: at('layout'),
      ...(bundleFile !== undefined && { bundleFile }),
    })
    try {
      const deps = impatient ? hurried(wired.deps, wiring, answerMs) : wired.deps
      return { report: await useCase(values, deps, { signal }), events, secrets }
    } finally {
      await wired.close()
    }
  }
  return {
    context: at('project'),
    layout: at('layout'),
    at,
    put: files => {
      dir.put(Object.fromEntries(Object.entries(files).map(([name, wanted]) => [`project/${name}`, wanted])))
    },
    publish: (given, options) => run(given, options, publishAll),
    sign: (words, given, options) =>
      run(given, options, (values, deps, io) =>
        signExisting({ platforms: [], signature: true, ...words }, values, deps, io),
      ),
    [Symbol.dispose]: () => {
      dir[Symbol.dispose]()
    },
  }
}

type Wiring = Pick<SigningWiring, 'env' | 'onSecret'> & {
  readonly values: FieldValues
  readonly onEvent: (event: PublishEvent) => void
}

/** The same, on a clock that jumps ahead whenever somebody waits. */
function hurried(
  deps: PublishDeps,
  { env, values, onEvent, onSecret }: Wiring,
  answerMs: number | undefined,
): PublishDeps {
  let nowMs = 0
  const sleep = (waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    nowMs += waitMs
    return Promise.resolve()
  }
  const clock = { now: (): number => nowMs, sleep }
  const transport = createTransport({ version: '0', random: () => 0, clock })
  const services = createTransport({
    version: '0',
    random: () => 0,
    clock,
    onEvent: event => {
      if (event.type === 'retry') onEvent(event)
    },
  })
  const request: Transport['request'] = asked =>
    services.request({ ...asked, ...(answerMs !== undefined && { answerMs }) })
  const signing = signingDeps({
    env,
    aws: { transport: { request, close: () => services.close() }, env, onSecret },
    onSecret,
    onNotice: text => {
      onEvent({ type: 'notice', text })
    },
    bundleFile: undefined,
    trustedRoot: readEntries(values).text('trusted-root'),
    tempDir: deps.tempDir,
  })
  const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
  const registries = { hosts, sleep, random: (): number => 0 }
  return {
    ...deps,
    signing,
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
