import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { CYCLONEDX_DOCUMENT, SPDX_DOCUMENT } from '../artifact/sbom-documents.ts'
import { writes } from './project.ts'
import { openWorkshop } from './workshop.ts'

const PLATFORMS = 'linux/amd64,linux/arm64'
const SPDX = 'application/spdx+json'
const CYCLONEDX = 'application/vnd.cyclonedx+json'

test('files and a made SBOM hang on every platform, in every repository, and a second run adds nothing', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x', 'app.spdx.json': SPDX_DOCUMENT, 'report.txt': 'fine' })
  const places = ['team/app', 'other/app'].map(name => `${registry.host}/${name}`)
  const values = {
    images: places.map(place => `${place}:v1`),
    platforms: PLATFORMS,
    layers: 'app/:/app/',
    attach: ['app.spdx.json', 'report.txt:text/plain'],
    sbom: 'true',
  }
  const { report } = await workshop.publish(values)
  const { attached = [], platforms } = report
  const said = attached.map(({ ref, artifactType, platform }) => [ref.split('@')[0], artifactType, platform])
  expect(said).toEqual(
    places.flatMap(place =>
      [SPDX, 'text/plain', CYCLONEDX].flatMap(type => platforms.map(({ platform }) => [place, type, platform])),
    ),
  )
  expect(new Set(attached.map(({ subject }) => subject))).toEqual(new Set(platforms.map(({ digest }) => digest)))

  const mark = registry.requests.length
  expect((await workshop.publish(values)).report.attached).toEqual(attached)
  expect(writes(registry, mark)).toEqual([])
})

test('they hang in a layout as well', async () => {
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x', 'app.cdx.json': CYCLONEDX_DOCUMENT })
  const { report } = await workshop.publish({ push: 'false', layers: 'app/:/app/', attach: 'app.cdx.json' })
  expect(report.attached).toMatchObject([{ artifactType: CYCLONEDX, subject: report.digest, platform: 'linux/amd64' }])
})

test('a dry run attaches nothing', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x' })
  const values = { images: `${registry.host}/team/app:v1`, layers: 'app/:/app/', sbom: 'true', 'dry-run': 'true' }
  expect((await workshop.publish(values)).report.attached).toEqual([])
  expect(writes(registry, 0)).toEqual([])
})

test('what is wrong with the files is told with all other problems, before the image is published', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'app/hello': 'x', 'bad.spdx.json': '{}' })
  const values = {
    images: `${registry.host}/team/app:v1`,
    layers: 'app/:/app/',
    platforms: 'nonsense',
    attach: ['bad.spdx.json', 'missing.cdx.json', 'app/hello'],
    sbom: 'perhaps',
  }
  const wanted = workshop.publish(values)
  await expect(wanted).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  for (const text of ['platforms: ', 'sbom: ', 'neither SPDX', 'missing.cdx.json is not there', 'say what']) {
    await expect(wanted).rejects.toThrow(text)
  }
  expect(writes(registry, 0)).toEqual([])
})

test('files without an image cannot have attachments, which is said and not passed over', async () => {
  using workshop = openWorkshop()
  workshop.put({ 'a.txt': 'x' })
  await expect(workshop.publish({ push: 'false', files: 'a.txt', sbom: 'true' })).rejects.toThrow(
    'sbom: applies to images only',
  )
})
