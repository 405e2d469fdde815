import { readFileSync, writeFileSync } from 'node:fs'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { WORKFLOW, GITHUB_ISSUER } from '../support/sigstore/tokens.ts'
import { verifyWithUs } from '../support/signing.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'
import { writes } from './project.ts'
import { added, byKey, image, keyless, PROVENANCE, putApp, putKey, SIGNATURE } from './signed-projects.ts'
import { openWorkshop } from './workshop.ts'

const CYCLONEDX = 'https://cyclonedx.org/bom'
const VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1'
const IDENTITY = `identity=https://github.com/${WORKFLOW},issuer=${GITHUB_ISSUER}`

test('index and platforms are signed with a key before any tag moves', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const pair = await generateCosignKeyPair({ passphrase: 'secret' })
  writeFileSync(workshop.at('cosign.key'), pair.privateKey)
  writeFileSync(workshop.at('cosign.pub'), pair.publicKey)
  const values = { ...image(registry), ...byKey({ key: workshop.at('cosign.key') }), 'sign-password': 'secret' }
  const { report } = await workshop.publish(values)
  const subjects = [report.digest, ...report.platforms.map(({ digest }) => digest)]
  expect(report.signed?.refs).toEqual(subjects.map(digest => `${registry.host}/team/app@${digest}`))
  expect(report.signed?.signatures.map(({ subject }) => subject).toSorted()).toEqual(subjects.toSorted())
  const puts = writes(registry).filter(one => one.includes('/manifests/'))
  expect(puts.at(-1)).toBe('PUT /v2/team/app/manifests/v1')
  expect(puts.filter(one => one.endsWith('/v1'))).toHaveLength(1)
  for (const digest of subjects) {
    await expect(
      verifyWithUs(`${registry.host}/team/app@${digest}`, `key=${workshop.at('cosign.pub')}`),
    ).resolves.toBeDefined()
  }
})

test('a registry without a list of referrers knows the signatures before the tag', async () => {
  await using registry = await startSpecRegistry({ referrers: false })
  using workshop = openWorkshop()
  putApp(workshop)
  const key = putKey(workshop)
  const { report } = await workshop.publish({ ...image(registry), ...byKey(key) })
  const fallback = report.digest.replace(':', '-')
  const tags = registry.landed.filter(({ what }) => what === 'tag').map(({ name }) => name)
  expect(tags).toContain(fallback)
  expect(tags.at(-1)).toBe('v1')
  await expect(verifyWithUs(`${registry.host}/team/app:v1`, `key=${key.pub}`)).resolves.toBeDefined()
})

describe('however much is published, there is one certificate, and one log entry a statement', () => {
  const count = (sigstore: { readonly requests: readonly { readonly service: string }[] }, name: string): number =>
    sigstore.requests.filter(({ service }) => service === name).length

  test('in two registries and a layout, each of which has its signatures', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry({ referrers: false })
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = {
      ...image(registry, { images: `${registry.host}/team/app:v1\n${other.host}/team/app:v1` }),
      ...keyless(sigstore),
      outputs: `type=oci,dest=${workshop.at('out')}`,
    }
    const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(['fulcio', 'rekor', 'tsa'].map(one => count(sigstore, one))).toEqual([1, 1, 1])
    expect(added(report.signed)).toHaveLength(9)
    expect(new Set(added(report.signed).map(({ ref }) => ref.split('@')[1]))).toHaveProperty('size', 3)
    const policy = `${IDENTITY},trusted-root=${sigstore.trustedRootFile}`
    for (const name of [`${registry.host}/team/app:v1`, `${other.host}/team/app:v1`, `oci:${workshop.at('out')}:v1`]) {
      const { verified } = await verifyWithUs(name, policy)
      expect(verified).not.toEqual([])
    }
  })

  test('of an image and the chart that installs it', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    workshop.put({
      'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\n',
      'web/values.yaml': 'image:\n  repository: nginx\n  tag: ""\n',
    })
    const values = {
      ...image(registry, { chart: 'web', 'chart-repository': `oci://${registry.host}/charts/web` }),
      ...keyless(sigstore, { 'bundle-file': workshop.at('bundles.jsonl') }),
    }
    const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(['fulcio', 'rekor'].map(one => count(sigstore, one))).toEqual([1, 2])
    const chart = `${registry.host}/charts/web@${report.chart?.digest ?? ''}`
    expect(report.signed?.refs).toContain(chart)
    expect(report.signed?.refs).toHaveLength(4)
    expect(report.signed?.verifyCommands.map(one => one.split(' ').at(-1))).toEqual([
      `${registry.host}/team/app@${report.digest}`,
      chart,
    ])
    expect(readFileSync(workshop.at('bundles.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2)
  })

  test('with a provenance, an SBOM of each platform and a predicate', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    writeFileSync(workshop.at('scan.json'), '{"scanner": {"uri": "x"}}')
    const more = {
      provenance: 'true',
      sbom: 'true',
      'predicate-type': 'vuln',
      'predicate-path': workshop.at('scan.json'),
    }
    const { report } = await workshop.publish(
      { ...image(registry), ...keyless(sigstore, more) },
      { env: sigstore.oidcEnv },
    )
    expect(['fulcio', 'rekor'].map(one => count(sigstore, one))).toEqual([1, 5])
    const types = report.signed?.signatures.map(one => one.predicateType) ?? []
    const times = (type: string): number => types.filter(one => one === type).length
    // An SBOM hangs on its platform, and on the index.
    expect([SIGNATURE, PROVENANCE, VULN, CYCLONEDX].map(times)).toEqual([3, 3, 3, 4])
    expect(report.signed?.verifyCommands.map(one => /^cosign (\S+(?: --type \S+)?)/.exec(one)?.[1])).toEqual([
      'verify',
      'verify-attestation --type slsaprovenance1',
      'verify-attestation --type vuln',
      'verify-attestation --type cyclonedx',
    ])
  })
})

