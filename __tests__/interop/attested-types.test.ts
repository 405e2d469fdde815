import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localPlace } from '../../src/attest/build-place.ts'
import { provenance } from '../../src/attest/provenance.ts'
import { attestationStatements } from '../../src/attest/statements.ts'
import { createTransport } from '../../src/http/client.ts'
import { parseImageIndex } from '../../src/oci/image-index.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import { signEverywhere } from '../../src/sign/sign.ts'
import { CYCLONEDX_DOCUMENT, SPDX_DOCUMENT } from '../artifact/sbom-documents.ts'
import { pushIndex } from '../support/base-images.ts'
import { run, temporaryDirectory, type TemporaryDirectory } from '../support/peers.ts'
import { startRegistry, type RunningRegistry } from '../support/registries.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('attestations, as cosign looks for them', () => {
  let registry: RunningRegistry
  let directory: TemporaryDirectory
  let index: string
  let platforms: readonly string[]

  beforeAll(async () => {
    registry = await startRegistry()
    directory = await temporaryDirectory()
    const name = `${registry.host}/team/app`
    await pushIndex(`${name}:v1`)
    const transport = createTransport({ version: '0' })
    const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
    const target = openRepository({ host: registry.host, repository: 'team/app' }, { hosts, side: 'target' })
    const root = await target.resolve('v1')
    const raw = await run('crane', ['manifest', `${name}:v1`])
    const members = parseImageIndex(utf8(raw), 'v1').manifests
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(join(directory.path, 'cosign.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
    const [amd64, arm64] = members.map(({ digest }) => digest)
    if (!amd64 || !arm64) throw new Error('the index has no two platforms')
    const stated = attestationStatements({
      subjects: { index: root.digest, platforms: [amd64, arm64] },
      name,
      provenance: provenance({ where: localPlace(), inputs: { images: [name] }, materials: [], version: '1' }),
      sboms: [
        { platform: amd64, mediaType: 'application/vnd.cyclonedx+json', bytes: utf8(CYCLONEDX_DOCUMENT) },
        { platform: arm64, mediaType: 'application/spdx+json', bytes: utf8(SPDX_DOCUMENT) },
      ],
      predicates: [{ type: 'https://example.com/review/v1', predicate: { by: ['a', 'b'] } }],
    })
    const signer = keySigner(privateKey)
    const by = { publicKey }
    const means = {
      title: 'a key',
      expected: by,
      identity: () => Promise.resolve({ signer, by }),
      witnesses: {},
      verifiedBy: { key: 'cosign.pub' },
      trustedRoot: 'given' as const,
      known: undefined,
    }
    const output = {
      kind: 'registry' as const,
      image: { kind: 'registry' as const, host: registry.host, repository: 'team/app' },
      tags: [],
    }
    const untagged = {
      root,
      platforms: members.map(descriptor => ({ descriptor, platform: descriptor.platform })),
      places: [{ target, output }],
    }
    await signEverywhere(untagged, stated, [means], { onEvent: () => undefined })
    await transport.close()
    index = `${name}@${root.digest}`
    platforms = [amd64, arm64].map(digest => `${name}@${digest}`)
  })

  afterAll(async () => {
    await directory[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  const ROOT = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }
  const verify = async (cosign: string, type: string, reference: string): Promise<string> => {
    await writeFile(join(directory.path, 'empty.json'), JSON.stringify(ROOT))
    // cosign 2 wants a trusted root for a bundle, be it an empty one; with a key cosign 3 would look for one in the network.
    const trust = [
      '--key',
      'cosign.pub',
      '--insecure-ignore-tlog',
      ...(cosign === 'cosign2' ? ['--trusted-root', 'empty.json'] : []),
    ]
    return run(cosign, ['verify-attestation', ...trust, '--type', type, reference], { cwd: directory.path })
  }

  describe.each(['cosign2', 'cosign3'])('%s', cosign => {
    test.each([
      ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
      ['cyclonedx', 'https://cyclonedx.org/bom'],
      ['spdxjson', 'https://spdx.dev/Document'],
      ['https://example.com/review/v1', 'https://example.com/review/v1'],
    ])('finds on the index what is of the type %s', async (type, predicateType) => {
      const printed = await verify(cosign, type, index)
      const envelope = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as { payload: string }
      const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as Record<string, unknown>
      expect(statement['predicateType']).toBe(predicateType)
      expect(statement['subject']).toContainEqual({
        name: `${registry.host}/team/app`,
        digest: { sha256: index.slice(-64) },
      })
    })

    test('finds on a platform its own SBOM, and not that of another', async () => {
      const [amd64 = '', arm64 = ''] = platforms
      await verify(cosign, 'cyclonedx', amd64)
      await verify(cosign, 'spdxjson', arm64)
      await verify(cosign, 'slsaprovenance1', arm64)
      await expect(verify(cosign, 'cyclonedx', arm64)).rejects.toThrow('none of the attestations matched')
    })

    test('finds nothing of a type that is not there', async () => {
      await expect(verify(cosign, 'custom', index)).rejects.toThrow('none of the attestations matched')
    })
  })
})
