import { MemoryStore } from '../../../src/content/memory.ts'
import { scanImage } from '../../../src/artifact/sbom/scan-image.ts'
import { composeArtifact } from '../../../src/artifact/artifact.ts'
import { pushArtifact } from '../../../src/artifact/push-artifact.ts'
import { parseManifest } from '../../../src/oci/manifest.ts'
import { readDocument } from '../../../src/artifact/members.ts'
import { Budget } from '../../../src/budget.ts'
import { LayeredFiles } from '../../../src/artifact/sbom/layered-files.ts'
import { licenseForm } from '../../../src/artifact/sbom/license.ts'
import { storeImage, type Layer } from './images.ts'

const STATUS = 'var/lib/dpkg/status'
const npm = (name: string): string => JSON.stringify({ name, version: '1.0.0' })
const deb = (...names: readonly string[]): string => names.map(name => `Package: ${name}\nVersion: 1\n`).join('\n')

/** What is found, each as `name@layer`, and what was said. */
async function scan(...layers: readonly Layer[]) {
  const store = new MemoryStore()
  const descriptor = await storeImage(store, layers)
  const { packages, system, notices } = await scanImage(store, descriptor)
  const manifest = parseManifest(await readDocument(store, descriptor), 'x')
  const digests = manifest.layers.map(({ digest }) => digest)
  return { found: packages.map(({ name, layer }) => `${name}@${digests.indexOf(layer)}`), packages, system, notices }
}

