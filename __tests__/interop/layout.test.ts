import { readFile } from 'node:fs/promises'
import { MemoryStore } from '../../src/content/memory.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { blobsOf } from '../../src/copy/walk.ts'
import { openLayoutArchive, openLayoutArchiveTarget } from '../../src/layout/archive.ts'
import { openLayout } from '../../src/layout/directory.ts'
import { parseRegistryReference } from '../../src/oci/reference.ts'
import { image, multiPlatform, sampleOf, type Sample } from '../copy/sample.ts'
import { tempDir } from '../layout/temp-dir.ts'
import { run } from '../support/peers.ts'

const images = [parseRegistryReference('ghcr.io/team/app')]

async function writeLayout(path: string, { root, contentOf }: Sample, names = ['v1', 'latest']): Promise<void> {
  const layout = openLayout(path, { images })
  await copyGraph(contentOf, root.descriptor, layout)
  await layout.tag(root, names)
}

async function writeArchive(file: string, waiting: string, { root, contentOf }: Sample): Promise<void> {
  const archive = openLayoutArchiveTarget(file, { images, tempDir: waiting })
  await copyGraph(contentOf, root.descriptor, archive)
  await archive.tag(root, ['v1', 'latest'])
  await archive.close()
}

describe('a layout that we wrote', () => {
  test('is read by skopeo, platform by platform', async () => {
    await using dir = await tempDir()
    const { root } = multiPlatform()
    await writeLayout(dir.in('out'), multiPlatform())
    const seen = await run('skopeo', ['inspect', '--override-arch', 'arm64', `oci:${dir.in('out')}:latest`])
    expect(JSON.parse(seen)).toMatchObject({ Digest: root.descriptor.digest, Architecture: 'arm64', Os: 'linux' })
    await run('skopeo', ['copy', '--all', `oci:${dir.in('out')}:v1`, `dir:${dir.in('all')}`])
  })

  test('is read by regctl', async () => {
    await using dir = await tempDir()
    const { root } = multiPlatform()
    await writeLayout(dir.in('out'), multiPlatform())
    const digest = await run('regctl', ['image', 'digest', `ocidir://${dir.in('out')}:v1`])
    expect(digest.trim()).toBe(root.descriptor.digest)
  })

  test('is unpacked by umoci, file by file', async () => {
    await using dir = await tempDir()
    await writeLayout(dir.in('out'), sampleOf(image('linux/amd64', ['first', 'second'])))
    await run('umoci', ['unpack', '--rootless', '--image', `${dir.in('out')}:v1`, dir.in('bundle')])
    expect(await readFile(dir.in('bundle', 'rootfs', 'second'), 'utf8')).toBe('second')
    expect(await readFile(dir.in('bundle', 'rootfs', 'first'), 'utf8')).toBe('first')
  })

  test('still is ours after umoci and skopeo have written to it', async () => {
    await using dir = await tempDir()
    const sample = sampleOf(image('linux/amd64', ['first']))
    const other = multiPlatform()
    await writeLayout(dir.in('out'), sample)
    await run('umoci', ['tag', '--image', `${dir.in('out')}:v1`, 'theirs'])
    await writeLayout(dir.in('other'), other, ['v2'])
    await run('skopeo', ['copy', '--all', `oci:${dir.in('other')}:v2`, `oci:${dir.in('out')}:v2`])

    const layout = openLayout(dir.in('out'))
    expect(await layout.resolve('theirs')).toEqual(sample.root.descriptor)
    expect((await layout.resolve('v2')).digest).toBe(other.root.descriptor.digest)
    await layout.tag(other.root, ['v1'])
    expect((await run('umoci', ['ls', '--layout', dir.in('out')])).split('\n').filter(Boolean).sort()).toEqual([
      'latest',
      'theirs',
      'v1',
      'v2',
    ])
  })
})

describe('an archive that we wrote', () => {
  test('is read by skopeo as an OCI archive with all its platforms', async () => {
    await using dir = await tempDir()
    const { root } = multiPlatform()
    await writeArchive(dir.in('out.tar'), dir.path, multiPlatform())
    await run('skopeo', ['copy', '--all', `oci-archive:${dir.in('out.tar')}:v1`, `oci:${dir.in('copy')}:v1`])
    expect((await openLayout(dir.in('copy')).resolve('v1')).digest).toBe(root.descriptor.digest)
  })

  test('is read as docker load reads it, by its full name', async () => {
    await using dir = await tempDir()
    await writeArchive(dir.in('out.tar'), dir.path, multiPlatform())
    const name = `docker-archive:${dir.in('out.tar')}:ghcr.io/team/app:latest`
    expect(JSON.parse(await run('skopeo', ['inspect', name]))).toMatchObject({ Architecture: 'amd64' })
    await run('skopeo', ['copy', name, `oci:${dir.in('copy')}:v1`])
    await run('umoci', ['unpack', '--rootless', '--image', `${dir.in('copy')}:v1`, dir.in('bundle')])
    expect(await readFile(dir.in('bundle', 'rootfs', 'linux-amd64'), 'utf8')).toBe('linux-amd64')
  })

  test('is valid for crane: every layer is what config and manifest.json say', async () => {
    await using dir = await tempDir()
    await writeArchive(dir.in('out.tar'), dir.path, multiPlatform())
    const args = ['validate', '--tarball', dir.in('out.tar')]
    await expect(run('crane', args)).resolves.toBeDefined()
  })

  test('is loaded by podman, with all its names', async () => {
    await using dir = await tempDir()
    await writeArchive(dir.in('out.tar'), dir.path, multiPlatform())
    const store = ['--root', dir.in('root'), '--runroot', dir.in('runroot'), '--storage-driver', 'vfs']
    const loaded = await run('podman', [...store, 'load', '--input', dir.in('out.tar')])
    expect(loaded).toContain('ghcr.io/team/app:v1')
    expect(loaded).toContain('ghcr.io/team/app:latest')
  })
})

test('an archive and a layout that skopeo wrote are read, down to the last layer', async () => {
  await using dir = await tempDir()
  const { root, blobs } = multiPlatform()
  await writeLayout(dir.in('out'), multiPlatform())
  await run('skopeo', ['copy', '--all', `oci:${dir.in('out')}:v1`, `oci-archive:${dir.in('theirs.tar')}:v1`])
  await run('skopeo', ['copy', '--all', `oci:${dir.in('out')}:v1`, `oci:${dir.in('theirs')}:v1`])

  for (const source of [openLayoutArchive(dir.in('theirs.tar')), openLayout(dir.in('theirs'))]) {
    expect((await source.resolve('v1')).digest).toBe(root.descriptor.digest)
    const store = new MemoryStore()
    await copyGraph(blobsOf(source), await source.resolve(''), store)
    for (const { descriptor } of blobs) expect(await store.has(descriptor)).toBe(true)
  }
})
