import { generateKey, type PartialConfig } from 'openpgp'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChartMetadata } from '../../../src/artifact/helm/chart.ts'
import { chartArtifact } from '../../../src/artifact/helm/chart-manifest.ts'
import { packageChart } from '../../../src/artifact/helm/package-chart.ts'
import { checkProvenance, signChart, verifyProvenance } from '../../../src/artifact/helm/provenance.ts'
import { readChart } from '../../../src/artifact/helm/read-chart.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { collect } from '../../layer/layer-blob.ts'
import { tempDir } from '../../layer/temp-dir.ts'

const METADATA: ChartMetadata = {
  ...{ name: 'demo', version: '1.2.3+b', apiVersion: 'v2', appVersion: '1.10', description: '- dash\n' },
  dependencies: [{ name: 'lib', repository: '', alias: 'first' }],
}
const DIGEST = digestOf(Buffer.from('the package'))
const SUBJECT = { fileName: 'demo-1.2.3+b.tgz', digest: DIGEST, where: 'demo.tgz.prov' }
const config: PartialConfig = {}

async function newKey(passphrase?: string): Promise<{ privateKey: string; publicKey: string }> {
  return generateKey({
    ...{ type: 'ecc', userIDs: [{ name: 'Ann', email: 'ann@example.com' }], format: 'armored', config },
    date: new Date('2024-01-01T00:00:00Z'),
    ...(passphrase !== undefined && { passphrase }),
  })
}

test('a signed package verifies, by the key that signed it and by no other', async () => {
  const [{ privateKey, publicKey }, other] = await Promise.all([newKey('secret'), newKey()])
  const prov = await signChart(METADATA, DIGEST, { privateKey, passphrase: 'secret' })
  const text = Buffer.from(prov).toString()
  expect(text).toMatch(/^-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n/)
  expect(text).toContain(`\n\n...\nfiles:\n  "demo-1.2.3+b.tgz": ${DIGEST}\n`)
  expect(text).toContain('appVersion: "1.10"\n')
  expect(text).not.toContain('\r')
  await checkProvenance(prov, SUBJECT)
  expect(await verifyProvenance(prov, [other.publicKey, publicKey], 'x.prov')).toMatch(/^[0-9a-f]{16}$/)
  await expect(verifyProvenance(prov, [other.publicKey], 'x.prov')).rejects.toThrow(
    /^x\.prov is not signed by one of the given keys \([0-9a-f]{16}: /,
  )
  const forged = Buffer.from(text.replace('name: "demo"', 'name: "evil"'))
  await expect(verifyProvenance(forged, [publicKey], 'x.prov')).rejects.toMatchObject({ code: 'INVALID_PROVENANCE' })
})

test('signing again gives the same bytes, so that an unchanged chart stays unchanged', async () => {
  const { privateKey } = await newKey()
  const first = await signChart(METADATA, DIGEST, { privateKey })
  expect(await signChart(METADATA, DIGEST, { privateKey: Buffer.from(privateKey) })).toEqual(first)
  const dated = await signChart(METADATA, DIGEST, { privateKey }, { created: 1_750_000_000 })
  expect(dated).not.toEqual(first)
  expect(await signChart(METADATA, DIGEST, { privateKey }, { created: 1 })).toEqual(first)
})

describe('a key that cannot sign is refused, and the user is told why', () => {
  test.each([
    ['no key', 'x', undefined, 'it cannot be read'],
    ['a wrong passphrase', 'locked', 'wrong', 'the passphrase does not open it'],
    ['no passphrase', 'locked', undefined, 'it is locked'],
    ['a public key', 'public', undefined, 'it cannot be read'],
  ])('%s', async (_name, which, passphrase, expected) => {
    const { privateKey, publicKey } = await newKey('secret')
    const key = { locked: privateKey, public: publicKey }[which] ?? which
    await expect(signChart(METADATA, DIGEST, { privateKey: key, passphrase })).rejects.toMatchObject({
      code: 'INVALID_KEY',
      message: expect.stringContaining(expected) as unknown,
    })
  })
})

test('a key that has expired does not sign, though its signature would be dated before', async () => {
  const { privateKey } = await generateKey({
    ...{ type: 'ecc', userIDs: [{ name: 'Ann' }], format: 'armored', keyExpirationTime: 3600 },
    date: new Date('2024-01-01T00:00:00Z'),
  })
  await expect(signChart(METADATA, DIGEST, { privateKey })).rejects.toThrow(
    'the PGP key: it has expired on 2024-01-01T01:00:00.000Z',
  )
})

describe('a .prov file of something else is refused', () => {
  test.each([
    [
      'another package',
      { ...SUBJECT, digest: digestOf(Buffer.from('x')) },
      'was made for another package: it says sha256:',
    ],
    [
      'another name',
      { ...SUBJECT, fileName: 'demo-1.2.3.tgz' },
      'says nothing of demo-1.2.3.tgz, but of demo-1.2.3+b.tgz',
    ],
  ])('%s', async (_name, subject, expected) => {
    const { privateKey } = await newKey()
    const prov = await signChart(METADATA, DIGEST, { privateKey })
    await expect(checkProvenance(prov, subject)).rejects.toThrow(`demo.tgz.prov ${expected}`)
  })

  test('no message at all', async () => {
    await expect(checkProvenance(Buffer.from('x'), SUBJECT)).rejects.toThrow('demo.tgz.prov is no clear-signed message')
  })
})

test('the .prov beside a package comes along as its second layer, and must be of it', async () => {
  using dir = tempDir()
  dir.put({ 'ver/Chart.yaml': 'apiVersion: v2\nname: ver\nversion: 1.0.0+x\n' })
  const { privateKey } = await newKey()
  const source = await readChart(join(dir.path, 'ver'))
  const content = await packageChart(source)
  const prov = await signChart(source.metadata, content.descriptor.digest, { privateKey })
  const path = join(dir.path, 'any-name.tgz')
  writeFileSync(path, await collect(content.open()))
  writeFileSync(`${path}.prov`, prov)
  const chart = await readChart(path)
  const artifact = chartArtifact(chart, await packageChart(chart))
  const { layers } = JSON.parse((await collect(artifact.manifest.open())).toString()) as { layers: unknown[] }
  expect(layers[1]).toEqual({
    mediaType: 'application/vnd.cncf.helm.chart.provenance.v1.prov',
    digest: digestOf(prov),
    size: prov.byteLength,
    annotations: { 'org.opencontainers.image.title': 'ver-1.0.0+x.tgz.prov' },
  })
  writeFileSync(`${path}.prov`, await signChart(source.metadata, DIGEST, { privateKey }))
  await expect(readChart(path)).rejects.toMatchObject({ code: 'INVALID_PROVENANCE' })
})
