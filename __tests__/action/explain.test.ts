import { explain } from '../../src/action/explain.ts'
import { Edge } from '../../src/action/edge.ts'
import { AuthError, InputError, OciPublishError } from '../../src/errors.ts'
import { recorder } from './recorder.ts'

function told(error: unknown, options?: { debug: boolean }): readonly string[] {
  const { runner, calls } = recorder({}, options)
  explain(new Edge(runner), error)
  return calls
}

const refused = new AuthError('ghcr.io', 'ghcr.io: no credentials', {
  hint: 'give the job "packages: write"',
  cause: new Error('401 from the token server'),
})

describe('explain()', () => {
  test('tells message, cause and hint, and fails the step once', () => {
    expect(told(refused)).toEqual([
      'info:   because: 401 from the token server',
      'info:   hint: give the job "packages: write"',
      'setFailed: ghcr.io: no credentials\ngive the job "packages: write"',
    ])
  })

  test('every wrong input is an annotation of its own', () => {
    const error = new InputError([
      { input: 'images', problem: '"A b" is not an image reference' },
      { input: 'ports', problem: '"x" is not a port', hint: 'such as 8080' },
    ])
    expect(told(error)).toEqual([
      'error [Input images]: images: "A b" is not an image reference',
      'error [Input ports]: ports: "x" is not a port (such as 8080)',
      'setFailed: the request is wrong: 2 problems',
    ])
  })

  test('one wrong input is told once, and not as a count of problems besides', () => {
    expect(told(new InputError([{ input: 'ports', problem: '"x" is not a port', hint: 'such as 8080' }]))).toEqual([
      'setFailed: ports: "x" is not a port (such as 8080)',
    ])
  })

  test('several failures are all told, not only the first', () => {
    const error = new AggregateError([refused, new OciPublishError('NOT_FOUND', 'quay.io/a/b: not found')])
    expect(told(error)).toEqual([
      'error: ghcr.io: no credentials',
      'info:   because: 401 from the token server',
      'info:   hint: give the job "packages: write"',
      'error: quay.io/a/b: not found',
      'setFailed: 2 failures, each told above; the first: ghcr.io: no credentials',
    ])
  })

  test('a stack is only for those who debug', () => {
    const bug = new TypeError('x is undefined')
    expect(told(bug).join('\n')).not.toContain('explain.test.ts')
    expect(told(bug, { debug: true }).join('\n')).toContain('explain.test.ts')
  })
})

describe('a line of the log', () => {
  test.each([
    ['a command', '::set-output name=x::y', '\\::set-output name=x::y'],
    ['an indented command', '  ::add-mask::e', '  \\::add-mask::e'],
    ['a command of the older kind', 'denied ##[error]no', 'denied ##\\[error]no'],
    ['a digest', 'app@sha256:abc', 'app@sha256:abc'],
    ['colons within the line', 'a::b', 'a::b'],
  ])('%s is not obeyed by the runner', (_name, line, safe) => {
    const { runner, calls } = recorder()
    new Edge(runner).info(line)
    expect(calls).toEqual([`info: ${safe}`])
  })
})
