import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { UsageError } from '../arguments.ts'
import type { Client } from '../client.ts'
import type { Clock } from '../clock.ts'
import { leapingClock, realClock } from '../clock.ts'
import { randomFrom } from '../random.ts'
import { commandClient, readAdapter } from './command.ts'
import { inProcessClient } from './in-process.ts'

/** Clients whose adapters come with the suite. */
const ADAPTERS = ['oci-publish', 'crane', 'regctl', 'oras', 'skopeo'] as const

/** A client, and the clock that registries go by with it. */
export interface Named {
  readonly client: Client
  readonly clock: Pick<Clock, 'now'>
}

/**
 * @param name `ours`, one of {@link ADAPTERS}, or the file of an adapter
 * @throws {UsageError} when there is no such client
 */
export async function namedClient(name: string, seed: number): Promise<Named> {
  if (name === 'ours') {
    const clock = leapingClock()
    return { client: inProcessClient({ clock, random: randomFrom(seed) }), clock }
  }
  const known = ADAPTERS.some(one => one === name)
  const file = known ? join(import.meta.dirname, `${name}.json`) : name
  try {
    return { client: commandClient(await readAdapter(file), { find: findProgram }), clock: realClock }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** In the folder of the peers of the tests first, then in PATH. */
function findProgram(name: string): string {
  if (name.includes('/')) return name
  const peers = process.env['OCI_PUBLISH_PEERS'] ?? join(homedir(), '.cache', 'oci-publish-peers')
  const folders = [join(peers, 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map(folder => join(folder, name)).find(isExecutable) ?? name
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
