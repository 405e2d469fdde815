import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { createTransport } from '../../src/http/client.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { parseProfiles } from '../../src/registry/profile.ts'
import { openRepository, type RegistryRepository } from '../../src/registry/registry.ts'
import type { SpecRegistry } from '../../conformance/server/registry.ts'

/** Who may enter the registries of these tests. */
export const USER = { username: 'robot', password: 'secret' } as const

export interface Client extends AsyncDisposable {
  readonly hosts: RegistryHosts
  /** A repository of the registry; all that a client opens share connections, tokens and what was learnt. */
  open(repository: string, side?: 'source' | 'target'): RegistryRepository
}

export interface ClientOptions {
  /** What the user says the registry is. */
  readonly profile?: string
  /** Told every wait, in milliseconds. */
  readonly onWait?: (waitMs: number) => void
}

/** The product's own client, on a clock that jumps ahead whenever somebody waits. */
export function clientOf({ host }: SpecRegistry, { profile = 'generic', onWait }: ClientOptions = {}): Client {
  let nowMs = 0
  const sleep = (waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    nowMs += waitMs
    onWait?.(waitMs)
    return Promise.resolve()
  }
  const transport = createTransport({ version: '0', random: () => 0, clock: { now: () => nowMs, sleep } })
  const credentials = givenCredentials([{ registry: host, ...USER, from: 'inputs' }])
  const { profiles } = parseProfiles([`${host}=${profile}`])
  const hosts = new RegistryHosts({ transport, credentials, profiles })
  return {
    hosts,
    open: (repository, side = 'target') =>
      openRepository({ host, repository }, { hosts, side, sleep, random: () => 0 }),
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

export function blobOf(bytes: Uint8Array, mediaType = 'application/x', digest: Digest = digestOf(bytes)): Blob {
  return bytesBlob({ bytes, descriptor: { mediaType, digest, size: bytes.byteLength } })
}

export function documentOf(mediaType: string, value: object): Blob {
  return blobOf(new TextEncoder().encode(JSON.stringify(value)), mediaType)
}
