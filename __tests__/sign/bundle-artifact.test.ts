import { readAll } from '../../src/content/verify.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { bundleReferrer } from '../support/bundle-referrer.ts'
import { SIGNATURE_PREDICATE } from '../../src/sign/statement.ts'
import { DIGEST, OTHER } from './some-bundles.ts'

const TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const EMPTY = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
const bundle = Buffer.from('{"a":"bundle"}')
const subject = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 401, annotations: { not: 'told' } }

test('a bundle becomes the referrer that cosign, gh and policy controllers look for', async () => {
  const { manifest } = bundleReferrer(bundle, SIGNATURE_PREDICATE, subject)
  const bytes = await readAll(manifest.open(), { maxBytes: 4096, what: 'manifest' })
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: TYPE,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: EMPTY, size: 2, data: 'e30=' },
    layers: [{ mediaType: TYPE, size: 14, digest: expect.stringMatching(/^sha256:/) as unknown }],
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': SIGNATURE_PREDICATE,
    },
    subject: { mediaType: OCI_MANIFEST, digest: DIGEST, size: 401 },
  })
  expect(manifest.descriptor.artifactType).toBe(TYPE)
})

test('the same bundle on several subjects is one blob', () => {
  const [one, other] = [DIGEST, OTHER].map(digest =>
    bundleReferrer(bundle, SIGNATURE_PREDICATE, { ...subject, digest }),
  )
  expect(one?.manifest.descriptor.digest).not.toBe(other?.manifest.descriptor.digest)
  expect(one?.blobs.map(({ descriptor }) => descriptor)).toEqual(other?.blobs.map(({ descriptor }) => descriptor))
})

test('a time is only told when one is given, so that signing the same again makes the same manifest', async () => {
  const created = '2026-01-02T03:04:05Z'
  const { manifest } = bundleReferrer(bundle, SIGNATURE_PREDICATE, subject, { created })
  const bytes = await readAll(manifest.open(), { maxBytes: 4096, what: 'manifest' })
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
    annotations: { 'org.opencontainers.image.created': created },
  })
})
