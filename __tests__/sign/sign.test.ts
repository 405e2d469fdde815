import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import type { Untagged } from '../../src/content/untagged.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parseBundle } from '../../src/sign/bundle.ts'
import type { SigningMeans } from '../../src/sign/means.ts'
import { signEverywhere, type SignEvent } from '../../src/sign/sign.ts'
import { signatureStatement, type Statement } from '../../src/sign/statement.ts'
import type { Witnesses } from '../../src/sign/witness.ts'
import { clientOf, type Client } from '../registry/client.ts'
import { bareKey, type BareKey } from './keyless.ts'
import { LOG_ENTRY } from './some-bundles.ts'

const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

interface Place extends AsyncDisposable {
  readonly registry: SpecRegistry
  readonly untagged: Untagged
  /** The same once more, as another run sees it. */
  readonly reopened: () => Untagged
}

const image = (name: string): { descriptor: Descriptor; bytes: Uint8Array } => {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 }
  const json = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], annotations: { name } }
  const bytes = Buffer.from(JSON.stringify(json))
  return { descriptor: { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.byteLength }, bytes }
}

/** An index of images, pushed and not tagged. */
async function startPlace({ images = 2, referrers = true } = {}): Promise<Place> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startSpecRegistry({ referrers }))
  const client: Client = stack.use(clientOf(registry))
  const made = Array.from({ length: images }, (_, i) => image(`${i}`))
  const manifests = made.map(({ descriptor }) => descriptor)
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
  const root = { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.byteLength }
  const target = client.open('team/app')
  const empty = Buffer.from('{}')
  await target.push(bytesBlob({ bytes: empty, descriptor: { mediaType: 'x', digest: digestOf(empty), size: 2 } }))
  for (const one of [...made, { descriptor: root, bytes }]) await target.push(bytesBlob(one))
  const reopened = (): Untagged => ({
    root,
    platforms: manifests.map(descriptor => ({ descriptor, platform: undefined })),
    places: [
      {
        target: client.open('team/app'),
        output: {
          kind: 'registry',
          image: { kind: 'registry', host: registry.host, repository: 'team/app' },
          tags: [],
        },
      },
    ],
  })
  const moved = stack.move()
  return { registry, untagged: reopened(), reopened, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

interface Counted {
  readonly means: SigningMeans
  readonly done: readonly string[]
}

/** A key that tells what it is asked for. */
function counted({ signer, by }: BareKey, witnesses: Witnesses = { log: undefined, timestamp: undefined }): Counted {
  const done: string[] = []
  const means: SigningMeans = {
    title: 'a key',
    verifiedBy: { key: 'a.pub' },
    trustedRoot: 'given',
    known: undefined,
    identity: () =>
      Promise.resolve({
        by,
        signer: {
          ...signer,
          sign: (bytes, io) => {
            done.push('sign')
            return signer.sign(bytes, io)
          },
        },
      }),
    witnesses,
  }
  return { means, done }
}

const quiet = { onEvent: (): void => undefined }
const subjectsOf = ({ root, platforms }: Untagged) => [root.digest, ...platforms.map(one => one.descriptor.digest)]
const signatureOf = (untagged: Untagged) => ({
  statement: signatureStatement(subjectsOf(untagged)),
  attachTo: subjectsOf(untagged),
})

test.each([true, false])(
  'a statement is signed once for ten platforms, and its bundle sent once (list of referrers: %s)',
  async referrers => {
    await using place = await startPlace({ images: 10, referrers })
    const { means, done } = counted(bareKey())
    const mark = place.registry.landed.length
    const [signed] = await signEverywhere(place.untagged, [signatureOf(place.untagged)], [means], quiet)
    expect(done).toEqual(['sign'])
    expect(signed?.referrers).toHaveLength(11)
    const landed = place.registry.landed.slice(mark)
    const bundle = digestOf(signed?.bundle ?? Buffer.from(''))
    expect(landed.filter(({ what, name }) => what === 'blob' && name === bundle)).toHaveLength(1)
    expect(landed.flatMap(({ missing }) => missing)).toEqual([])
  },
)

test('once it returns, others find what was added, and sign nothing', async () => {
  for (const referrers of [true, false]) {
    await using place = await startPlace({ referrers })
    const key = bareKey()
    await signEverywhere(place.untagged, [signatureOf(place.untagged)], [counted(key).means], quiet)
    const { means, done } = counted(key)
    const [again] = await signEverywhere(place.reopened(), [signatureOf(place.untagged)], [means], quiet)
    expect(done).toEqual([])
    expect(again).toMatchObject({ bundle: undefined, referrers: Array(3).fill({ existed: true }) })
    expect(again?.equal).toBeInstanceOf(Uint8Array)
  }
})

test('where an equal one hangs on some of the subjects, it is put on the others only', async () => {
  await using place = await startPlace({ images: 3 })
  const { untagged } = place
  const [root = untagged.root.digest, ...others] = subjectsOf(untagged)
  const key = bareKey()
  const { statement } = signatureOf(untagged)
  await signEverywhere(untagged, [{ statement, attachTo: [root] }], [counted(key).means], quiet)
  const [signed] = await signEverywhere(place.reopened(), [signatureOf(untagged)], [counted(key).means], quiet)
  const added = signed?.referrers.filter(({ existed }) => !existed).map(({ subject }) => subject)
  expect(added?.toSorted()).toEqual(others.toSorted())
})

test('what a log says is in the bundle, and without it a signature is not equal', async () => {
  await using place = await startPlace()
  const key = bareKey()
  const stated = [signatureOf(place.untagged)]
  await signEverywhere(place.untagged, stated, [counted(key).means], quiet)
  const log = { version: 1, record: () => Promise.resolve(LOG_ENTRY) } as const
  const logged = counted(key, { log, timestamp: undefined })
  const [signed] = await signEverywhere(place.reopened(), stated, [logged.means], quiet)
  expect(logged.done).toEqual(['sign'])
  expect(parseBundle(signed?.bundle ?? Buffer.from(''), 'bundle').logEntries).toHaveLength(1)
  // One that is logged does for who asks for less.
  const less = counted(key)
  await signEverywhere(place.reopened(), stated, [less.means], quiet)
  expect(less.done).toEqual([])
})

test.each(['log', 'timestamp'] as const)('when there is no %s, nothing hangs anywhere', async name => {
  await using place = await startPlace()
  const fail = (): Promise<never> => Promise.reject(new OciPublishError('LOG_FAILED', 'is down'))
  const witnesses: Witnesses =
    name === 'log' ? { log: { version: 2, record: fail }, timestamp: undefined } : { log: undefined, timestamp: fail }
  const mark = place.registry.landed.length
  const signing = signEverywhere(
    place.untagged,
    [signatureOf(place.untagged)],
    [counted(bareKey(), witnesses).means],
    quiet,
  )
  await expect(signing).rejects.toThrow('is down')
  expect(place.registry.landed.slice(mark)).toEqual([])
})

test('a certificate that expires between signing and logging leaves nothing', async () => {
  await using place = await startPlace()
  const expired = new OciPublishError('CERTIFICATE_EXPIRED', 'has expired, before its signature was logged')
  const { means, done } = counted(bareKey(), {
    log: { version: 2, record: () => Promise.reject(expired) },
    timestamp: undefined,
  })
  const mark = place.registry.landed.length
  await expect(signEverywhere(place.untagged, [signatureOf(place.untagged)], [means], quiet)).rejects.toBe(expired)
  expect(done).toEqual(['sign'])
  expect(place.registry.landed.slice(mark)).toEqual([])
})

test('a referrer of another kind or a broken bundle does not count as a signature', async () => {
  await using place = await startPlace({ images: 1 })
  const { untagged } = place
  const [{ target } = { target: undefined }] = untagged.places
  const key = bareKey()
  const junk = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}')
  const layer = { mediaType: BUNDLE_TYPE, digest: digestOf(junk), size: junk.byteLength }
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 }
  for (const artifactType of [BUNDLE_TYPE, 'application/vnd.example']) {
    const json = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config,
      layers: [layer],
      subject: untagged.root,
    }
    const bytes = Buffer.from(JSON.stringify(json))
    await target?.push(bytesBlob({ bytes: junk, descriptor: layer }))
    await target?.push(
      bytesBlob({ bytes, descriptor: { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.byteLength } }),
    )
  }
  const { means, done } = counted(key)
  await signEverywhere(place.reopened(), [signatureOf(untagged)], [means], quiet)
  expect(done).toEqual(['sign'])
})

