import { writeFileSync } from 'node:fs'
import { messageOf } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const CHART = 'apiVersion: v2\nname: web\nversion: 1.2.3\n'
const SBOM = '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}'

/** A project whose links lead to files beside it, as somebody may write them who may write to the repository only. */
function project(): Workshop {
  const workshop = openWorkshop()
  workshop.put({
    '../secret/key': 'private',
    '../secret/sbom.cdx.json': SBOM,
    '../secret/scan.json': '{"scan":"private"}',
    '../web/Chart.yaml': CHART,
    '../web.tar': '',
    app: 'app',
    secret: { link: '../secret' },
    key: { link: '../secret/key' },
    'sbom.cdx.json': { link: '../secret/sbom.cdx.json' },
    web: { link: '../web' },
    'web.tar': { link: '../web.tar' },
  })
  writeFileSync(workshop.at('web.tar'), Buffer.alloc(1024))
  return workshop
}

const image = { images: ['oci.example/app'], platforms: 'linux/amd64', push: 'false' }

const requests: readonly (readonly [what: string, values: FieldValues, input: string])[] = [
  ['a layer', { ...image, layers: ['key:/key'] }, 'layers'],
  ['a layer of a directory', { ...image, layers: ['secret:/key'] }, 'layers'],
  ['a layer by a pattern', { ...image, layers: ['secret/*:/key/'] }, 'layers'],
  ['a ready tar', { ...image, layers: ['from-tar=web.tar'] }, 'layers'],
  ['a file of an artifact', { images: ['oci.example/app'], push: 'false', files: ['key'] }, 'files'],
  ['a directory of an artifact', { images: ['oci.example/app'], push: 'false', files: ['secret'] }, 'files'],
  ['the config of an artifact', { ...image, files: ['app'], 'artifact-config': 'key' }, 'artifact-config'],
  ['an attached file', { ...image, layers: ['app:/app'], attach: ['sbom.cdx.json'] }, 'attach'],
  ['a chart', { images: ['oci.example/charts'], push: 'false', chart: 'web' }, 'chart'],
]

describe('a symlink that leads out of the context', () => {
  test.each(requests)('publishes nothing as %s', async (_, values, input) => {
    using workshop = project()
    const refused = await workshop.publish(values).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'INVALID_INPUT' })
    expect(messageOf(refused)).toMatch(
      new RegExp(`^${input}: .*leads out of ${workshop.context}: it is or passes a symlink to .*follow-links: true`),
    )
  })

  test.each(requests)('is followed with follow-links as %s', async (_, values) => {
    using workshop = project()
    const { report } = await workshop.publish({ ...values, 'follow-links': 'true' })
    expect(report.digest).toMatch(/^sha256:/)
  })

  test('is told as wrong with a value that is neither yes nor no, once', async () => {
    using workshop = project()
    const values = { ...image, layers: ['app:/app'], attach: ['sbom.cdx.json'], 'follow-links': 'perhaps' }
    const refused = await workshop.publish(values).catch((error: unknown) => error)
    expect(messageOf(refused).match(/follow-links: "perhaps"/g)).toHaveLength(1)
  })
})
