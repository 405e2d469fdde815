import { readFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { runAction } from '../../src/action/run.ts'
import { FIELDS, type FieldName } from '../../src/publish/fields.ts'
import { publishAll } from '../../src/publish/publication.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { wire } from '../../src/wire.ts'
import { image, putApp } from '../publish/signed-projects.ts'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { recorder } from './recorder.ts'

/** Runs the action as a job of GitHub would, with its own wiring. */
async function runJob(
  workshop: Workshop,
  registry: SpecRegistry,
  given: Partial<Record<FieldName, string>>,
  env: NodeJS.ProcessEnv = {},
) {
  const fields: readonly { readonly name: string; readonly default?: string }[] = FIELDS
  const defaults = Object.fromEntries(fields.map(one => [one.name, one.default ?? '']))
  const values = { context: workshop.context, 'cache-dir': workshop.at('cache'), ...image(registry), ...given }
  const inputs = { ...defaults, ...values } as Readonly<Record<string, string>>
  const { runner, calls, outputs } = recorder(inputs)
  const summary = workshop.at('summary.md')
  writeFileSync(summary, '')
  const usual = { PATH: process.env['PATH'], HOME: workshop.at('home'), RUNNER_TEMP: workshop.at('temp') }
  const { exitCode } = process
  await runAction(runner, {
    env: { ...usual, GITHUB_STEP_SUMMARY: summary, ...env },
    signal: new AbortController().signal,
    publish: publishAll,
    wire,
  })
  process.exitCode = exitCode
  return { calls, outputs, summary: await readFile(summary, 'utf8') }
}

test('keyless, with a provenance that GitHub keeps: every output is set, and told in log and summary', async () => {
  await using registry = await startSpecRegistry()
  await using sigstore = await startSigstore()
  using workshop = openWorkshop()
  putApp(workshop)
  const { apiUrl, token } = sigstore.github
  const { calls, outputs, summary } = await runJob(
    workshop,
    registry,
    {
      ...{ sign: 'keyless', provenance: 'true', 'github-attestation': 'true', 'github-token': token },
      ...{ 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile },
    },
    {
      ...sigstore.oidcEnv,
      GITHUB_REPOSITORY: 'acme/app',
      GITHUB_API_URL: apiUrl,
      GITHUB_SERVER_URL: 'https://github.com',
    },
  )
  expect(calls.filter(call => call.startsWith('setFailed'))).toEqual([])
  const digest = String(outputs.get('digest'))
  const [ref, ...others] = String(outputs.get('signed')).split('\n')
  expect([ref, others.length]).toEqual([`${registry.host}/team/app@${digest}`, 2])
  const commands = String(outputs.get('cosign-verify-commands')).split('\n')
  expect(commands.map(one => one.split(' ').slice(0, 2).join(' '))).toEqual([
    'cosign verify',
    'cosign verify-attestation',
  ])
  expect(outputs.get('attestation-id')).toBe('1001')
  expect(outputs.get('attestation-url')).toBe('https://github.com/acme/app/attestations/1001')
  const path = String(outputs.get('bundle-path'))
  expect(path).toMatch(new RegExp(`^${RegExp.escape(workshop.at('temp'))}/oci-publish-\\w+-bundles\\.jsonl$`))
  expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(2)
  expect(calls).toContainEqual(expect.stringMatching(/^info: keyless: 3 manifests signed, https:\/\/slsa/))
  for (const command of commands) expect(calls).toContain(`info: ${command}`)
  expect(summary).toContain('keyless: 3 manifests signed')
  const [bearer = ''] = sigstore.requests
    .filter(({ service }) => service === 'fulcio')
    .map(({ body }) => /"oidcIdentityToken":"([^"]+)"/.exec(body.toString())?.[1])
  expect(calls.indexOf(`setSecret: ${bearer}`)).toBeGreaterThan(-1)
  expect(calls.filter(call => call.includes(bearer))).toEqual([`setSecret: ${bearer}`])
})

test('without id-token: write the job fails with the line to add, and nothing is pushed', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const { calls, outputs, summary } = await runJob(workshop, registry, { sign: 'keyless' })
  const failed = calls.filter(call => /^(?:error|setFailed)/.test(call)).join('\n')
  expect(failed).toContain('"permissions: { id-token: write, contents: read }"')
  expect(summary).toContain('permissions: { id-token: write, contents: read }')
  expect(outputs.size).toBe(0)
  expect(registry.requests).toEqual([])
})

test('a key and its password are hidden before anything else is said, and are said nowhere', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const password = 'hunter2-correct-horse'
  const { privateKey } = await generateCosignKeyPair({ passphrase: password })
  const given = { sign: 'key', 'sign-key': privateKey, 'sign-password': password }
  const { calls, outputs, summary } = await runJob(workshop, registry, given)
  const said = calls.filter(call => !call.startsWith('getInput'))
  const hidden = said.findLastIndex((call, i) => call.startsWith('setSecret') && i < 2)
  expect(said.slice(0, hidden + 1).toSorted()).toEqual(
    [`setSecret: ${password}`, `setSecret: ${privateKey}`].toSorted(),
  )
  expect(String(outputs.get('signed')).split('\n')).toHaveLength(3)
  const [, line = 'none'] = privateKey.split('\n')
  const shown = [...said.filter(call => !call.startsWith('setSecret')), summary, ...[...outputs.values()].map(String)]
  expect(shown.filter(text => text.includes(password) || text.includes(line))).toEqual([])
})