test('a key and an identity sign side by side, and each verifies alone', async () => {
  await using registry = await startSpecRegistry()
  await using sigstore = await startSigstore()
  using workshop = openWorkshop()
  putApp(workshop)
  const key = putKey(workshop)
  const values = { ...image(registry), ...byKey(key), ...keyless(sigstore), sign: 'key, keyless' }
  const { report } = await workshop.publish(values, { env: sigstore.oidcEnv })
  expect(new Set(report.signed?.signatures.map(({ by }) => by))).toEqual(new Set([`the key ${key.key}`, 'keyless']))
  const name = `${registry.host}/team/app:v1`
  const root = `trusted-root=${sigstore.trustedRootFile}`
  for (const policy of [`key=${key.pub},${root}`, `${IDENTITY},${root}`]) {
    await expect(verifyWithUs(name, policy)).resolves.toBeDefined()
  }
})

test('files are signed as an artifact', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'model.bin': 'weights' })
  const key = putKey(workshop)
  const values = { files: 'model.bin', images: `${registry.host}/team/model:v1`, provenance: 'true', ...byKey(key) }
  const { report } = await workshop.publish(values)
  expect(report.signed?.refs).toEqual([`${registry.host}/team/model@${report.digest}`])
  expect(report.signed?.signatures.map(one => one.predicateType)).toEqual([SIGNATURE, PROVENANCE])
  await expect(verifyWithUs(`${registry.host}/team/model:v1`, `key=${key.pub}`)).resolves.toBeDefined()
})

describe('a layout', () => {
  test.each([
    ['in a directory', 'oci', ''],
    ['in an archive', 'oci-archive', ',tar'],
  ])('%s is signed too, in the newer form alone, which is told', async (_what, kind, more) => {
    using workshop = openWorkshop()
    putApp(workshop)
    const key = putKey(workshop)
    const path = workshop.at('out')
    const { report, events } = await workshop.publish({
      ...{ layers: 'app/:/app/', platforms: 'linux/amd64,linux/arm64', tags: 'v1', push: 'false' },
      outputs: `type=oci,dest=${path}${more}`,
      ...byKey(key, { 'signature-format': 'both' }),
    })
    expect(added(report.signed).map(({ form }) => form)).toEqual(['bundle', 'bundle', 'bundle'])
    expect(report.signed?.verifyCommands).toEqual([]) // cosign reads no layouts by name
    expect(events).toContainEqual({
      type: 'notice',
      text: `${kind}:${path} gets no signatures in the older form, which are of repositories`,
    })
    const { verified } = await verifyWithUs(`${kind}:${path}:v1`, `key=${key.pub}`)
    expect(verified).not.toEqual([])
  })
})

describe('nothing is signed', () => {
  test('where nothing is pushed; it is told, and needs no identity', async () => {
    using workshop = openWorkshop()
    putApp(workshop)
    const { report, events } = await workshop.publish({
      ...{ layers: 'app/:/app/', platforms: 'linux/amd64', push: 'false' },
      ...{ sign: 'keyless', provenance: 'true' },
    })
    expect(events).toContainEqual({ type: 'notice', text: 'nothing is pushed, so nothing is signed' })
    expect(report.signed).toBeUndefined()
  })

  test('in a dry run, which finds out all the same whether the keys are right', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const key = putKey(workshop)
    const values = { ...image(registry), ...byKey(key), provenance: 'true', 'dry-run': 'true' }
    const { report } = await workshop.publish(values)
    expect(report.signed).toMatchObject({ refs: [], signatures: [], verifyCommands: [], attestations: [] })
    expect(writes(registry)).toEqual([])
    await expect(workshop.publish({ ...values, 'sign-key': workshop.at('none.key') })).rejects.toThrow('sign-key')
  })

  test('in a dry run by an identity, for which no certificate is made', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const values = { ...image(registry), ...keyless(sigstore), 'dry-run': 'true' }
    await workshop.publish(values, { env: sigstore.oidcEnv })
    expect(sigstore.requests.filter(({ service }) => service !== 'oidc')).toEqual([])
  })
})

