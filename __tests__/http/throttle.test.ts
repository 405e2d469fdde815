import { isThrottling, mayBeThrottling } from '../../src/http/throttle.ts'

test.each([
  [429, '', true],
  [429, 'denied', true],
  [400, '{"__type":"ThrottlingException","message":"Rate exceeded"}', true],
  [403, '<h1>Rate exceeded</h1>', true],
  [403, '{"errors":[{"code":"TOOMANYREQUESTS"}]}', true],
  [403, 'denied', false],
  [400, '{"errors":[{"code":"MANIFEST_INVALID"}]}', false],
  [400, 'the separate exceeded', false],
  [401, '{"errors":[{"code":"TOOMANYREQUESTS"}]}', false],
  [404, 'rate exceeded', false],
  [200, 'rate exceeded', false],
])('whether %i with %j asks to come back later: %s', (status, body, expected) => {
  expect(isThrottling(status, body)).toBe(expected)
})

test('only answers that may mean it are looked into', () => {
  expect([200, 400, 401, 403, 404, 429, 500].filter(mayBeThrottling)).toEqual([400, 403])
})
