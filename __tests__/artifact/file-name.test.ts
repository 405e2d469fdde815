import { cleanName, TakenNames } from '../../src/artifact/file-name.ts'

describe('cleanName', () => {
  test.each([
    ['a.txt', 'a.txt'],
    ['x/y/z.txt', 'x/y/z.txt'],
    ['./x//y/', 'x/y'],
    ['ünï/名.txt', 'ünï/名.txt'],
    ['..a/b', '..a/b'],
    ['...a', '...a'],
    ['.hidden', '.hidden'],
    ['.gitignore', '.gitignore'],
    ['.github/x', '.github/x'],
    ['app.git/config', 'app.git/config'],
    ['git/config', 'git/config'],
    ['git~12', 'git~12'],
    ['2026-01-01T10:00:00.log', '2026-01-01T10:00:00.log'],
    ['console.log', 'console.log'],
  ])('%j is %j', (name, clean) => {
    expect(cleanName(name, 'linux')).toBe(clean)
  })

  test.each([
    ['../evil', 'could leave the folder'],
    ['a/../../evil', 'could leave the folder'],
    ['a/..', 'could leave the folder'],
    ['/tmp/evil', 'absolute'],
    ['//server/share', 'absolute'],
    ['C:evil', 'absolute'],
    ['c:/evil', 'absolute'],
    ['..\\evil', 'backslash'],
    ['\\\\server\\share', 'backslash'],
    ['', 'empty'],
    ['.', 'empty'],
    ['./', 'empty'],
    ['a\u0000.txt', 'control characters'],
    ['a\nb', 'control characters'],
    ['NUL', 'a device on Windows'],
    ['dir/con.txt', 'a device on Windows'],
    ['com1 .log', 'a device on Windows'],
    ['LPT³', 'a device on Windows'],
    ['.. /evil', 'a space, which Windows drops'],
    ['a./b', 'ends with a dot'],
    ['.git/hooks/post-checkout', 'where git keeps hooks'],
    ['sub/.git/config', 'where git keeps hooks'],
    ['.git', 'where git keeps hooks'],
    ['.GIT/config', 'where git keeps hooks'],
    ['GIT~1/config', 'where git keeps hooks'],
    ['.git. ./config', 'where git keeps hooks'],
    ['.git::$INDEX_ALLOCATION/config', 'where git keeps hooks'],
    ['.g\u200cit/config', 'where git keeps hooks'],
    ['\ufeff.gi\u206ft/config', 'where git keeps hooks'],
    ['a/'.repeat(3000), 'more than 4096 characters'],
    ['.oci-publish-pull/sha256-0', 'not whole yet'],
    ['.OCI-publish-pull', 'not whole yet'],
  ])('%j is written nowhere', (name, problem) => {
    expect(() => cleanName(name, 'linux')).toThrow(problem)
  })

  test.each(['a:stream', 'a|b', 'what?', 'a*', '<a>', 'a"b'])('%s is refused where it is no name', name => {
    expect(cleanName(name.replace(/^a:/, 'aa:'), 'linux')).toBeDefined()
    expect(() => cleanName(name.replace(/^a:/, 'aa:'), 'win32')).toThrow('is no name on Windows')
  })
})

describe('TakenNames', () => {
  test.each([
    ['one file twice', ['a/b', 'a/b'], 'there twice'],
    ['files that differ in case only', ['Readme', 'README'], 'where case makes no difference'],
    ['folders that differ in case only', ['Docs/a', 'docs/b'], 'where case makes no difference'],
    ['one name with its accent written in two ways', ['\u00e9', 'e\u0301'], 'where case makes no difference'],
    ['a file where a folder is', ['a/b', 'a'], 'a file and a folder'],
    ['a folder where a file is', ['a', 'a/b'], 'a file and a folder'],
  ])('%s would overwrite each other', (_name, [first = '', second = ''], problem) => {
    const names = new TakenNames()
    names.take(first, 'file')
    expect(() => {
      names.take(second, 'file')
    }).toThrow(problem)
  })

  test('files of one folder are beside each other', () => {
    const names = new TakenNames()
    expect(() => {
      for (const name of ['a/b', 'a/c', 'd', 'ab']) names.take(name, 'file')
      names.take('a', 'folder')
    }).not.toThrow()
  })
})
