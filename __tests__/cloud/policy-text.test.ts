import { join } from 'node:path'
import { readPolicy } from '../../src/cloud/policy-text.ts'
import { tempDir } from '../layer/temp-dir.ts'

const POLICY = '{\n  "rules": []\n}'

test('a policy is typed, or kept in a file, and reaches AWS as it was written', async () => {
  using dir = tempDir()
  dir.put({ 'policy.json': POLICY })
  expect(await readPolicy('ecr-lifecycle-policy', POLICY)).toBe(POLICY)
  expect(await readPolicy('ecr-lifecycle-policy', `${join(dir.path, 'policy.json')}\n`)).toBe(POLICY)
})

test.each([
  ['a file that is not there', 'none.json', /^ecr-lifecycle-policy: ENOENT.*none\.json/],
  ['text that is not JSON', '{"rules": ', /^ecr-lifecycle-policy: the policy: not JSON/],
  ['a file that is not JSON', 'README.md', /^ecr-lifecycle-policy: README\.md: not JSON/],
])('no repository is made for %s', async (_what, typed, message) => {
  await expect(readPolicy('ecr-lifecycle-policy', typed)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(message) as string,
  })
})
