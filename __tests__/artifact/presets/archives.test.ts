import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../../../src/archive/tar/read.ts'
import { findFiles } from '../../../src/artifact/find-files.ts'
import { flux } from '../../../src/artifact/presets/flux.ts'
import { opentofu } from '../../../src/artifact/presets/opentofu.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { run, temporaryDirectory } from '../../support/peers.ts'
import { bytesOf, jsonOf, put, type Content } from '../files.ts'

const FILES: Readonly<Record<string, Content>> = {
  'in/main.tf': 'x = 1\n',
  'in/modules/a/main.tf': 'y = 2\n',
  'in/run.sh': { program: '#!/bin/sh\n' },
  'in/ünï.tf': 'z = 3\n',
  'in/empty': '',
}

async function requestOf(context: string, texts: readonly string[]) {
  const files = await findFiles(texts, { context })
  return { files, annotations: {}, metadata: new Map<string, string>(), created: undefined, tempDir: context }
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

async function pathsIn(tar: Uint8Array): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const { entry } of readTar(chunks(tar))) paths.push(`${entry.type} ${entry.path}`)
  return paths
}

describe('flux', () => {
  test('what a directory holds is at the root of the archive, without links', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, { ...FILES, 'in/link': { link: 'main.tf' } })
    const { artifactType, config, layers } = await flux.parts(await requestOf(work.path, ['in']))
    expect(artifactType).toBeUndefined()
    expect(layers.map(({ descriptor }) => descriptor.mediaType)).toEqual([
      'application/vnd.cncf.flux.content.v1.tar+gzip',
    ])
    const tar = gunzipSync(await bytesOf(layers[0]))
    expect(await pathsIn(tar)).toEqual([
      'file empty',
      'file main.tf',
      'directory modules',
      'directory modules/a',
      'file modules/a/main.tf',
      'file run.sh',
      'file ünï.tf',
    ])
    expect(config?.descriptor.mediaType).toBe('application/vnd.cncf.flux.config.v1+json')
    expect(await jsonOf(config)).toMatchObject({
      created: '1970-01-01T00:00:00Z',
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    })
  })

  test('several files and directories are in it by their names, each folder once', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, { 'a/x.yaml': 'x', 'a/y.yaml': 'y', 'b/z.yaml': 'z' })
    const { layers } = await flux.parts(await requestOf(work.path, ['b', 'a/y.yaml', 'a/x.yaml']))
    expect(await pathsIn(gunzipSync(await bytesOf(layers[0])))).toEqual([
      'directory a',
      'file a/x.yaml',
      'file a/y.yaml',
      'directory b',
      'file b/z.yaml',
    ])
  })
})

describe('opentofu', () => {
  test('the module is a zip that others unpack, with its programs', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, FILES)
    const { artifactType, config, layers } = await opentofu.parts(await requestOf(work.path, ['in']))
    expect([artifactType, config]).toEqual(['application/vnd.opentofu.modulepkg', undefined])
    expect(layers.map(({ descriptor }) => descriptor.mediaType)).toEqual(['archive/zip'])
    await put(work.path, { 'out.zip': await bytesOf(layers[0]) })
    const script = [
      'import json, sys, zipfile',
      'with zipfile.ZipFile(sys.argv[1]) as z:',
      '  assert z.testzip() is None',
      '  print(json.dumps([[i.filename, i.external_attr >> 16, i.date_time, z.read(i).decode()] for i in z.infolist()]))',
    ]
    const read = JSON.parse(await run('python3', ['-c', script.join('\n'), join(work.path, 'out.zip')])) as unknown
    const date = [1980, 1, 1, 0, 0, 0]
    expect(read).toEqual([
      ['empty', 0o100644, date, ''],
      ['main.tf', 0o100644, date, 'x = 1\n'],
      ['modules/a/main.tf', 0o100644, date, 'y = 2\n'],
      ['run.sh', 0o100755, date, '#!/bin/sh\n'],
      ['ünï.tf', 0o100644, date, 'z = 3\n'],
    ])
  })

  test('the same module is the same zip elsewhere, on another day and in another time zone', async () => {
    await using one = await temporaryDirectory()
    await using other = await temporaryDirectory()
    await put(one.path, FILES, new Date('2001-02-03'))
    await put(other.path, FILES)
    await chmod(join(other.path, 'in/main.tf'), 0o600)
    const before = process.env['TZ']
    const digests: (string | undefined)[] = []
    for (const [path, zone] of [
      [one.path, 'Asia/Tokyo'],
      [other.path, 'America/New_York'],
    ] as const) {
      process.env['TZ'] = zone
      const { layers } = await opentofu.parts(await requestOf(path, ['in']))
      digests.push(layers[0]?.descriptor.digest)
    }
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
    expect(digests[1]).toBe(digests[0])
  })

  test('a zip that was made elsewhere is taken as it is', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, { 'module.zip': 'zip' })
    const { layers } = await opentofu.parts(await requestOf(work.path, ['module.zip']))
    expect(layers.map(({ descriptor }) => descriptor.size)).toEqual([3])
  })

  test('links are told before anything is packed, since a module package cannot hold them', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, { 'in/main.tf': '', 'in/link.tf': { link: 'main.tf' } })
    const { problems } = await opentofu.plan(await requestOf(work.path, ['in']))
    expect(problems.map(({ problem }) => problem)).toEqual([
      `${join(work.path, 'in/link.tf')} is a link, which a module package cannot hold; put the file itself there`,
    ])
  })

  test('a file that changes while it is packed fails the publication', async () => {
    await using work = await temporaryDirectory()
    await put(work.path, { 'in/main.tf': 'long enough' })
    const request = await requestOf(work.path, ['in'])
    await put(work.path, { 'in/main.tf': 'short' })
    await expect(opentofu.parts(request)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  })
})
