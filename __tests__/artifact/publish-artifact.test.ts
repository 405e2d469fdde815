import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactWords } from '../../src/artifact/parse-artifact.ts'
import { publishArtifact, type ArtifactDeps } from '../../src/artifact/publish-artifact.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Output } from '../../src/content/places.ts'
import type { ImageCopyEvent } from '../../src/copy/event.ts'
import { OciPublishError } from '../../src/errors.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { put, type Content } from './files.ts'

function outputAt(host: string, ...tags: readonly string[]): Output {
  return { kind: 'registry', image: { kind: 'registry', host, repository: 'team/thing' }, tags }
}

/** A folder with files, and stores that are there by the host of an output. */
async function openShop(files: Readonly<Record<string, Content>>) {
  const work = await temporaryDirectory()
  const stores = new Map<string, MemoryStore>()
  const events: ImageCopyEvent[] = []
  const tempDir = join(work.path, 'temp')
  await put(work.path, { ...files, 'temp/.keep': '' })
  const storeOf = (host: string): MemoryStore => {
    const store = stores.get(host) ?? new MemoryStore(`${host}/team/thing`)
    stores.set(host, store)
    return store
  }
  const deps: ArtifactDeps = {
    openTarget: output => storeOf(output.kind === 'registry' ? output.image.host : output.path),
    tempDir,
    onEvent: event => events.push(event),
  }
  return {
    put: (more: Readonly<Record<string, Content>>) => put(work.path, more),
    events,
    storeOf,
    tempDir,
    publish: (words: Partial<ArtifactWords>, more: Partial<ArtifactDeps> = {}) =>
      publishArtifact(
        {
          outputs: [outputAt('r.example', 'v1')],
          files: ['a.txt'],
          context: work.path,
          onExistingTag: 'overwrite',
          dryRun: false,
          ...words,
        },
        { ...deps, ...more },
      ),
    [Symbol.asyncDispose]: () => work[Symbol.asyncDispose](),
  }
}

