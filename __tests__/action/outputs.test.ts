import { outputsOf } from '../../src/action/outputs.ts'
import { sampleDigest, sampleReport } from '../tell/sample-report.ts'

describe('outputsOf()', () => {
  const report = sampleReport()
  const outputs = outputsOf(report)
  const digest = sampleDigest('index')

  test('lists are a line each, so that a shell loop or a list input can take them', () => {
    expect(outputs).toMatchObject({
      digest,
      imageid: sampleDigest('config linux/amd64'),
      refs: `ghcr.io/team/app:v1@${digest}\nghcr.io/team/app:latest@${digest}\noci:out:v1@${digest}`,
      tags: 'ghcr.io/team/app:v1\nghcr.io/team/app:latest',
      'tag-names': 'v1\nlatest',
    })
  })

  test('a later job finds the digest of its platform', () => {
    expect(JSON.parse(outputs['platform-digests'] ?? '')).toEqual({
      'linux/amd64': sampleDigest('linux/amd64'),
      'linux/arm64': sampleDigest('linux/arm64'),
    })
  })

  test("metadata has the keys that workflows know from docker's action", () => {
    expect(JSON.parse(outputs['metadata'] ?? '')).toMatchObject({
      'containerimage.digest': digest,
      'containerimage.config.digest': sampleDigest('config linux/amd64'),
      'containerimage.descriptor': { mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 900 },
      'image.name': 'ghcr.io/team/app:v1,ghcr.io/team/app:latest,oci:out:v1',
    })
  })

  test('json is the report as it is', () => {
    expect(JSON.parse(outputs['json'] ?? '')).toEqual(report)
  })

  test('the name survives where nothing is tagged', () => {
    const untagged = outputsOf(sampleReport({ refs: [`ghcr.io/team/app@${digest}`], tags: [] }))
    expect(JSON.parse(untagged['metadata'] ?? '')).toMatchObject({ 'image.name': 'ghcr.io/team/app' })
    expect(untagged['tags']).toBe('')
  })

  test('what is signed, how to verify it and where attestations are kept, a line each', () => {
    const platform = sampleDigest('linux/amd64')
    const signed = {
      refs: [`ghcr.io/team/app@${digest}`, `ghcr.io/team/app@${platform}`],
      signatures: [],
      verifyCommands: ['cosign verify --key cosign.pub ghcr.io/team/app', 'cosign verify-attestation …'],
      bundlePath: '/tmp/bundles.jsonl',
      attestations: [
        { id: '7', url: 'https://github.com/team/app/attestations/7' },
        { id: '8', url: 'https://github.com/team/app/attestations/8' },
      ],
    }
    expect(outputsOf(sampleReport({ signed }))).toMatchObject({
      signed: `ghcr.io/team/app@${digest}\nghcr.io/team/app@${platform}`,
      'cosign-verify-commands': 'cosign verify --key cosign.pub ghcr.io/team/app\ncosign verify-attestation …',
      'bundle-path': '/tmp/bundles.jsonl',
      'attestation-id': '7\n8',
      'attestation-url': 'https://github.com/team/app/attestations/7\nhttps://github.com/team/app/attestations/8',
    })
  })

  test('where nothing is signed, those outputs are there and empty, so that a condition can ask for them', () => {
    const names = ['signed', 'cosign-verify-commands', 'bundle-path', 'attestation-id', 'attestation-url']
    expect(names.map(name => outputs[name])).toEqual(names.map(() => ''))
  })
})
