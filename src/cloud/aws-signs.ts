import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
]

/** Where Linux shows who made the machine: EC2's have a role, perhaps. */
const VENDOR = '/sys/devices/virtual/dmi/id/sys_vendor'

export interface AwsSignsDeps {
  readonly env: NodeJS.ProcessEnv
  /** Home directory; by default that of the user. */
  readonly home?: string | undefined
  /** File with the name of the machine's maker. */
  readonly vendorFile?: string | undefined
}

/**
 * Whether anything here looks like an identity at AWS. Without it nobody need load AWS's clients and wait for a metadata
 * service that is not there, only to read a public image.
 */
export async function hasAwsSigns({ env, home = homedir(), vendorFile = VENDOR }: AwsSignsDeps): Promise<boolean> {
  if (VARIABLES.some(name => Boolean(env[name]))) return true
  const files = [
    env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials'),
    env['AWS_CONFIG_FILE'] ?? join(home, '.aws', 'config'),
  ]
  const found = await Promise.all([...files.map(isThere), isEc2(vendorFile)])
  return found.includes(true)
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

async function isEc2(vendorFile: string): Promise<boolean> {
  try {
    return (await readFile(vendorFile, 'utf8')).trim() === 'Amazon EC2'
  } catch {
    return false
  }
}
