import { join } from 'node:path'
import { startSpecRegistry, type SpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import type { Output } from '../../src/content/places.ts'
import type { ReferrerLister, Target } from '../../src/content/ports.ts'
import type { CopyDeps } from '../../src/copy/copy-image.ts'
import type { ImageCopyEvent } from '../../src/copy/event.ts'
import { openLayoutArchive, openLayoutArchiveTarget } from '../../src/layout/archive.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { parseReference, type Reference } from '../../src/oci/reference.ts'
import { clientOf } from '../registry/client.ts'
import { temporaryDirectory } from '../support/peers.ts'

/** Places of one test by their names, opened as the command does it. */
export interface Places extends AsyncDisposable {
  /** The registry of a name that begins with `api.` or `tag.`. */
  readonly registry: (host: string) => SpecRegistry
  readonly open: (reference: string) => Target & ReferrerLister
  readonly deps: CopyDeps
  readonly events: ImageCopyEvent[]
  readonly notices: () => readonly string[]
}

/** `api.example` lists referrers, `tag.example` and `tag2.example` leave that to clients; layouts are in a folder of the test. */
export async function openPlaces(options: SpecRegistryOptions = {}): Promise<Places> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryDirectory())
  const hosts = new Map<string, { registry: SpecRegistry; client: ReturnType<typeof clientOf> }>()
  for (const host of ['api.example', 'api2.example', 'tag.example', 'tag2.example']) {
    const registry = stack.use(await startSpecRegistry({ referrers: host.startsWith('api'), ...options }))
    hosts.set(host, { registry, client: stack.use(clientOf(registry)) })
  }
  const at = (host: string) => {
    const found = hosts.get(host)
    if (!found) throw new Error(`there is no ${host}`)
    return found
  }
  const openAt = (reference: Reference | Output, side: 'source' | 'target'): Target & ReferrerLister => {
    const place = 'image' in reference ? reference.image : reference
    if (place.kind === 'registry') return at(place.host).client.open(place.repository, side)
    const file = join(path, place.path)
    if (place.kind === 'oci') return openLayout(file)
    const archive = openLayoutArchiveTarget(file, { tempDir: path })
    return side === 'target' ? Object.assign(archive, { referrers: refused }) : readOnly(file)
  }
  const events: ImageCopyEvent[] = []
  const opened = stack.move()
  return {
    registry: host => at(host).registry,
    open: text => openAt(parseReference(text), 'target'),
    deps: {
      locate(reference) {
        const isRegistry = reference.kind === 'registry'
        const name = isRegistry ? (reference.digest ?? reference.tag ?? 'latest') : (reference.name ?? '')
        const repository = isRegistry ? reference.repository : undefined
        const mountDomain = isRegistry ? at(reference.host).client.open('any').mountDomain : undefined
        return { source: openAt(reference, 'source'), name, mountDomain, repository }
      },
      openTarget: output => openAt(output, 'target'),
      onEvent: event => events.push(event),
    },
    events,
    notices: () => events.flatMap(event => (event.type === 'notice' ? [event.text] : [])),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function readOnly(file: string): Target & ReferrerLister {
  const no = (): never => {
    throw new Error(`${file} is only read`)
  }
  return { ...openLayoutArchive(file), has: no, push: no, tag: no }
}

function refused(): never {
  throw new Error('an archive that is being written is not asked')
}
