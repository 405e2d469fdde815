import { requestIdOf } from '../../src/http/response.ts'

const of = (headers: Readonly<Record<string, string>>): string | undefined => requestIdOf(name => headers[name])

test.each(['x-amzn-requestid', 'x-github-request-id', 'x-ms-request-id', 'x-request-id', 'docker-upload-uuid'])(
  'a failed request can be found by its operators by %s',
  name => {
    expect(of({ [name]: 'id' })).toBe('id')
  },
)

test('the header of the operator comes before the general one, and an empty one is none', () => {
  expect(of({ 'x-request-id': 'general', 'x-amzn-requestid': 'aws' })).toBe('aws')
  expect(of({ 'x-request-id': 'general', 'x-amzn-requestid': '' })).toBe('general')
  expect(of({})).toBeUndefined()
})
