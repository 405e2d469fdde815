import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PublishReport } from '../../src/publish/report.ts'
import type { SignedExisting } from '../../src/publish/sign-existing.ts'
import { openCosign, type CosignBench } from '../support/cosign.ts'
import { publishWithCli, runCli } from '../support/published.ts'
import { startRegistry, type RunningRegistry } from '../support/registries.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const ENV = { COSIGN_PASSWORD: 'correct horse ü' }
const IDENTITY = `https://github.com/${WORKFLOW}`

describe('from the command line', () => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let image: string
  let report: PublishReport

  beforeAll(async () => {
    registry = await startRegistry()
    cosign = await openCosign()
    image = `${registry.host}/team/app:v1`
    await mkdir(join(cosign.path, 'app'))
    await writeFile(join(cosign.path, 'app/hello'), 'x')
    await ours(['generate-key-pair'])
    await ours(['generate-key-pair', '--output-key-prefix', 'second'])
    report = await publish(['--sign', 'key', '--sign-key', 'cosign.key'])
  })

  afterAll(async () => {
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  const ours = async (args: readonly string[], env: NodeJS.ProcessEnv = ENV): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: cosign.path, env })
    if (exitCode !== 0) throw new Error(`oci-publish ${args.join(' ')}: ${exitCode}\n${stderr}`)
    return stdout
  }
  const publish = (args: readonly string[], env: NodeJS.ProcessEnv = ENV): Promise<PublishReport> => {
    const project = ['--layers', 'app/:/app/', '--platforms', 'linux/amd64,linux/arm64']
    return publishWithCli(['--images', image, ...project, ...args], { cwd: cosign.path, env })
  }

  test('an image is published and signed with a key pair of ours, and the printed commands verify it', async () => {
    const { signed, digest } = report
    expect(signed?.verifyCommands).toHaveLength(1)
    for (const command of signed?.verifyCommands ?? []) expect(await cosign.paste(command)).toContain(digest)
    expect(await ours(['verify', image, '--key', 'cosign.pub'])).toContain(digest)
  })

  test('what is published already is signed with a second key, once', async () => {
    const sign = ['sign', image, '--key', 'second.key', '--json']
    const first = JSON.parse(await ours(sign)) as SignedExisting
    expect(first.signatures.map(({ existed }) => existed)).toEqual([false, false, false])
    expect((JSON.parse(await ours(sign)) as SignedExisting).signatures.every(({ existed }) => existed)).toBe(true)
    for (const command of first.verifyCommands) expect(await cosign.paste(command)).toContain(first.root.digest)
  })

  test('a scan is attested, and nobody else is believed to have done so', async () => {
    await writeFile(join(cosign.path, 'scan.json'), '{"scanner":{"uri":"https://example.com"}}')
    await ours(['attest', image, '--key', 'cosign.key', '--predicate-type', 'vuln', '--predicate-path', 'scan.json'])
    const stated = await cosign.verifyAttestation('cosign3', image, 'vuln', { key: 'cosign.pub' })
    expect(stated.map(({ predicate }) => predicate)).toEqual([{ scanner: { uri: 'https://example.com' } }])
    await expect(ours(['verify', image, '--type', 'vuln', '--key', 'second.pub'])).rejects.toThrow(/not fit the key/)
  })

  test('in a job without a key, provenance and SBOMs are attested, and verified by what is printed', async () => {
    await using sigstore = await startSigstore()
    const services = ['--signing-config', sigstore.signingConfigFile, '--trusted-root', sigstore.trustedRootFile]
    const attests = ['--sign', 'keyless', '--provenance', '--sbom', '--bundle-file', 'bundles.jsonl']
    const { signed } = await publish([...attests, ...services], sigstore.oidcEnv)
    expect(signed?.verifyCommands).toHaveLength(3)
    for (const command of signed?.verifyCommands ?? []) expect(await cosign.paste(command)).not.toBe('')
    expect((await readFile(join(cosign.path, 'bundles.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(4)
    const who = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', GITHUB_ISSUER]
    const root = ['--trusted-root', sigstore.trustedRootFile]
    const type = ['--type', 'slsaprovenance1']
    expect(await ours(['verify', image, ...who, ...root, ...type])).toContain('sha256:')
  })
})