describe('bundles in a file', () => {
  test.each([true, false])('are one a line, as they hang on the image (named by the user: %s)', async isNamed => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const bundleFile = workshop.at('bundles.jsonl')
    const values = {
      ...image(registry, isNamed ? { 'bundle-file': bundleFile } : {}),
      ...byKey(putKey(workshop), { provenance: 'true' }),
    }
    const { report } = await workshop.publish(values, isNamed ? {} : { bundleFile })
    expect(report.signed?.bundlePath).toBe(bundleFile)
    const lines = readFileSync(bundleFile, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    const types = lines.map(line => {
      const { dsseEnvelope } = JSON.parse(line) as { dsseEnvelope: { payload: string } }
      const statement: unknown = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())
      return (statement as { predicateType: string }).predicateType
    })
    expect(types).toEqual([SIGNATURE, PROVENANCE])
    const again = await workshop.publish(values, isNamed ? {} : { bundleFile: workshop.at('other.jsonl') })
    expect(again.report.signed).not.toHaveProperty('bundlePath')
  })
})

test('an attestation is kept at GitHub too, and its id and page are told; signatures are not', async () => {
  await using registry = await startSpecRegistry()
  await using sigstore = await startSigstore()
  using workshop = openWorkshop()
  putApp(workshop)
  const { apiUrl, token, bundles } = sigstore.github
  const values = {
    ...image(registry),
    ...keyless(sigstore, { provenance: 'true', 'github-attestation': 'true', 'github-token': token }),
  }
  const env = { ...sigstore.oidcEnv, GITHUB_REPOSITORY: 'acme/app', GITHUB_API_URL: apiUrl }
  const { report } = await workshop.publish(values, { env })
  expect(report.signed?.attestations).toEqual([{ id: '1001', url: 'https://github.com/acme/app/attestations/1001' }])
  expect(bundles).toEqual([
    expect.objectContaining({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }) as unknown,
  ])
})

describe('secrets', () => {
  test('are hidden before anything is done with them, and are nowhere in what is told, published or kept', async () => {
    await using registry = await startSpecRegistry()
    await using sigstore = await startSigstore()
    using workshop = openWorkshop()
    putApp(workshop)
    const password = 'hunter2-correct-horse'
    const pair = await generateCosignKeyPair({ passphrase: password })
    const values = {
      ...image(registry, { 'bundle-file': workshop.at('bundles.jsonl') }),
      ...keyless(sigstore, { provenance: 'true', sign: 'key, keyless', 'sign-password': password }),
      'sign-key': pair.privateKey,
    }
    const { report, events, secrets } = await workshop.publish(values, { env: sigstore.oidcEnv })
    const tokens = sigstore.requests
      .filter(({ service }) => service === 'fulcio')
      .map(
        ({ body }) =>
          (JSON.parse(body.toString()) as { credentials: { oidcIdentityToken: string } }).credentials.oidcIdentityToken,
      )
    const [token = 'none'] = tokens
    expect(secrets).toEqual(expect.arrayContaining([password, pair.privateKey.trim(), token]))
    const blobs = await Promise.all(
      registry.landed.filter(({ what }) => what === 'blob').map(({ name }) => registry.blob('team/app', name)),
    )
    const told = [
      JSON.stringify([report, events]),
      readFileSync(workshop.at('bundles.jsonl'), 'utf8'),
      ...blobs.map(one => one?.toString('latin1') ?? ''),
    ]
    const payloads = told.flatMap(text =>
      [...text.matchAll(/"payload":"([^"]+)"/g)].map(([, one = '']) => Buffer.from(one, 'base64').toString()),
    )
    expect(payloads.some(one => one.includes(PROVENANCE))).toBe(true)
    const [, line = 'none'] = pair.privateKey.split('\n')
    for (const secret of [password, line, token, sigstore.oidcEnv['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? 'none']) {
      expect([...told, ...payloads].filter(text => text.includes(secret))).toEqual([])
    }
  })
})

test('the commands name what is to be typed: a public key by its file, no log where there is none', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const key = putKey(workshop)
  const { report } = await workshop.publish({ ...image(registry), ...byKey(key), provenance: 'true' })
  const ref = `${registry.host}/team/app@${report.digest}`
  expect(report.signed?.verifyCommands).toEqual([
    `cosign verify --key ${key.pub} --insecure-ignore-tlog ${ref}`,
    `cosign verify-attestation --type slsaprovenance1 --key ${key.pub} --insecure-ignore-tlog ${ref}`,
  ])
})
