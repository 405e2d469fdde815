import { COMMANDS } from '../../src/cli/program/commands.ts'
import { runReal } from './real.ts'

const WRONG = '--registry-profile r.example=none --role-to-assume me'
const TOLD = ['--registry-profile: "none" is not one of ', '--role-to-assume: "me" is not the ARN of a role']

test.each<[line: string, told: readonly string[]]>([
  [`copy r.example/A s.example/b ${WRONG} --upload slowly`, [...TOLD, 'FROM: ', '--upload: "slowly" is not one of']],
  [`copy r.example/a s.example/b ${WRONG} --ecr-scan-on-push maybe`, [...TOLD, '--ecr-scan-on-push: "maybe" is not']],
  [`copy r.example/a:v1 oci:dir:y --all-tags --include / ${WRONG}`, [...TOLD, 'FROM: ', 'TO: ', '--include: "/" is']],
  [`copy r.example/a s.example/b --exclude v1 ${WRONG}`, [...TOLD, '--exclude: is for --all-tags only']],
  [`inspect r.example/A ${WRONG}`, [...TOLD, 'REFERENCE: ']],
  [`tags oci:out ${WRONG} --password x`, [...TOLD, 'REPOSITORY: "oci:out"', '--password: secrets are not taken']],
  [
    `publish --images r.example/a --tags - --layers x ${WRONG} --upload slowly`,
    [...TOLD, '--tags: ', '--layers: ', '--upload'],
  ],
  [
    `plan --images r.example/a --tags - --index no ${WRONG} --password x`,
    [...TOLD, '--tags: ', '--index: ', '--password: '],
  ],
  [`publish --chart none --images r.example/a ${WRONG} --upload never`, [...TOLD, '--upload', '--chart: ']],
  [
    `publish --chart none --images r.example/a ${WRONG} --chart-sign-key /nonexistent`,
    [...TOLD, '--chart-sign-key: secrets are not taken'],
  ],
  [`publish --files none --artifact-type a/b --images r.example/a ${WRONG}`, [...TOLD, '--files: ']],
  [`artifact push r.example/A none --upload never ${WRONG}`, [...TOLD, '--upload', 'FILES: ', 'TO: ']],
  [
    `attach r.example/A none.txt --artifact-type x ${WRONG}`,
    [...TOLD, '--artifact-type: ', '--subject: ', '--files: '],
  ],
  [`sign r.example/A --fulcio-url x --upload never ${WRONG}`, [...TOLD, 'REFERENCE: ', '--fulcio-url: ', '--upload']],
  [`attest r.example/A --keyless ${WRONG}`, [...TOLD, 'REFERENCE: ', '--predicate-type: is missing']],
  [`discover r.example/A ${WRONG}`, [...TOLD, 'REFERENCE: ']],
  [`pull r.example/A --platform x ${WRONG}`, [...TOLD, 'REFERENCE: ', '--platform: ']],
  [`sbom r.example/A --platform x ${WRONG}`, [...TOLD, 'REFERENCE: ', '--platform: ']],
  [`verify r.example/A ${WRONG}`, [...TOLD, 'REFERENCE: ', '--key: ']],
])('%s: exit code 2, and everything that is wrong in one error', async (line, told) => {
  const { exitCode, out, err } = await runReal(line, { OCI_PUBLISH_REGISTRY_AUTH: 'ghcr.io' })
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
  const [first, ...problems] = err.trimEnd().split('\n')
  expect(first).toMatch(/^error: the request is wrong: \d+ problems$/)
  for (const one of ['--registry-auth: it is no list', ...told]) expect(problems.join('\n')).toContain(`  ${one}`)
  expect(new Set(problems).size).toBe(problems.length)
})

/** How registries are reached, and what may be wrong with that. */
const CONNECTION = [
  ['--registry-profile foo=bar', {}, '--registry-profile: "bar" is not one of '],
  ['--plain-http http://r.example', {}, '--plain-http: "http://r.example" is not a host'],
  ['--registry https://r.example', {}, '--registry: "https://r.example" is not a host'],
  ['--aws-region Frankfurt', {}, '--aws-region: "Frankfurt" is not a region'],
  ['', { OCI_PUBLISH_REGISTRY_AUTH: 'ghcr.io' }, '--registry-auth: it is no list'],
  ['', { OCI_PUBLISH_PASSWORD: 'hunter22' }, '--username: is missing, and a password is given'],
  ['--username me', {}, '--password: is missing, and a username is given'],
  ['--password hunter22', {}, '--password: secrets are not taken from the command line'],
] as const

/** A request of each command that is right. */
const RIGHT: Readonly<Record<string, string>> = {
  publish: 'publish --images 127.0.0.1:1/a --layers package.json:/',
  plan: 'plan --images 127.0.0.1:1/a --layers package.json:/',
  artifact: 'artifact push 127.0.0.1:1/a package.json --artifact-type a/b',
  copy: 'copy 127.0.0.1:1/a 127.0.0.1:1/b',
  inspect: 'inspect 127.0.0.1:1/a',
  tags: 'tags 127.0.0.1:1/a',
  attach: 'attach 127.0.0.1:1/a package.json --artifact-type a/b',
  discover: 'discover 127.0.0.1:1/a',
  pull: 'pull 127.0.0.1:1/a',
  sbom: 'sbom 127.0.0.1:1/a',
  sign: 'sign 127.0.0.1:1/a --keyless',
  attest: 'attest 127.0.0.1:1/a --keyless --predicate-type vuln --predicate-path package.json',
  verify: 'verify 127.0.0.1:1/a --key cosign.pub',
}
const ASKING = COMMANDS.map(({ name }) => name).filter(name => name !== 'generate-key-pair')

describe.each(ASKING)('%s', name => {
  test.each(CONNECTION)('%s %j is refused, before anything is reached', async (flags, env, told) => {
    const { exitCode, out, err } = await runReal(`${RIGHT[name]} ${flags}`.trim(), env)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain(`  ${told}`)
    expect(err).not.toContain('hunter22')
  })
})

test("variables of other commands are no mistake, cosign's least of all", async () => {
  const env = { COSIGN_PASSWORD: 'x', OCI_PUBLISH_CHART_SIGN_KEY: 'k', OCI_PUBLISH_CHART_SIGN_PASSPHRASE: 'p' }
  const { err } = await runReal('publish --images r.example/a --layers none:/ --chart-version 1', env)
  expect(err.match(/^ {2}--[a-z-]+/gm)).toEqual(['  --chart-version', '  --layers'])
})
