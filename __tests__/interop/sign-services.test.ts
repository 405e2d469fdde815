import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openWorkshop, type Workshop } from '../publish/workshop.ts'
import { newKeyPair, openCosign } from '../support/cosign.ts'
import { run } from '../support/peers.ts'
import { REGISTRIES, startRegistry, type Password } from '../support/registries.ts'
import { verifyWithUs, wholeSeconds as now } from '../support/signing.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IMAGE = { platforms: 'linux/amd64,linux/arm64', layers: 'app/:/app/' }

function openProject(): Workshop {
  const workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  return workshop
}

test('with a token from any CI, and services that are named one by one, what is printed verifies it', async () => {
  await using registry = await startRegistry()
  await using sigstore = await startSigstore({ rekor: 2, now })
  await using cosign = await openCosign()
  using workshop = openProject()
  const values = {
    ...{ ...IMAGE, images: `${registry.host}/team/app:v1`, sign: 'keyless', 'trusted-root': sigstore.trustedRootFile },
    ...{ 'fulcio-url': sigstore.fulcioUrl, 'rekor-url': sigstore.rekorUrl, 'rekor-version': '2' },
    ...{ 'tsa-url': sigstore.tsaUrl ?? '' },
  }
  const { report } = await workshop.publish(values, { env: { SIGSTORE_ID_TOKEN: sigstore.token() } })
  expect(sigstore.requests.map(({ service }) => service)).toEqual(['fulcio', 'rekor', 'tsa'])
  expect(report.signed?.verifyCommands).toHaveLength(1)
  for (const command of report.signed?.verifyCommands ?? [])
    expect(await cosign.paste(command)).toContain(report.digest)
})

test.each([
  { rekor: 1, tsa: false },
  { rekor: 2, tsa: false },
  { rekor: 2, tsa: true },
] as const)(
  'with a key and a log (Rekor $rekor, timestamps: $tsa), the log is verified too',
  async ({ rekor, tsa }) => {
    await using registry = await startRegistry()
    await using sigstore = await startSigstore({ rekor, tsa, now })
    await using cosign = await openCosign()
    using workshop = openProject()
    const { pub, signs } = await newKeyPair(cosign.path)
    const values = {
      ...{ ...IMAGE, ...signs, images: `${registry.host}/team/app:v1`, 'trusted-root': sigstore.trustedRootFile },
      ...{
        'rekor-url': sigstore.rekorUrl,
        'rekor-version': `${rekor}`,
        ...(tsa && { 'tsa-url': sigstore.tsaUrl ?? '' }),
      },
    }
    const { report } = await workshop.publish(values)
    const [command = '', ...more] = report.signed?.verifyCommands ?? []
    expect(more).toEqual([])
    expect(command).not.toContain('insecure')
    expect(await cosign.paste(command)).toContain(report.digest)
    const policy = `key=${pub},trusted-root=${sigstore.trustedRootFile}`
    expect((await verifyWithUs(`${registry.host}/team/app:v1`, policy)).verified[0]?.signatures).toMatchObject([
      { logIndexes: [expect.any(String)] },
    ])
    // A log that the verifier does not know is none.
    await using other = await startSigstore({ rekor, tsa, now })
    const elsewhere = command.replace(sigstore.trustedRootFile, other.trustedRootFile)
    await expect(cosign.paste(elsewhere)).rejects.toThrow(/exit code/)
  },
)

test.each(REGISTRIES.filter(({ passwords }) => passwords))(
  'the login of the run is enough to sign where a password is asked for: $name',
  async ({ start }) => {
    const password: Password = { username: 'ci', password: 'open: sesame' }
    await using registry = await start({ password })
    await using cosign = await openCosign()
    using workshop = openProject()
    const { pub: key, signs } = await newKeyPair(cosign.path)
    const image = `${registry.host}/team/app:v1`
    const login = { registry: registry.host, ...password }
    await workshop.publish({ ...IMAGE, ...signs, ...login, images: image, 'signature-format': 'both' })
    const auth = Buffer.from(`${password.username}:${password.password}`).toString('base64')
    await expect(cosign.verify('cosign3', image, { key })).rejects.toThrow(/UNAUTHORIZED/)
    await writeFile(join(cosign.path, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
    expect(await cosign.verify('cosign3', image, { key })).toHaveLength(1)
    expect(await cosign.verify('cosign3', image, { key }, '--new-bundle-format=false')).toHaveLength(1)
  },
)

test('a certificate of somebody with the same name at another issuer is told apart by what is printed', async () => {
  await using registry = await startRegistry()
  await using sigstore = await startSigstore({ now, claims: { iss: 'https://ci.example.com' } })
  await using cosign = await openCosign()
  using workshop = openProject()
  const services = { 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile }
  const values = { ...IMAGE, images: `${registry.host}/team/app:v1`, sign: 'keyless', ...services }
  const { report } = await workshop.publish(values, { env: { SIGSTORE_ID_TOKEN: sigstore.token() } })
  const [command = ''] = report.signed?.verifyCommands ?? []
  expect(command).toContain('--certificate-oidc-issuer https://ci.example.com ')
  expect(await cosign.paste(command)).toContain(report.digest)
  const trust = { identity: `https://github.com/${WORKFLOW}`, trustedRoot: sigstore.trustedRootFile }
  const asked = cosign.verify('cosign3', `${registry.host}/team/app:v1`, { ...trust, issuer: GITHUB_ISSUER })
  await expect(asked).rejects.toThrow(/expected issuer value/)
})

test('an image and its chart, for two registries at once, cost one certificate and one log entry each', async () => {
  await using first = await startRegistry()
  await using second = await startRegistry({ referrers: true })
  await using sigstore = await startSigstore({ now })
  await using cosign = await openCosign()
  using workshop = openProject()
  await run('helm3', ['create', 'web'], { cwd: workshop.context })
  const services = { 'signing-config': sigstore.signingConfigFile, 'trusted-root': sigstore.trustedRootFile }
  const images = [first, second].map(({ host }) => `${host}/team/app`)
  const charts = [first, second].map(({ host }) => `${host}/charts`)
  const values = {
    ...IMAGE,
    ...services,
    images,
    tags: 'v1',
    chart: 'web',
    'chart-repository': charts,
    sign: 'keyless',
  }
  const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
  const asked = sigstore.requests.map(({ service }) => service)
  expect(asked.filter(service => service === 'fulcio')).toHaveLength(1)
  expect(asked.filter(service => service === 'rekor')).toHaveLength(2)
  const commands = report.signed?.verifyCommands ?? []
  expect(commands).toHaveLength(4)
  for (const command of commands) expect(await cosign.paste(command)).toContain('sha256:')
})
