import { redactUrl } from '../../src/http/redact.ts'

test.each([
  ['credentials', 'https://user:secret@r.example/v2/', 'https://r.example/v2/'],
  [
    'a presigned signature',
    'https://s3.example/b?X-Amz-Credential=AKIA&X-Amz-Signature=abc',
    'https://s3.example/b?X-Amz-Credential=…&X-Amz-Signature=…',
  ],
  [
    'an upload state',
    'http://r.example/u/1?_state=abc%3D%3D&digest=sha256:1',
    'http://r.example/u/1?_state=…&digest=sha256:1',
  ],
  ['an empty value', 'http://r.example/?a=&n=', 'http://r.example/?a=…&n='],
  ['a value with a line and an equals sign in it', 'http://r.example/?a=b=c%0Ad&n=1', 'http://r.example/?a=…&n=1'],
  ['a bare word', 'http://r.example/?s3cret', 'http://r.example/?…'],
  ['a fragment', 'http://r.example/#token', 'http://r.example/'],
])('a message does not show %s', (_name, from, to) => {
  expect(redactUrl(new URL(from))).toBe(to)
})

test('a message shows what tells requests apart', () => {
  const harmless = 'https://r.example/t?ns=a&digest=b&mount=c&from=d&n=1&last=e&artifactType=f&service=g&scope=h:i:j'
  expect(redactUrl(new URL(harmless))).toBe(harmless)
})
