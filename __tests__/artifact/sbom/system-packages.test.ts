import { isApkDatabase, parseApkDatabase } from '../../../src/artifact/sbom/apk.ts'
import { isDpkgStatus, parseDpkgStatus } from '../../../src/artifact/sbom/dpkg.ts'
import { parseOsRelease } from '../../../src/artifact/sbom/os-release.ts'
import { identified, type FoundPackage } from '../../../src/artifact/sbom/package.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('parseDpkgStatus', () => {
  const parse = (text: string) => [...parseDpkgStatus(bytes(text), 'var/lib/dpkg/status')]

  test.each([
    [
      'a package with its architecture',
      'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1',
      [{ name: 'a', version: '1', architecture: 'amd64' }],
    ],
    ['one that is held at its version', 'Package: a\nStatus: hold ok installed\nVersion: 1', [{ name: 'a' }]],
    [
      'of a removed one only the configuration is there',
      'Package: a\nStatus: deinstall ok config-files\nVersion: 1',
      [],
    ],
    ['one that is half unpacked does not work', 'Package: a\nStatus: install reinstreq half-installed\nVersion: 1', []],
    ['images without dpkg say no status', 'Package: a\nVersion: 1:2.0-3', [{ name: 'a', version: '1:2.0-3' }]],
    ['the source that advisories name', 'Package: libc6\nSource: glibc\nVersion: 2.36-9', [{ upstream: 'glibc' }]],
    ['a source of another version', 'Package: b\nSource: s (1.0)\nVersion: 1.0+b1', [{ upstream: 's@1.0' }]],
    ['the same source of another version', 'Package: s\nSource: s (1.0)\nVersion: 1.0+b1', [{ upstream: 's@1.0' }]],
    ['a source of the same name says nothing', 'Package: s\nSource: s\nVersion: 1', [{ upstream: undefined }]],
    [
      'lines that go on, with what looks like a field',
      'Package: a\nDescription: x\n Version: 9\n .\n Package: b\nVersion: 1\n\nPackage: c\nVersion: 2\n',
      [{ name: 'a', version: '1' }, { name: 'c' }],
    ],
    [
      'line ends of Windows',
      'Package: a\r\nVersion: 1\r\n\r\nPackage: b\r\nVersion: 2\r\n',
      [{ version: '1' }, { version: '2' }],
    ],
    ['a paragraph without a version is no package', 'Package: a\n\n\n\nVersion: 2', []],
    ['an empty database has none', '', []],
  ])('%s', (_name, text, packages) => {
    const found = parse(text)
    expect(found).toHaveLength(packages.length)
    expect(found).toMatchObject(packages)
  })

  test.each([
    ['var/lib/dpkg/status', true],
    ['var/lib/dpkg/status.d/base', true],
    ['var/lib/dpkg/status.d/base.md5sums', false],
    ['var/lib/dpkg/status-old', false],
    ['srv/var/lib/dpkg/status', false],
  ])('%s: %s', (path, wanted) => {
    expect(isDpkgStatus(path)).toBe(wanted)
  })
})

describe('parseApkDatabase', () => {
  test('packages, with the origin that advisories name, and not misled by lines about files', () => {
    const text = `C:Q1x=\nP:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\no:busybox\nF:bin\nR:busybox\na:0:0:755\n\nP:ssl_client\nV:1.36.1-r29\nA:x86_64\no:busybox\nF:usr\nL:of a file\n\nP:no-version\n`
    expect([...parseApkDatabase(bytes(text), 'lib/apk/db/installed')]).toEqual([
      {
        type: 'apk',
        name: 'busybox',
        version: '1.36.1-r29',
        architecture: 'x86_64',
        licenses: ['GPL-2.0-only'],
        location: 'lib/apk/db/installed',
      },
      {
        type: 'apk',
        name: 'ssl_client',
        version: '1.36.1-r29',
        architecture: 'x86_64',
        upstream: 'busybox',
        location: 'lib/apk/db/installed',
      },
    ])
  })

  test('it is found where /lib is a link to /usr/lib', () => {
    expect(['lib/apk/db/installed', 'usr/lib/apk/db/installed', 'lib/apk/db/triggers'].map(isApkDatabase)).toEqual([
      true,
      true,
      false,
    ])
  })
})

describe('parseOsRelease', () => {
  test.each([
    [
      'quotes of both kinds',
      `ID="debian"\nVERSION_ID='12'\nPRETTY_NAME="Debian GNU/Linux 12"`,
      { id: 'debian', version: '12', name: 'Debian GNU/Linux 12' },
    ],
    [
      'comments, blanks and escapes',
      `# x\n\n ID=a\nNAME="a \\"b\\" \\$c"`,
      { id: 'a', version: undefined, name: 'a "b" $c' },
    ],
    ['no system', 'NAME=x', undefined],
  ])('%s', (_name, text, release) => {
    expect(parseOsRelease(bytes(text))).toEqual(release)
  })
})

describe('package URLs are those that scanners look for', () => {
  const debian = { id: 'debian', version: '12', name: undefined }
  const location = 'x'
  test.each<[FoundPackage, typeof debian | undefined, string]>([
    [
      { type: 'deb', name: 'libc6', version: '2.36-9+deb12u10', architecture: 'amd64', upstream: 'glibc', location },
      debian,
      'pkg:deb/debian/libc6@2.36-9+deb12u10?arch=amd64&distro=debian-12&upstream=glibc',
    ],
    [
      { type: 'deb', name: 'perl', version: '1:5', upstream: 'p@1.0', location },
      undefined,
      'pkg:deb/debian/perl@1:5?upstream=p%401.0',
    ],
    [
      { type: 'apk', name: 'musl', version: '1.2.5-r0', location },
      { ...debian, id: 'alpine', version: '3.20.1' },
      'pkg:apk/alpine/musl@1.2.5-r0?distro=alpine-3.20.1',
    ],
    [
      { type: 'rpm', name: 'dbus', version: '1.12-1.el8', epoch: 1, location },
      { ...debian, id: 'rhel', version: '8.9' },
      'pkg:rpm/rhel/dbus@1.12-1.el8?distro=rhel-8.9&epoch=1',
    ],
    [{ type: 'npm', name: '@babel/core', version: '7.0.0', location }, debian, 'pkg:npm/%40babel/core@7.0.0'],
    [{ type: 'npm', name: 'a', version: '1', location }, debian, 'pkg:npm/a@1'],
    [{ type: 'pypi', name: 'Foo__Bar.baz', version: '1', location }, debian, 'pkg:pypi/foo-bar-baz@1'],
    [
      { type: 'golang', name: 'github.com/spf13/cobra', version: 'v1.8.0', location },
      debian,
      'pkg:golang/github.com/spf13/cobra@v1.8.0',
    ],
    [{ type: 'golang', name: 'stdlib', version: undefined, location }, debian, 'pkg:golang/stdlib'],
  ])('%j', (found, system, purl) => {
    expect(identified(found, system).purl).toBe(purl)
  })
})
