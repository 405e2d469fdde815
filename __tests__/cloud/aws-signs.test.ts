import { join } from 'node:path'
import { hasAwsSigns } from '../../src/cloud/aws-signs.ts'
import { tempDir } from '../layer/temp-dir.ts'

describe('AWS is asked only by those who may be somebody there', () => {
  test.each<[where: string, env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>>, expected: boolean]>([
    ['a plain machine', {}, {}, false],
    ['variables that are empty', { AWS_ACCESS_KEY_ID: '', AWS_REGION: 'eu-west-1' }, {}, false],
    ['keys in the environment', { AWS_ACCESS_KEY_ID: 'AKIA' }, {}, true],
    ['a pod with a role', { AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }, {}, true],
    ['a container of ECS', { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2' }, {}, true],
    ['a developer', {}, { 'home/.aws/config': '' }, true],
    ['a developer with keys', {}, { 'home/.aws/credentials': '' }, true],
    ['a machine of EC2', {}, { vendor: 'Amazon EC2\n' }, true],
    ['a machine of somebody else', {}, { vendor: 'Microsoft Corporation\n' }, false],
  ])('%s: %#', async (_where, env, files, expected) => {
    using dir = tempDir()
    dir.put(files)
    expect(await hasAwsSigns({ env, home: join(dir.path, 'home'), vendorFile: join(dir.path, 'vendor') })).toBe(
      expected,
    )
  })
})
