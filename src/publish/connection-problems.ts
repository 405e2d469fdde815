import type { InputProblem } from '../errors.ts'
import type { Entries } from './entries.ts'

/** How blobs may be sent. */
export const UPLOADS = ['auto', 'monolithic', 'chunked'] as const

/** How repositories of ECR may be encrypted, in the words of its API. */
export const ENCRYPTIONS = ['AES256', 'KMS', 'KMS_DSSE'] as const

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role[/]\S+$/

/** What is wrong with how registries are to be reached and repositories to be made: of every command, not only of one. */
export function connectionProblems(entries: Entries): readonly InputProblem[] {
  const problems: InputProblem[] = []
  entries.choice('upload', UPLOADS, problems)
  entries.boolean('ecr-create-repository', problems)
  entries.boolean('ecr-scan-on-push', problems)
  entries.choice('ecr-tag-mutability', ['mutable', 'immutable'], problems)
  const encryption = entries.choice('ecr-encryption', ENCRYPTIONS, problems)
  if (encryption === 'AES256' && entries.text('ecr-kms-key') !== undefined) {
    // Whoever gives a key believes that something is encrypted with it.
    const problem = 'encrypts nothing with "ecr-encryption: AES256"'
    problems.push({ input: 'ecr-kms-key', problem, hint: 'set "ecr-encryption: KMS", or KMS_DSSE' })
  }
  const role = entries.text('role-to-assume')
  if (role !== undefined && !ROLE.test(role)) {
    const problem = `"${role}" is not the ARN of a role, such as arn:aws:iam::123456789012:role/publish`
    problems.push({ input: 'role-to-assume', problem })
  }
  return problems
}
