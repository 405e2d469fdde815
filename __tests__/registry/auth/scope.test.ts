import { mergeScopes, repositoryScope, scopeKey } from '../../../src/registry/auth/scope.ts'

test('actions have one order, because some token servers compare texts', () => {
  expect(repositoryScope('team/app', 'push', 'pull')).toBe('repository:team/app:pull,push')
})

describe('mergeScopes()', () => {
  test.each([
    ['adds nothing when nothing is asked for', ['repository:a:pull'], undefined, ['repository:a:pull']],
    ['joins the actions of one resource', ['repository:a:pull'], 'repository:a:push,pull', ['repository:a:pull,push']],
    [
      'keeps the push scope in front, since some registries read the first only',
      ['repository:a:pull,push', 'repository:b:pull'],
      'repository:b:pull',
      ['repository:a:pull,push', 'repository:b:pull'],
    ],
    [
      'puts first what this request failed for',
      ['repository:a:pull'],
      'repository:proxy/a:pull registry:catalog:*',
      ['repository:proxy/a:pull', 'registry:catalog:*', 'repository:a:pull'],
    ],
    [
      'has one order of actions, those that nobody here knows last',
      ['repository:a:zzz,*,delete,push,pull,aaa'],
      '',
      ['repository:a:pull,push,delete,*,zzz,aaa'],
    ],
    [
      'leaves out actions that are empty',
      ['repository:a:'],
      'repository:b:pull,,push',
      ['repository:b:pull,push', 'repository:a'],
    ],
    ['takes a scope without actions', ['openid'], 'openid', ['openid']],
    ['reads a resource with a port', [], 'repository:h:5000/a:pull', ['repository:h:5000/a:pull']],
  ])('%s', (_name, asked, challenged, expected) => {
    expect(mergeScopes(asked, challenged)).toEqual(expected)
  })
})

test('a token is found again whatever the order of its scopes', () => {
  expect(scopeKey(['b', 'a'])).toBe(scopeKey(['a', 'b']))
})
