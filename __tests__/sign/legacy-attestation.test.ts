import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readAll } from '../../src/content/verify.ts'
import { OciPublishError } from '../../src/errors.ts'
import { digestOf, hexOf, parseDigest } from '../../src/oci/digest.ts'
import type { Annotations } from '../../src/oci/descriptor.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { MAX_BUNDLE_BYTES, type SignedEnvelope } from '../../src/sign/bundle.ts'
import type { Envelope } from '../../src/sign/envelope.ts'
import { serializeEnvelope } from '../../src/sign/envelope-json.ts'
import { findLegacyAttestations } from '../../src/sign/find-legacy-attestations.ts'
import { canBeCarried, legacyAttestationLayer } from '../../src/sign/legacy-attestation.ts'
import { legacyTag } from '../../src/sign/legacy.ts'
import type { Statement } from '../../src/sign/statement.ts'
import type { LogEntry } from '../../src/sign/witness.ts'
import { documentOf } from '../registry/client.ts'
import { allOf } from './all-of.ts'
import { refusal } from './refusal.ts'
import { DIGEST, LOG_ENTRY, someBundle, someKey, type SomeIdentity } from './some-bundles.ts'
import { someCertificate } from './some-certificates.ts'

const TYPE = 'https://example.com/review/v1'
const STATEMENT: Statement = {
  subjects: [{ digest: DIGEST, annotations: {} }],
  predicateType: TYPE,
  predicate: { a: 1 },
}
const TAG = `sha256-${hexOf(DIGEST)}.att`

const signedBy = async (identity: SomeIdentity, statement: Statement = STATEMENT): Promise<SignedEnvelope> =>
  (await someBundle(identity, statement)).bundle

const somebody = (): SomeIdentity => {
  const { certificate, privateKey } = someCertificate()
  return { by: { certificate, chain: [] }, privateKey }
}

/** As Rekor 1 has it, of what was sent to it. */
function logged(envelope: Envelope, sent: string = serializeEnvelope(envelope)): LogEntry {
  const envelopeHash = { algorithm: 'sha256', value: hexOf(digestOf(Buffer.from(sent))) }
  const body = JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec: { envelopeHash } })
  return { ...LOG_ENTRY, canonicalizedBody: Buffer.from(body).toString('base64') }
}

describe('legacyAttestationLayer()', () => {
  test('of a key is the envelope, and says what it states', async () => {
    const signed = await signedBy(someKey())
    const layer = legacyAttestationLayer(signed, TYPE)
    const bytes = Buffer.from(serializeEnvelope(signed.envelope))
    expect(layer.descriptor).toEqual({
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      digest: digestOf(bytes),
      size: bytes.byteLength,
      annotations: { 'dev.cosignproject.cosign/signature': '', predicateType: TYPE },
    })
    expect(Buffer.from(await readAll(layer.open(), { maxBytes: 1 << 20, what: 'layer' }))).toEqual(bytes)
  })

  test('of a certificate has what a verifier needs besides', async () => {
    const signed = await signedBy(somebody())
    const chain = [someCertificate().certificate]
    const layer = legacyAttestationLayer(
      { ...signed, chain, logEntries: [logged(signed.envelope)] },
      TYPE,
      Buffer.from('response'),
    )
    expect(layer.descriptor.annotations).toMatchObject({
      'dev.sigstore.cosign/certificate': String(signed.certificate),
      'dev.sigstore.cosign/chain': chain.map(String).join(''),
      'dev.sigstore.cosign/bundle': expect.stringContaining('"logIndex":1234567890123') as unknown,
      'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp":"cmVzcG9uc2U="}',
    })
  })

  test('of several entries takes the one that it can carry', async () => {
    const { envelope, ...rest } = await signedBy(someKey())
    const logEntries = [LOG_ENTRY, logged(envelope)]
    const layer = legacyAttestationLayer({ envelope, ...rest, logEntries }, TYPE)
    const body = String(logged(envelope)['canonicalizedBody'])
    expect(layer.descriptor.annotations?.['dev.sigstore.cosign/bundle']).toContain(body)
  })

  test('an entry that it cannot carry is not left out in silence', async () => {
    const { envelope, ...rest } = await signedBy(someKey())
    const logEntries = [{ ...logged(envelope), inclusionPromise: undefined }]
    expect(() => legacyAttestationLayer({ envelope, ...rest, logEntries }, TYPE)).toThrow(
      refusal('UNSUPPORTED', 'an attestation in the older form cannot carry its log entry'),
    )
  })
})

