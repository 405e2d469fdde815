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
  const region = entries.text('aws-region')
  if (region !== undefined && !/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(region)) {
    problems.push({ input: 'aws-region', problem: `"${region}" is not a region, such as eu-central-1` })
  }
  for (const host of entries.of('plain-http').filter(text => !HOST.test(text))) {
    problems.push({ input: 'plain-http', problem: `"${host}" ${NO_HOST}` })
  }
  return [...problems, ...credentialProblems(entries)]
}

const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?$|^\[[0-9a-f:.]+\](?::\d+)?$/i
const NO_HOST = 'is not a host, such as registry.example.com:5000, without https:// and path'

/** Half of a credential is none, and who gives it believes to be logged in. */
function credentialProblems(entries: Entries): readonly InputProblem[] {
  const [registry, username] = [entries.text('registry'), entries.text('username')]
  const password = entries.document('password').trim()
  const problems: InputProblem[] = []
  if (registry !== undefined && !HOST.test(registry)) {
    problems.push({ input: 'registry', problem: `"${registry}" ${NO_HOST}` })
  }
  if (username === undefined && password !== '') {
    problems.push({ input: 'username', problem: 'is missing, and a password is given: a login needs both' })
  }
  // Pull requests from forks have no secrets, and need none where nothing is pushed.
  if (username !== undefined && password === '' && entries.boolean('push', [])) {
    const hint = 'a secret that does not exist is empty; workflows of forks have none'
    problems.push({ input: 'password', problem: 'is missing, and a username is given: a login needs both', hint })
  }
  return problems
}
