import { demandOf, parseChallenges } from '../../../src/registry/auth/challenge.ts'

const REALM = 'https://auth.example.com/token'

const plain = (headers: readonly string[]): unknown =>
  parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

describe('parseChallenges()', () => {
  test.each([
    [
      'reads the challenge of Docker Hub',
      [`Bearer realm="${REALM}",service="registry.docker.io",scope="repository:library/alpine:pull"`],
      [['bearer', { realm: REALM, service: 'registry.docker.io', scope: 'repository:library/alpine:pull' }]],
    ],
    [
      'does not end a quoted value at its comma',
      [`Bearer realm="${REALM}",scope="repository:a:pull,push",error="insufficient_scope"`],
      [['bearer', { realm: REALM, scope: 'repository:a:pull,push', error: 'insufficient_scope' }]],
    ],
    [
      'reads the Basic challenge of ECR',
      ['Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"'],
      [['basic', { realm: 'https://1.dkr.ecr.eu-west-1.amazonaws.com/', service: 'ecr.amazonaws.com' }]],
    ],
    [
      'sees Basic behind Negotiate in one header',
      ['Negotiate, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'sees Bearer in a second header',
      ['Negotiate', `Bearer realm="${REALM}"`],
      [
        ['negotiate', {}],
        ['bearer', { realm: REALM }],
      ],
    ],
    [
      'sees two challenges with parameters in one header',
      ['Basic realm="a", Bearer realm="b", service="c"'],
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b', service: 'c' }],
      ],
    ],
    [
      'steps over the token of Negotiate',
      ['Negotiate YIIab/c+d==, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'steps over a token without padding',
      ['Negotiate YIIab, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'takes schemes and names in any case, and blanks',
      ['bEARER  Realm = "r" ,\tSERVICE=s'],
      [['bearer', { realm: 'r', service: 's' }]],
    ],
    [
      'reads an empty value',
      ['Bearer realm="r",scope="",service=s'],
      [['bearer', { realm: 'r', scope: '', service: 's' }]],
    ],
    ['undoes escapes in quotes', ['Basic realm="a \\"b\\" \\\\"'], [['basic', { realm: 'a "b" \\' }]]],
    [
      'keeps the first of two realms',
      ['Bearer realm="https://good",realm="https://evil"'],
      [['bearer', { realm: 'https://good' }]],
    ],
    ['stops at a quote that never ends', ['Bearer realm="https://x'], [['bearer', {}]]],
    ['takes nothing from an empty header', ['', ' , '], []],
  ])('%s', (_name, headers, expected) => {
    expect(plain(headers)).toEqual(expected)
  })
})

describe('demandOf()', () => {
  test.each([
    [
      'prefers a token to the password',
      ['Basic realm="x"', `Bearer realm="${REALM}",service="s"`],
      { scheme: 'bearer', realm: REALM, service: 's', scope: undefined },
    ],
    ['takes Basic where there is nothing else', ['Basic'], { scheme: 'basic' }],
    ['does not ask a token of nowhere', ['Bearer service="s"'], undefined],
    ['does not ask a token of an empty realm', ['Bearer realm=""', 'Basic'], { scheme: 'basic' }],
    ['knows nothing of Negotiate', ['Negotiate'], undefined],
  ])('%s', (_name, headers, expected) => {
    expect(demandOf(parseChallenges(headers))).toEqual(expected)
  })
})
