import { cleanPath } from '../../../src/archive/tar/path.ts'

describe('cleanPath()', () => {
  test.each([
    ['usr/bin/env', 'usr/bin/env'],
    ['./usr/bin', 'usr/bin'],
    ['/usr/bin', 'usr/bin'],
    ['usr//bin/', 'usr/bin'],
    ['./usr/./bin/.', 'usr/bin'],
    ['./', '.'],
    ['/', '.'],
    ['', '.'],
    ['..a/b..', '..a/b..'],
    [' a', ' a'],
  ])('%j and its other spellings are one file', (path, clean) => {
    expect(cleanPath(path)).toBe(clean)
  })

  test.each(['..', '../etc/passwd', 'a/../../b', '/..', 'a/..'])('%j cannot lead out of the archive', path => {
    expect(() => cleanPath(path)).toThrow(`"${path}" may lead out of the archive: it has ".." in it`)
  })
})
