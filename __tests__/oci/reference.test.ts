import { formatReference, parseReference, parseRegistryReference } from '../../src/oci/reference.ts'

const HEX = 'a'.repeat(64)

describe('parseReference()', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine'],
    ['team/app', 'docker.io/team/app'],
    ['index.docker.io/team/app:1', 'docker.io/team/app:1'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['127.0.0.1:5000/team/app', '127.0.0.1:5000/team/app'],
    ['[::1]:5000/team/app:v1', '[::1]:5000/team/app:v1'],
    ['ghcr.io/Team/app'.toLowerCase(), 'ghcr.io/team/app'],
    [`ghcr.io/team/app:v1@sha256:${HEX}`, `ghcr.io/team/app:v1@sha256:${HEX}`],
    [`ghcr.io/team/app@sha256:${HEX}`, `ghcr.io/team/app@sha256:${HEX}`],
    ['123456789012.dkr.ecr.us-east-1.amazonaws.com/app', '123456789012.dkr.ecr.us-east-1.amazonaws.com/app'],
    ['ghcr.io/a__b/c-d.e_f:T_1.2-x', 'ghcr.io/a__b/c-d.e_f:T_1.2-x'],
    ['docker.io/alpine', 'docker.io/library/alpine'],
    ['registry-1.docker.io/alpine', 'docker.io/library/alpine'],
    ['docker.io/team/app', 'docker.io/team/app'],
    ['ghcr.io/alpine', 'ghcr.io/alpine'],
    ['localhost/app:v1', 'localhost/app:v1'],
    ['alpine:3', 'docker.io/library/alpine:3'],
    [' ghcr.io/team/app ', 'ghcr.io/team/app'],
    ['[::1]/team/app', '[::1]/team/app'],
    ['r:99999/app', 'r:99999/app'],
    ['ab:5000/app', 'ab:5000/app'],
    ['xoci:dir', 'docker.io/library/xoci:dir'],
    ['oci:dir:', 'oci:dir:'],
    ['oci:dir@sha256:', 'oci:dir@sha256:'],
    ['oci:5000/app', 'oci:5000/app'],
    ['oci-archive:5000/app', 'oci-archive:5000/app'],
    ['oci:5000', 'oci:5000'],
    ['oci:a\nb:v1', 'oci:a\nb:v1'],
    [`oci:out@sha512:${HEX}${HEX}`, `oci:out@sha512:${HEX}${HEX}`],
    ['oci:out/hello', 'oci:out/hello'],
    ['oci:out/hello:v1', 'oci:out/hello:v1'],
    ['oci:/abs/dir:v1', 'oci:/abs/dir:v1'],
    ['oci:C:\\dir\\layout', 'oci:C:\\dir\\layout'],
    ['oci:C:\\dir\\layout:v1', 'oci:C:\\dir\\layout:v1'],
    ['oci-archive:out/hello.tar:v1', 'oci-archive:out/hello.tar:v1'],
    [`oci:out@sha256:${HEX}`, `oci:out@sha256:${HEX}`],
  ])('%s means %s', (text, meaning) => {
    expect(formatReference(parseReference(text))).toBe(meaning)
  })

  test.each([
    ['oci:out/hello:v1', { kind: 'oci', path: 'out/hello', name: 'v1' }],
    ['oci:C:\\dir\\layout', { kind: 'oci', path: 'C:\\dir\\layout' }],
    ['oci:C:\\dir\\layout:v1', { kind: 'oci', path: 'C:\\dir\\layout', name: 'v1' }],
    ['oci:C:/dir', { kind: 'oci', path: 'C:/dir' }],
    ['oci:C:dir', { kind: 'oci', path: 'C:dir' }],
    ['oci:CD:dir', { kind: 'oci', path: 'CD', name: 'dir' }],
    ['oci:dir', { kind: 'oci', path: 'dir' }],
    ['oci:dir:', { kind: 'oci', path: 'dir:' }],
    ['oci:dir@sha256:', { kind: 'oci', path: 'dir@sha256:' }],
    [`oci:a:b@sha256:${HEX}`, { kind: 'oci', path: 'a:b', name: `sha256:${HEX}` }],
    ['oci:a:v1/b', { kind: 'oci', path: 'a:v1/b' }],
    ['oci-archive:a.tar:v1', { kind: 'oci-archive', path: 'a.tar', name: 'v1' }],
    ['oci:5000/app', { kind: 'registry', host: 'oci:5000', repository: 'app' }],
    ['oci:x5000/app', { kind: 'oci', path: 'x5000/app' }],
    ['xoci:50/app', { kind: 'registry', host: 'xoci:50', repository: 'app' }],
  ])('%s keeps drive letters apart from names', (text, reference) => {
    expect(parseReference(text)).toEqual(reference)
  })

  test.each([
    ['ghcr.io/Team/app', 'must be lowercase'],
    ['ghcr.io/team/app:', 'is not a tag'],
    ['ghcr.io/team/app:-x', 'is not a tag'],
    [`ghcr.io/team/app:${'x'.repeat(129)}`, '128 are allowed'],
    ['ghcr.io/team/app@sha256:short', 'is not a digest'],
    ['ghcr.io/', 'there is no repository'],
    ['', 'there is no repository'],
    ['ghcr.io/team//app', 'is not a repository name'],
    ['ghcr.io/team/app name', 'is not a repository name'],
    ['bad_host.io:port/app', 'is not a host name'],
    ['-x.io/app', 'is not a host name'],
    ['x.io-/app', 'is not a host name'],
    ['r:/app', 'is not a host name'],
    ['r:123456/app', 'is not a host name'],
    ['r:5000x/app', 'is not a host name'],
    ['[::1/app', 'is not a host name'],
    ['[]:5000/app', 'is not a host name'],
    ['ghcr.io/a:b:c', 'is not a tag'],
    ['ghcr.io/:v1', 'there is no repository'],
    ['x[::1]/app', 'is not a host name'],
    ['a b.io/app', 'is not a host name'],
    ['.io/app', 'is not a host name'],
    ['/app', 'is not a repository name'],
    ['docker.io/', 'there is no repository'],
    [`a@sha256:${HEX}@sha256:${HEX}`, `"sha256:${HEX}@sha256:${HEX}" is not a digest`],
    [`ghcr.io/${'a/'.repeat(124)}b`, 'longer than 255 characters'],
  ])('refuses %s and says why', (text, because) => {
    expect(() => parseRegistryReference(text)).toThrow(because)
  })

  test.each([
    ['oci:', 'is not a tag'],
    ['oci::v1', 'there is no path'],
    [`oci-archive:@sha256:${HEX}`, 'there is no path'],
  ])('refuses %s: nothing is written to a path that nobody named', (text, because) => {
    expect(() => parseReference(text)).toThrow(because)
  })

  test('the name and its host may have 255 characters together', () => {
    const repository = `${'a/'.repeat(123)}bc`
    expect(parseRegistryReference(`ghcr.io/${repository}`)).toEqual({ kind: 'registry', host: 'ghcr.io', repository })
  })
})
