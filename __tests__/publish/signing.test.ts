import { writeFileSync } from 'node:fs'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { writes } from './project.ts'
import { openWorkshop } from './workshop.ts'

const PLATFORMS = 'linux/amd64,linux/arm64'
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1'

test('index and platforms are signed with a key before any tag moves, and a second run adds nothing', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  const pair = await generateCosignKeyPair({ passphrase: 'secret' })
  writeFileSync(workshop.at('cosign.key'), pair.privateKey)
  const values = {
    images: `${registry.host}/team/app:v1`,
    platforms: PLATFORMS,
    layers: 'app/:/app/',
    sign: 'key',
    'sign-key': workshop.at('cosign.key'),
    'sign-password': 'secret',
  }
  const { report } = await workshop.publish(values)
  const subjects = [report.digest, ...report.platforms.map(({ digest }) => digest)]
  expect(report.signed?.signatures.map(({ subject }) => subject)).toEqual(expect.arrayContaining(subjects))
  expect(report.signed?.signatures).toHaveLength(3)
  const puts = registry.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'))
  expect(puts.at(-1)?.path).toContain('/manifests/v1')
  expect(puts.findIndex(({ path }) => path.endsWith('/v1'))).toBe(puts.length - 1)

  const mark = registry.requests.length
  const again = await workshop.publish(values)
  expect(again.report.signed?.signatures.every(({ existed }) => existed)).toBe(true)
  expect(writes(registry, mark)).toEqual([])
})

test('keyless: one certificate and one log entry a statement, whatever the number of platforms', async () => {
  await using registry = await startSpecRegistry()
  await using sigstore = await startSigstore()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  const values = {
    images: `${registry.host}/team/app:v1`,
    platforms: PLATFORMS,
    layers: 'app/:/app/',
    sign: 'keyless',
    provenance: 'true',
    sbom: 'true',
    'signing-config': sigstore.signingConfigFile,
    'trusted-root': sigstore.trustedRootFile,
  }
  const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
  expect(report.signed).toMatchObject({ refs: expect.any(Array) as unknown })
  expect(sigstore.requests.filter(({ service }) => service === 'fulcio')).toHaveLength(1)
  expect(report.signed?.signatures.filter(one => one.predicateType === SIGNATURE)).toHaveLength(3)
})