describe('canBeCarried()', () => {
  const by = { key: someKey(), certificate: somebody() }
  const entries: Readonly<Record<string, (envelope: Envelope) => readonly LogEntry[]>> = {
    none: () => [],
    'of Rekor 1': envelope => [logged(envelope)],
    'of Rekor 2, which promises nothing': envelope => [{ ...logged(envelope), inclusionPromise: undefined }],
    'of what another tool has put otherwise': envelope => [logged(envelope, `${serializeEnvelope(envelope)}\n`)],
    'of another kind': () => [{ ...LOG_ENTRY, canonicalizedBody: Buffer.from('{"kind":"intoto"}').toString('base64') }],
    'that is no JSON': () => [{ ...LOG_ENTRY, canonicalizedBody: '!' }],
  }
  test.each([
    ['key', 'none', true],
    ['key', 'of Rekor 1', true],
    ['key', 'of Rekor 2, which promises nothing', false],
    ['key', 'of what another tool has put otherwise', false],
    ['key', 'of another kind', false],
    ['key', 'that is no JSON', false],
    ['certificate', 'none', false],
    ['certificate', 'of Rekor 1', true],
  ] as const)('by a %s with a log entry %s: %s', async (who, which, can) => {
    const signed = await signedBy(by[who])
    expect(canBeCarried({ ...signed, logEntries: entries[which]?.(signed.envelope) ?? [] })).toBe(can)
  })
})

