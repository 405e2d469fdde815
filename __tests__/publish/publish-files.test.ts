import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { writes } from './project.ts'
import { openWorkshop } from './workshop.ts'

test('files are published as an artifact to every image under every tag, and again without a byte', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  workshop.put({ 'report/index.html': 'x', 'notes.txt': 'y' })
  const values = {
    images: [`${registry.host}/team/report`, `${registry.host}/other/report:stable`],
    tags: ['v1'],
    files: ['report', 'notes.txt:text/plain'],
    'artifact-type': 'application/vnd.example.report',
    annotations: ['a=b', 'manifest:c=d'],
    // What the action fills in for images.
    platforms: 'linux/amd64',
    'base-image': 'scratch',
    types: 'oci',
  }
  const { report } = await workshop.publish(values)
  const names = ['team/report:v1', 'other/report:stable', 'other/report:v1'].map(name => `${registry.host}/${name}`)
  expect(report).toMatchObject({
    artifactType: 'application/vnd.example.report',
    tags: names,
    refs: names.map(name => `${name}@${report.digest}`),
    platforms: [],
    layers: [{ title: 'report' }, { title: 'notes.txt', mediaType: 'text/plain', size: 1 }],
    targets: [{ place: `${registry.host}/team/report` }, { place: `${registry.host}/other/report` }],
  })
  const mark = registry.requests.length
  expect((await workshop.publish(values)).report.digest).toBe(report.digest)
  expect(writes(registry, mark)).toEqual([])
})

test('on-existing-tag: fail sends nothing of other files', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const values = { images: [`${registry.host}/team/a:v1`], files: ['a.txt'], 'on-existing-tag': 'fail' }
  workshop.put({ 'a.txt': 'one' })
  await workshop.publish(values)
  workshop.put({ 'a.txt': 'two' })
  const mark = registry.requests.length
  await expect(workshop.publish(values)).rejects.toMatchObject({ code: 'TAG_EXISTS' })
  expect(writes(registry, mark)).toEqual([])
})

test('everything that is wrong is told at once, by the names of the inputs', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const wanted = workshop.publish({
    images: [`${registry.host}/Team/a:v1`],
    tags: ['-x'],
    files: ['missing'],
    layers: ['a:/b'],
    'base-image': 'debian:12',
    types: 'docker',
    'artifact-preset': 'zip',
    'artifact-config': 'none.json',
    'artifact-model': ['x'],
    annotations: ['index:a=b', 'manifest[linux/arm64]:a=b', 'manifest,index:a=b'],
    'on-existing-tag': 'never',
  })
  const error = (await wanted.catch((thrown: unknown) => thrown)) as { problems?: readonly { input: string }[] }
  expect(error.problems?.map(({ input }) => input)).toEqual([
    'on-existing-tag',
    'base-image',
    'layers',
    'types',
    'artifact-preset',
    'tags',
    'annotations',
    'annotations',
    'annotations',
    'artifact-model',
    'files',
    'artifact-config',
  ])
  expect(registry.requests).toEqual([])
})

test('artifact-type without files is told what is missing, not that layers are', async () => {
  using workshop = openWorkshop()
  const wanted = workshop.publish({ images: ['r.example/a'], 'artifact-type': 'a/b' })
  await expect(wanted).rejects.toMatchObject({ problems: [{ input: 'files' }] })
})