test('files are at every target under its tags, and an unchanged artifact sends nothing', async () => {
  await using shop = await openShop({ 'a.txt': 'a', 'd/x': 'x' })
  const outputs = [outputAt('r.example', 'v1', 'latest'), outputAt('s.example')]
  const words = { outputs, files: ['a.txt:text/plain', 'd'], artifactType: 'application/x.y', annotations: ['k=v'] }
  const first = await shop.publish(words)
  expect(first).toMatchObject({
    artifactType: 'application/x.y',
    config: { mediaType: 'application/vnd.oci.empty.v1+json' },
    layers: [{ mediaType: 'text/plain', size: 1 }, { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
  })
  expect(await shop.storeOf('r.example').resolve('latest')).toMatchObject({ digest: first.manifest.digest })
  expect(await shop.storeOf('s.example').has(first.manifest)).toBe(true)

  const second = await shop.publish(words)
  expect(second.manifest).toEqual(first.manifest)
  for (const { outcome } of second.targets) {
    expect(outcome).toMatchObject({ result: { sent: { bytes: 0, descriptors: [] } } })
  }
})

test('all that is wrong is told at once, and no registry is asked', async () => {
  await using shop = await openShop({ 'a.txt': 'a', 'conf/c.json': '{}' })
  const openTarget = (): never => {
    throw new Error('asked')
  }
  const found = { input: 'images', problem: 'of the door' }
  const words = {
    files: ['b.txt', 'a.txt:x'],
    config: 'conf',
    artifactType: 'x',
    annotations: ['x'],
    problems: [found],
  }
  await expect(shop.publish(words, { openTarget })).rejects.toMatchObject({
    problems: [
      found,
      { input: 'artifact-type' },
      { input: 'annotations' },
      { input: 'files', problem: 'b.txt is not there' },
      { input: 'files', problem: '"x" in "a.txt:x" is not a media type such as application/json' },
      { input: 'config', problem: 'conf is a directory' },
    ],
  })
  await expect(shop.publish({ preset: 'wasm', metadata: ['a'] }, { openTarget })).rejects.toMatchObject({
    problems: [{ input: 'model' }, { input: 'files' }].map(one => expect.objectContaining(one) as unknown),
  })
})

test('a config of its own says what the artifact is', async () => {
  await using shop = await openShop({ 'a.txt': 'a', 'c.json': '{"a":1}' })
  const typed = await shop.publish({ config: 'c.json:application/vnd.example.config+json' })
  expect(typed.artifactType).toBe('application/vnd.example.config+json')
  expect(typed.config.annotations).toBeUndefined()
  expect((await shop.publish({ config: 'c.json' })).artifactType).toBe('application/vnd.unknown.config.v1+json')
})

describe('a tag that is taken by other content', () => {
  test('fails before anything is sent to any target, and names all of them', async () => {
    await using shop = await openShop({ 'a.txt': 'one' })
    await shop.publish({})
    await shop.put({ 'a.txt': 'two' })
    const outputs = [outputAt('s.example', 'v1'), outputAt('r.example', 'v1', 'v2')]
    for (const dryRun of [true, false]) {
      await expect(shop.publish({ outputs, onExistingTag: 'fail', dryRun })).rejects.toMatchObject({
        code: 'TAG_EXISTS',
        message: expect.stringMatching(/^r\.example\/team\/thing:v1 is sha256:/) as string,
      })
    }
    await expect(shop.storeOf('s.example').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('is no failure where the content is the same', async () => {
    await using shop = await openShop({ 'a.txt': 'one' })
    await shop.publish({})
    await expect(shop.publish({ onExistingTag: 'fail' })).resolves.toBeDefined()
  })

  test('stays with "skip", is told, and is not reported as moved', async () => {
    await using shop = await openShop({ 'a.txt': 'one' })
    const first = await shop.publish({})
    await shop.put({ 'a.txt': 'two' })
    const outputs = [outputAt('r.example', 'v1', 'v2')]
    const second = await shop.publish({ outputs, onExistingTag: 'skip' })
    expect(second.targets).toMatchObject([{ output: { tags: ['v2'] } }])
    expect(await shop.storeOf('r.example').resolve('v1')).toMatchObject({ digest: first.manifest.digest })
    expect(await shop.storeOf('r.example').resolve('v2')).toMatchObject({ digest: second.manifest.digest })
    expect(shop.events).toContainEqual(expect.objectContaining({ type: 'notice' }))
  })
})

test('a dry run says what would be done, and does nothing', async () => {
  await using shop = await openShop({ 'a.txt': 'one' })
  const { targets } = await shop.publish({ dryRun: true })
  expect(targets).toMatchObject([
    {
      outcome: {
        steps: [{ do: 'send' }, { do: 'send' }, { do: 'send' }],
        tagSteps: [{ do: 'move', tag: 'v1', from: undefined }],
      },
    },
  ])
  await expect(shop.storeOf('r.example').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('no tag moves anywhere before all of it is everywhere', async () => {
  await using shop = await openShop({ 'a.txt': 'one' })
  const outputs = [outputAt('r.example', 'v1'), outputAt('broken.example', 'v1')]
  Object.assign(shop.storeOf('broken.example'), {
    push: () => Promise.reject(new OciPublishError('REGISTRY_ERROR', 'no')),
  })
  await expect(shop.publish({ outputs })).rejects.toThrow('no\nno')
  await expect(shop.storeOf('r.example').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a registry that cannot be reached is found before gigabytes are packed', async () => {
  await using shop = await openShop({ 'd/x': 'x' })
  Object.assign(shop.storeOf('r.example'), {
    resolve: () => Promise.reject(new OciPublishError('UNREACHABLE', 'no answer')),
  })
  await expect(shop.publish({ files: ['d'] })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  expect(await readdir(shop.tempDir)).toEqual(['.keep'])
})

test('a manifest that no registry takes is refused with a way out', async () => {
  const files = Object.fromEntries(Array.from({ length: 60 }, (_one, i) => [`m/${i}`, `${i}`]))
  await using shop = await openShop(files)
  const annotations = [`k=${'v'.repeat(5 << 20)}`]
  await expect(shop.publish({ files: ['m'], preset: 'modelpack', annotations })).rejects.toMatchObject({
    code: 'MANIFEST_TOO_LARGE',
    hint: 'put files into directories, which are one layer each, or publish several artifacts',
  })
})

test.each(['modelpack', 'flux', 'opentofu'])('type %s is the same in another folder on another day', async preset => {
  const digests = []
  for (const day of ['2001-02-03', '2026-07-08']) {
    await using shop = await openShop({})
    await using work = await temporaryDirectory()
    await put(work.path, { 'in/a.yaml': 'a', 'in/b/run': { program: 'b' } }, new Date(day))
    const { manifest } = await shop.publish({ files: ['in'], context: work.path, preset })
    digests.push(manifest.digest)
  }
  expect(digests[1]).toBe(digests[0])
})