describe('findLegacyAttestations()', () => {
  async function shelved(layers: readonly Blob[], pushed: readonly Blob[] = layers): Promise<MemoryStore> {
    const place = new MemoryStore('r.example/app')
    const config = documentOf(OCI_CONFIG, {})
    const json = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor }
    const manifest = documentOf(OCI_MANIFEST, { ...json, layers: layers.map(({ descriptor }) => descriptor) })
    for (const blob of [config, ...pushed, manifest]) await place.push(blob)
    await place.tag(manifest, [TAG])
    return place
  }

  const described = (bytes: Uint8Array, like: Blob, annotations: Annotations = {}): Blob => {
    const parts = { digest: digestOf(bytes), size: bytes.byteLength }
    return bytesBlob({
      descriptor: { ...like.descriptor, ...parts, annotations: { ...like.descriptor.annotations, ...annotations } },
      bytes,
    })
  }

  test('reads what was written', async () => {
    const signed = await signedBy(somebody())
    const [chain, entry] = [[someCertificate().certificate], logged(signed.envelope)]
    const written = { ...signed, chain, logEntries: [entry] }
    const place = await shelved([legacyAttestationLayer(written, TYPE, Buffer.from('response'))])
    const [found] = await allOf(findLegacyAttestations(place, { digest: DIGEST }))
    expect(found?.statement).toEqual(STATEMENT)
    expect(found?.bundle.envelope).toEqual(signed.envelope)
    expect(found?.bundle.certificate?.raw).toEqual(signed.certificate?.raw)
    expect(found?.bundle.chain?.map(({ raw }) => raw)).toEqual(chain.map(({ raw }) => raw))
    const { inclusionProof, ...promised } = entry
    expect(inclusionProof).toBeDefined()
    expect(found?.bundle.logEntries).toEqual([promised])
    expect(found?.bundle.timestamps).toEqual([Buffer.from('response')])
    expect(Buffer.from(found?.bundle.timestamped ?? []).toString()).toBe(serializeEnvelope(signed.envelope))
  })

  test('fetches only what may state what is wanted', async () => {
    const stated = async (predicateType: string, told = predicateType): Promise<Blob> =>
      legacyAttestationLayer(await signedBy(someKey(), { ...STATEMENT, predicateType }), told)
    const [wanted, untold, liar, other] = [
      await stated(TYPE),
      await stated(TYPE, ''),
      await stated('https://example.com/x', TYPE),
      await stated('https://example.com/x'),
    ]
    // What is not there cannot be fetched, and would be told.
    const place = await shelved([wanted, untold, liar, other], [wanted, untold, liar])
    const told: string[] = []
    const options = { predicateTypes: new Set([TYPE]), onUnreadable: (text: string) => void told.push(text) }
    const found = await allOf(findLegacyAttestations(place, { digest: DIGEST }, options))
    expect(found.map(({ layer }) => layer.digest)).toEqual([wanted, untold].map(one => one.descriptor.digest))
    expect(told).toEqual([])
  })

  test('tells of what cannot be read, and reads the others', async () => {
    const good = legacyAttestationLayer(await signedBy(someKey()), TYPE)
    const gone = legacyAttestationLayer(await signedBy(someKey()), TYPE)
    const text = JSON.stringify({ payload: 'cA==', payloadType: 'text/plain', signatures: [{ sig: 'cw==' }] })
    const broken = [
      described(Buffer.from('junk'), good),
      described(Buffer.from(text), good),
      described(Buffer.from(text.replace('text/plain', 'application/vnd.in-toto+json')), good),
      described(Buffer.from(`${text} `), good, { 'dev.sigstore.cosign/bundle': '{}' }),
    ]
    const huge = bytesBlob({ descriptor: { ...good.descriptor, size: MAX_BUNDLE_BYTES + 1 }, bytes: Buffer.from('') })
    const place = await shelved([...broken, gone, huge, good], [...broken, good])
    const told: string[] = []
    const onUnreadable = (text: string): void => void told.push(text)
    const found = await allOf(findLegacyAttestations(place, { digest: DIGEST }, { onUnreadable }))
    expect(found.map(({ layer }) => layer.digest)).toEqual([good.descriptor.digest])
    const { digest } = await place.resolve(TAG)
    expect(told).toEqual([
      expect.stringContaining(`r.example/app@${digest}, attestation 1: not JSON`),
      `r.example/app@${digest}, attestation 2: holds a "text/plain", and statements are "application/vnd.in-toto+json"`,
      expect.stringContaining('attestation 3, statement: not JSON'),
      expect.stringContaining('attestation 4: holds a "text/plain"'),
      `r.example/app has no ${gone.descriptor.digest}`,
      expect.stringContaining(`attestation 6 has more than ${MAX_BUNDLE_BYTES} bytes`),
    ])
  })

  test('does not fetch without end', async () => {
    const good = legacyAttestationLayer(await signedBy(someKey()), TYPE)
    const bytes = Buffer.alloc(MAX_BUNDLE_BYTES, ' ')
    const large = described(bytes, good)
    const place = await shelved([good, large, large, large, large, good], [good, large])
    const told: string[] = []
    const onUnreadable = (text: string): void => void told.push(text)
    expect(await allOf(findLegacyAttestations(place, { digest: DIGEST }, { onUnreadable }))).toHaveLength(1)
    expect(told.at(-1)).toContain('attestation 5: it and those after it were not looked at')
  })

  test('finds none where there are none, or no tag can be', async () => {
    expect(await allOf(findLegacyAttestations(new MemoryStore(), { digest: DIGEST }))).toEqual([])
    const digest = parseDigest(`sha512:${'ab'.repeat(64)}`)
    expect(await allOf(findLegacyAttestations(new MemoryStore(), { digest }))).toEqual([])
    expect(() => legacyTag(digest, 'attestation')).toThrow(refusal('UNSUPPORTED', 'tag of attestations in the older'))
  })

  test('says what is in the way when the tag holds something else, and does not take a cut line for nothing', async () => {
    const place = new MemoryStore('r.example/app')
    const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
    await place.push(index)
    await place.tag(index, [TAG])
    await expect(allOf(findLegacyAttestations(place, { digest: DIGEST }))).rejects.toThrow(
      refusal('UNSUPPORTED', `${TAG} is of type ${OCI_INDEX}, and attestations in the older form are a manifest`),
    )
    const cut = new OciPublishError('UNREACHABLE', 'the line is cut')
    const good = legacyAttestationLayer(await signedBy(someKey()), TYPE)
    const shelf = await shelved([good])
    const source = {
      place: shelf.place,
      resolve: (name: string) => shelf.resolve(name),
      open: (descriptor: Blob['descriptor']) => {
        if (descriptor.digest === good.descriptor.digest) throw cut
        return shelf.open(descriptor)
      },
    }
    await expect(allOf(findLegacyAttestations(source, { digest: DIGEST }))).rejects.toBe(cut)
  })
})
