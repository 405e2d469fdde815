import { readRefusalBody } from '../../src/registry/refusal-body.ts'

describe('readRefusalBody()', () => {
  test.each([
    [
      'tells the code and the words of the specification',
      '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry","detail":"sha256:ab"}]}',
      { codes: ['MANIFEST_BLOB_UNKNOWN'], detail: 'blob unknown to registry (sha256:ab)' },
    ],
    [
      'tells all of several errors',
      '{"errors":[{"code":"A","message":"one"},{"code":"B","message":"two","detail":{}},{"code":"A","message":"one"}]}',
      { codes: ['A', 'B'], detail: 'one; two' },
    ],
    [
      "reads zot's single object",
      '{"code":"UNAUTHORIZED","message":"authentication required","detail":{"name":"x"}}',
      { codes: ['UNAUTHORIZED'], detail: 'authentication required ({"name":"x"})' },
    ],
    [
      'reads a token server',
      '{"error":"invalid_grant","error_description":"no such token"}',
      { codes: ['invalid_grant'], detail: 'no such token' },
    ],
    [
      "reads Docker Hub's token server",
      '{"details":"incorrect username or password"}',
      { codes: [], detail: 'incorrect username or password' },
    ],
    ['shows JSON of no known form as it is', '{"what":1}', { codes: [], detail: '{"what":1}' }],
    [
      'takes the words out of a proxy page',
      '<html>\n<head><style>p{}</style><title>413 Too Large</title></head><body><h1>413</h1><p>nginx</body></html>',
      { codes: [], detail: '413 Too Large 413 nginx' },
    ],
    ['keeps plain text', '404 page not found\n', { codes: [], detail: '404 page not found' }],
    ['lets nobody write into the log of a job', 'a\n::error::b\u001b[31m', { codes: [], detail: 'a ::error::b [31m' }],
    ['says nothing of nothing', ' ', { codes: [], detail: '' }],
  ])('%s', (_name, body, expected) => {
    expect(readRefusalBody(body)).toEqual(expected)
  })

  test('cuts what is too long for a message', () => {
    expect(readRefusalBody('x'.repeat(5_000)).detail).toHaveLength(401)
  })
})