test('each signer signs each statement, and says who it is', async () => {
  await using place = await startPlace({ images: 1 })
  const { untagged } = place
  const predicate: Statement = {
    subjects: [{ digest: untagged.root.digest, name: 'app' }],
    predicateType: 'https://example.com/p',
    predicate: { a: 1 },
  }
  const stated = [signatureOf(untagged), { statement: predicate, attachTo: [untagged.root.digest] }]
  const [one, two] = [counted(bareKey()), counted(bareKey())]
  const events: SignEvent[] = []
  const onEvent = (event: SignEvent): void => void events.push(event)
  const signed = await signEverywhere(untagged, stated, [one.means, two.means], { onEvent })
  expect([one.done.length, two.done.length, signed.length]).toEqual([2, 2, 4])
  expect(signed.map(({ means }) => means)).toEqual([one.means, one.means, two.means, two.means])
  expect(events.filter(({ type }) => type === 'step')).toContainEqual({
    type: 'step',
    step: 'sign',
    text: 'Signatures: a key',
  })
})

test('what is not published cannot have anything hung on it', async () => {
  await using place = await startPlace()
  const stranger = digestOf(Buffer.from('stranger'))
  const stated = [{ statement: signatureStatement([stranger]), attachTo: [stranger] }]
  await expect(signEverywhere(place.untagged, stated, [counted(bareKey()).means], quiet)).rejects.toThrow(stranger)
})

test('who stops it has nothing signed', async () => {
  await using place = await startPlace()
  const signal = AbortSignal.abort(new Error('stopped'))
  const { means, done } = counted(bareKey())
  const stopped = signEverywhere(place.untagged, [signatureOf(place.untagged)], [means], { ...quiet, signal })
  await expect(stopped).rejects.toThrow('stopped')
  expect(done).toEqual([])
})
