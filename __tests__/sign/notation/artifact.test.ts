import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../../src/oci/media-type.ts'
import { referrerOf } from '../../../src/oci/referrer.ts'
import { readAll } from '../../../src/content/verify.ts'
import { composeNotationArtifact } from '../../../src/sign/notation/artifact.ts'

test('the manifest has its type in its config, where notation looks for it in layouts and registries take it from for their lists', async () => {
  const jws = Buffer.from('{"payload":"…"}')
  const subject = { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from('image')), size: 401 }
  const described = { ...subject, annotations: { a: 'b' } }
  const thumbprints = ['aa'.repeat(32), 'bb'.repeat(32)]
  const { manifest, blobs } = composeNotationArtifact(jws, described, { thumbprints, created: 1_780_272_000 })
  const bytes = await readAll(manifest.open(), { maxBytes: 1 << 20, what: 'manifest' })
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.cncf.notary.signature',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    },
    layers: [{ mediaType: 'application/jose+json', digest: digestOf(jws), size: jws.byteLength }],
    subject,
    annotations: {
      'io.cncf.notary.x509chain.thumbprint#S256': `["${thumbprints.join('","')}"]`,
      'org.opencontainers.image.created': '2026-06-01T00:00:00Z',
    },
  })
  expect(referrerOf(manifest.descriptor, bytes)?.descriptor.artifactType).toBe('application/vnd.cncf.notary.signature')
  expect(blobs.map(({ descriptor }) => descriptor.size)).toEqual([2, jws.byteLength])
})
