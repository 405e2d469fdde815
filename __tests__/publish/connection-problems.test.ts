import { connectionProblems } from '../../src/publish/connection-problems.ts'
import { readEntries } from '../../src/publish/entries.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { parseRequest } from '../../src/publish/parse-request.ts'

test.each<[FieldValues, string]>([
  [{ 'role-to-assume': 'publish' }, 'role-to-assume: "publish" is not the ARN of a role, such as arn:aws:iam::'],
  [{ 'ecr-tag-mutability': 'maybe' }, 'ecr-tag-mutability: "maybe" is not one of mutable, immutable'],
  [{ 'ecr-create-repository': 'maybe' }, 'ecr-create-repository: "maybe" is not true or false'],
  [{ 'ecr-scan-on-push': 'maybe' }, 'ecr-scan-on-push: "maybe" is not true or false'],
  [{ 'ecr-encryption': 'kms' }, 'ecr-encryption: "kms" is not one of AES256, KMS, KMS_DSSE'],
  [{ 'ecr-kms-key': 'alias/images' }, 'ecr-kms-key: encrypts nothing with "ecr-encryption: AES256"'],
  [{ upload: 'slowly' }, 'upload: "slowly" is not one of auto, monolithic, chunked'],
])('%j is refused, by its name', (values, told) => {
  const problems = connectionProblems(readEntries(values))
  expect(problems).toHaveLength(1)
  expect(problems.map(({ input, problem }) => `${input}: ${problem}`).join()).toContain(told)
})

test('what is right, or not given at all, is no problem', () => {
  const role = 'arn:aws-cn:iam::123456789012:role/ci/publish'
  const values: FieldValues = { 'role-to-assume': role, upload: 'chunked', 'ecr-create-repository': 'true' }
  expect(connectionProblems(readEntries(values))).toEqual([])
  expect(connectionProblems(readEntries({ 'ecr-encryption': 'KMS', 'ecr-kms-key': 'alias/images' }))).toEqual([])
  expect(connectionProblems(readEntries({}))).toEqual([])
})

test('a publication tells what was wrong before it with what is wrong with itself', () => {
  const before = { input: 'registry-auth', problem: 'is no list' }
  const facts = { sourceDateEpoch: undefined, defaultLayout: 'out', problems: [before] }
  const { problems } = parseRequest({ images: 'a/b', tags: '-', layers: 'dist:/app', index: 'perhaps' }, facts)
  expect(problems[0]).toEqual(before)
  expect(problems.map(({ input }) => input)).toEqual(expect.arrayContaining(['registry-auth', 'tags', 'index']))
})