describe('scanImage', () => {
  test.each<[string, readonly Layer[], readonly string[]]>([
    [
      'a package of the base is of the base, though its database was written anew',
      [{ [STATUS]: deb('a', 'b') }, { [STATUS]: deb('a', 'b', 'c') }],
      ['a@0', 'b@0', 'c@1'],
    ],
    ['what was removed is not there', [{ [STATUS]: deb('a', 'b') }, { [STATUS]: deb('b') }], ['b@0']],
    [
      'what came back came with the layer that brought it',
      [{ [STATUS]: deb('a') }, { [STATUS]: '' }, { [STATUS]: deb('a', 'b') }],
      ['a@2', 'b@2'],
    ],
    [
      'a whiteout takes a file',
      [{ 'n/node_modules/a/package.json': npm('a') }, { 'n/node_modules/a/.wh.package.json': '' }],
      [],
    ],
    [
      'a whiteout takes a folder',
      [{ 'n/node_modules/a/package.json': npm('a'), 'm/node_modules/b/package.json': npm('b') }, { '.wh.n': '' }],
      ['b@0'],
    ],
    [
      'a whiteout leaves what its own layer has, before it and after it',
      [
        { 'n/node_modules/a/package.json': npm('a') },
        { 'n/node_modules/b/package.json': npm('b'), '.wh.n': '', 'n/node_modules/c/package.json': npm('c') },
      ],
      ['b@1', 'c@1'],
    ],
    [
      'an opaque folder hides what was in it',
      [
        { 'n/node_modules/a/package.json': npm('a'), 'nn/node_modules/b/package.json': npm('b') },
        { 'n/.wh..wh..opq': '', 'n/node_modules/c/package.json': npm('c') },
      ],
      ['b@0', 'c@1'],
    ],
    [
      'an opaque root hides everything',
      [{ [STATUS]: deb('a') }, { '.wh..wh..opq': '', 'node_modules/c/package.json': npm('c') }],
      ['c@1'],
    ],
    ['a file in place of a folder', [{ 'n/node_modules/a/package.json': npm('a') }, { n: 'text' }], []],
    [
      'a link in place of a database',
      [{ [STATUS]: deb('a') }, { [STATUS]: { type: 'symlink', linkPath: 'elsewhere' } }],
      [],
    ],
    [
      'a folder that is named again keeps what is in it',
      [{ [STATUS]: deb('a') }, { 'var/lib/dpkg': { type: 'directory' } }],
      ['a@0'],
    ],
    [
      'paths as others write them',
      [{ './var/lib/dpkg/status': deb('a') }, { 'var//lib/./dpkg/status': deb('a', 'b') }],
      ['a@0', 'b@1'],
    ],
    [
      'a hard link is the same package in another place',
      [
        {
          'n/node_modules/a/package.json': npm('a'),
          'm/node_modules/a/package.json': { type: 'hardlink', linkPath: 'n/node_modules/a/package.json' },
        },
      ],
      ['a@0', 'a@0'],
    ],
    ['an image without layers', [], []],
  ])('%s', async (_name, layers, found) => {
    expect((await scan(...layers)).found).toEqual(found)
  })

  test('names that lead out of the image are passed over', async () => {
    const { found, notices } = await scan({
      '../node_modules/a/package.json': npm('a'),
      'node_modules/b/package.json': npm('b'),
    })
    expect({ found, notices }).toEqual({ found: ['b@0'], notices: [] })
  })

  test('packages are named after the system, in whatever layer and place it says what it is', async () => {
    const { packages, system } = await scan(
      { [STATUS]: deb('a') },
      {
        'usr/lib/os-release': 'ID=debian\nVERSION_ID=12\n',
        'etc/os-release': { type: 'symlink', linkPath: '../usr/lib/os-release' },
      },
    )
    expect(system).toMatchObject({ id: 'debian', version: '12' })
    expect(packages[0]?.purl).toBe('pkg:deb/debian/a@1?distro=debian-12')
  })

  test('a database that cannot be read is said, and the rest is there', async () => {
    const { found, notices } = await scan({
      'var/lib/rpm/Packages': 'x',
      'var/lib/rpm/rpmdb.sqlite': 'x',
      [STATUS]: deb('a'),
    })
    expect(found).toEqual(['a@0'])
    expect(notices).toEqual([
      "var/lib/rpm/Packages: RPM's database is read in the form of SQLite, not in Berkeley DB; its packages are not in the SBOM",
      'var/lib/rpm/rpmdb.sqlite: cannot be read as an SQLite database (it does not begin as one); its packages are not in the SBOM',
    ])
  })

  test('layers that registries may not give away are not asked for', async () => {
    const store = new MemoryStore()
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
    const { packages, notices } = await scanImage(
      store,
      await storeImage(store, [{ [STATUS]: deb('a') }], 'amd64', type),
    )
    expect(packages).toEqual([])
    expect(notices).toEqual([expect.stringMatching(/^layer sha256:\w+ is not for registries to give away/)])
  })

  test('an artifact is not taken for an empty image', async () => {
    const store = new MemoryStore('r.example/a')
    const artifact = composeArtifact({ artifactType: 'application/x.y', layers: [] })
    await pushArtifact(store, artifact)
    await expect(scanImage(store, artifact.manifest.descriptor)).rejects.toThrow(
      /^reference: r\.example\/a@sha256:\w+ is no image: its config is of type application\/vnd\.oci\.empty\.v1\+json/,
    )
  })

  test('who stops waiting is told so', async () => {
    const store = new MemoryStore()
    const descriptor = await storeImage(store, [{ [STATUS]: deb('a') }])
    const reason = new Error('stop')
    await expect(scanImage(store, descriptor, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('a hostile image', () => {
  test('of more packages than anybody installs is told by that, with what can be done instead', async () => {
    const names = Array.from({ length: 20_001 }, (_, i) => `p${i}`)
    await expect(scan({ [STATUS]: deb(...names) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 20,000 packages in one image') as string,
      hint: expect.stringContaining('oci-publish attach') as string,
    })
  })

  test('of tens of thousands of whiteouts costs no more than what they remove', () => {
    const files = new LayeredFiles<number>()
    const count = 40_000
    for (let i = 0; i < count; i++) files.put(`node_modules/p${i}/package.json`, 0, i)
    for (let i = 0; i < count; i++) files.meet(`node_modules/.wh.p${i}`, 1, { isDirectory: false })
    expect(files.entries()).toEqual([])
    // The same for a directory that is emptied again and again while the layer itself fills it.
    for (let i = 0; i < count; i++) {
      files.put(`node_modules/q${i}/package.json`, 1, i)
      files.meet('node_modules/.wh..wh..opq', 1, { isDirectory: false })
    }
    expect(files.entries()).toHaveLength(count)
  })

  test('of files deep in folders is measured by the folders', () => {
    const files = new LayeredFiles<number>(new Budget({ what: 'bytes of paths', max: 100_000 }))
    expect(() => {
      files.put(`${'d/'.repeat(2000)}node_modules/a/package.json`, 0, 1)
    }).toThrow('more than 100,000 bytes of paths')
  })

  test('does not take the stack with a license of parentheses', async () => {
    const license = '('.repeat(100_000)
    const { packages } = await scan({
      'node_modules/a/package.json': JSON.stringify({ name: 'a', version: '1', license }),
    })
    expect(packages).toHaveLength(1)
    expect(licenseForm(license, word => word === 'MIT')).toBe('name')
  })

  test('says of many unread layers only how many there are', async () => {
    const store = new MemoryStore()
    const layers = Array.from({ length: 120 }, (_, i): Layer => ({ [`f${i}`]: '' }))
    const kept = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
    const { notices } = await scanImage(store, await storeImage(store, layers, 'amd64', kept))
    expect(notices).toHaveLength(101)
    expect(notices.at(-1)).toBe('20 more were not read')
  })
})
