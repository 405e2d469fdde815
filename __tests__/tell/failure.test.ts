import { AuthError, InputError, OciPublishError } from '../../src/errors.ts'
import { failuresOf, isWrongRequest } from '../../src/tell/failure.ts'

const refused = new AuthError('ghcr.io', 'ghcr.io: no credentials', { hint: 'give the job "packages: write"' })
const wrong = new InputError([
  { input: 'images', problem: '"A b" is not an image reference' },
  { input: 'ports', problem: '"x" is not a port', hint: 'such as 8080' },
])

describe('failuresOf()', () => {
  test('tells message and hint', () => {
    expect(failuresOf(refused)).toMatchObject([
      { message: 'ghcr.io: no credentials', hint: 'give the job "packages: write"', causes: [], unexpected: false },
    ])
  })

  test('tells every problem of a wrong request', () => {
    expect(failuresOf(wrong)).toMatchObject([
      {
        message: 'the request is wrong: 2 problems',
        problems: [{ input: 'images' }, { input: 'ports', problem: '"x" is not a port', hint: 'such as 8080' }],
      },
    ])
  })

  test('tells every part of an AggregateError, nested ones too, and the same one once', () => {
    const nested = new AggregateError([refused, new AggregateError([new Error('disk full')]), refused])
    expect(failuresOf(nested).map(({ message }) => message)).toEqual(['ghcr.io: no credentials', 'disk full'])
  })

  test('keeps the whole chain of causes, without repeating what was said', () => {
    const socket = new AggregateError([new Error('connect ECONNREFUSED ::1:5000'), new Error('connect ETIMEDOUT')], '')
    const request = new Error('fetch failed', { cause: socket })
    const error = new OciPublishError('UNREACHABLE', 'localhost:5000: no answer (fetch failed)', { cause: request })
    expect(failuresOf(error)[0]?.causes).toEqual(['connect ECONNREFUSED ::1:5000; connect ETIMEDOUT'])
  })

  test('a problem of the request is not repeated as its own cause', () => {
    const first = new InputError([{ input: 'sign', problem: '"bogus" is not keyless' }])
    const error = new InputError([{ input: 'tags', problem: '"-" is not a tag' }, ...first.problems], { cause: first })
    expect(failuresOf(error)[0]?.causes).toEqual([])
  })

  test('survives an error that is its own cause', () => {
    const error = new Error('loop')
    error.cause = error
    expect(failuresOf(error)).toMatchObject([{ message: 'loop', causes: [] }])
  })

  test.each([
    ['a foreseen error', refused, false],
    ['what the system says', Object.assign(new Error('ENOENT'), { syscall: 'open', code: 'ENOENT' }), false],
    ['an abort', new DOMException('stopped', 'AbortError'), false],
    ['a bug', new TypeError('x is undefined'), true],
    ['something that is no error', 'boom', true],
  ])('%s: asks for a bug report only when it is one', (_name, error, unexpected) => {
    expect(failuresOf(error)[0]?.unexpected).toBe(unexpected)
  })

  test("a registry's words cannot begin a line", () => {
    const error = new OciPublishError('REGISTRY_ERROR', 'denied\n\u001b[2J::set-output name=x::y')
    expect(failuresOf(error)[0]?.message).toBe('denied \u001b[2J::set-output name=x::y')
  })
})

describe('isWrongRequest()', () => {
  test.each([
    ['problems of inputs', wrong, true],
    ['a wrong reference', new OciPublishError('INVALID_REFERENCE', 'x'), true],
    ['only wrong requests', new AggregateError([wrong, wrong]), true],
    ['a wrong request and a refusal', new AggregateError([wrong, refused]), false],
    ['a refusal', refused, false],
    ['a bug', new TypeError('x'), false],
  ])('%s: decides between exit codes 2 and 1', (_name, error, is) => {
    expect(isWrongRequest(error)).toBe(is)
  })
})
