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
})
