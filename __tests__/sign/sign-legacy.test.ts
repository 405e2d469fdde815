import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Untagged } from '../../src/content/untagged.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf, parseDigest } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { findLegacySignatures } from '../../src/sign/find-legacy.ts'
import { legacyTag } from '../../src/sign/legacy.ts'
import type { SigningMeans } from '../../src/sign/means.ts'
import { signLegacyEverywhere } from '../../src/sign/sign-legacy.ts'
import type { SignEvent } from '../../src/sign/sign.ts'
import type { Witnesses } from '../../src/sign/witness.ts'
import { clientOf, type Client } from '../registry/client.ts'
import { allOf } from './all-of.ts'
import { bareKey, type BareKey } from './keyless.ts'

const subject = (name: string): Descriptor => ({
  mediaType: OCI_MANIFEST,
  digest: digestOf(Buffer.from(name)),
  size: 4,
})
const ROOT = subject('root')
const PLATFORMS = ['one', 'two'].map(subject)

function untaggedAt(client: Client, { host }: SpecRegistry, repositories: readonly string[] = ['team/app']): Untagged {
  return {
    root: ROOT,
    platforms: PLATFORMS.map(descriptor => ({ descriptor, platform: undefined })),
    places: repositories.map(repository => ({
      target: client.open(repository),
      output: { kind: 'registry', image: { kind: 'registry', host, repository }, tags: [] },
    })),
  }
}

function meansOf({ signer, by }: BareKey, log?: Witnesses['log']): SigningMeans {
  return {
    title: 'a key',
    verifiedBy: { key: 'a.pub' },
    trustedRoot: 'given',
    known: undefined,
    identity: () => Promise.resolve({ signer, by }),
    witnesses: { log, timestamp: undefined },
  }
}

const quiet = { annotations: {}, onEvent: (): void => undefined }

test('each manifest has a signature of its own in each repository, which it names', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const repositories = ['team/app', 'mirror/app']
  const untagged = untaggedAt(client, registry, repositories)
  const annotations = { stage: '<test>' }
  const signed = await signLegacyEverywhere(untagged, [meansOf(bareKey())], { ...quiet, annotations })
  expect(signed).toHaveLength(6)
  for (const repository of repositories) {
    for (const { digest } of [ROOT, ...PLATFORMS]) {
      const found = await allOf(findLegacySignatures(client.open(repository), { digest }))
      expect(found.map(({ says }) => says)).toMatchObject([{ digest, annotations }])
      expect(Buffer.from(found[0]?.bytes ?? []).toString()).toContain(
        `"docker-reference":"${registry.host}/${repository}"`,
      )
    }
    const tags = [ROOT, ...PLATFORMS].map(({ digest }) => legacyTag(digest))
    expect([...registry.tags(repository).keys()].toSorted()).toEqual(tags.toSorted())
  }
})

test('an equal one is left, another key is added to it, and nothing of others is lost', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const [one, two] = [bareKey(), bareKey()]
  const run = (key: BareKey) => signLegacyEverywhere(untaggedAt(client, registry), [meansOf(key)], quiet)
  await run(one)
  const mark = registry.landed.length
  const again = await run(one)
  expect(again.map(({ existed }) => existed)).toEqual([true, true, true])
  expect(registry.landed.slice(mark)).toEqual([])
  expect((await run(two)).map(({ existed }) => existed)).toEqual([false, false, false])
  const found = await allOf(findLegacySignatures(client.open('team/app'), ROOT))
  expect(found).toHaveLength(2)
  expect((await run(one)).map(({ existed }) => existed)).toEqual([true, true, true])
})

test('several signers sign one after the other, into the same manifest', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const means = [meansOf(bareKey()), meansOf(bareKey())]
  const signed = await signLegacyEverywhere(untaggedAt(client, registry), means, quiet)
  expect(signed.map(one => means.indexOf(one.means))).toEqual([0, 0, 0, 1, 1, 1])
  expect(await allOf(findLegacySignatures(client.open('team/app'), ROOT))).toHaveLength(2)
})

test('an image of one platform, which is its own root, is signed once', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const untagged = { ...untaggedAt(client, registry), platforms: [{ descriptor: ROOT, platform: undefined }] }
  expect(await signLegacyEverywhere(untagged, [meansOf(bareKey())], quiet)).toHaveLength(1)
})

test('a log that fails leaves no signature', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const record = (): Promise<never> => Promise.reject(new OciPublishError('LOG_FAILED', 'is down'))
  const signing = signLegacyEverywhere(
    untaggedAt(client, registry),
    [meansOf(bareKey(), { version: 1, record })],
    quiet,
  )
  await expect(signing).rejects.toThrow('is down')
  expect(registry.landed).toEqual([])
})

test('a layout gets none, which is told', async () => {
  const target = new MemoryStore('oci:out')
  const output = { kind: 'oci', path: 'out', tags: [], images: [] } as const
  const events: SignEvent[] = []
  const onEvent = (event: SignEvent): void => void events.push(event)
  const untagged = { root: ROOT, platforms: [], places: [{ target, output }] }
  expect(await signLegacyEverywhere(untagged, [meansOf(bareKey())], { ...quiet, onEvent })).toEqual([])
  expect(events).toContainEqual({
    type: 'notice',
    text: 'oci:out gets no signatures in the older form, which are of repositories',
  })
})

test('a digest that is too long for a tag is refused, and nothing is written', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const root = { ...ROOT, digest: parseDigest(`sha512:${'a'.repeat(128)}`) }
  const signing = signLegacyEverywhere({ ...untaggedAt(client, registry), root }, [meansOf(bareKey())], quiet)
  await expect(signing).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})
