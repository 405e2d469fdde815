import { runCli } from '../../src/cli/program.ts'
import { copyImage } from '../../src/copy/copy-image.ts'
import { copyTags } from '../../src/copy/copy-tags.ts'
import type { Reference } from '../../src/oci/reference.ts'
import type { PublishDeps } from '../../src/publish/deps.ts'
import { publish } from '../../src/publish/publish.ts'
import { wire } from '../../src/wire.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

/** Runs a command line on everything real; it is wrong, so that nothing is reached. */
async function run(line: string, env: NodeJS.ProcessEnv = {}) {
  const { io, out, err } = fakeIo()
  const locate = (reference: Reference, deps: PublishDeps) => deps.locate(reference)
  const { signal } = new AbortController()
  const parts = { ...ARTIFACT_PARTS, publish, copy: copyImage, copyTags, wire, locate, env, signal, version: '0' }
  const exitCode = await runCli(line.split(' '), io, parts)
  return { exitCode, out: out(), err: err() }
}

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
])('%s: exit code 2, and everything that is wrong in one error', async (line, told) => {
  const { exitCode, out, err } = await run(line, { OCI_PUBLISH_REGISTRY_AUTH: 'ghcr.io' })
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
  const [first, ...problems] = err.trimEnd().split('\n')
  expect(first).toMatch(/^error: the request is wrong: \d+ problems$/)
  for (const one of ['--registry-auth: it is no list', ...told]) expect(problems.join('\n')).toContain(`  ${one}`)
})
