import { messageOf } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { writes } from './project.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const REPOSITORY = 'team/app'

function wanted({ host }: SpecRegistry, more: FieldValues = {}): FieldValues {
  return { images: [`${host}/${REPOSITORY}`], tags: ['v1', 'latest'], layers: ['site/:/srv/'], ...more }
}

/** The files, changed; and what `latest` pointed at before. */
async function publishedBefore(workshop: Workshop, registry: SpecRegistry): Promise<string> {
  workshop.put({ 'site/index.html': 'one' })
  const { report } = await workshop.publish(wanted(registry, { tags: ['latest'] }))
  workshop.put({ 'site/index.html': 'two' })
  return report.digest
}

describe('on-existing-tag: fail', () => {
  test.each([false, true])('nothing of a changed image is sent where its tag is taken (dry run: %s)', async dryRun => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    const before = await publishedBefore(workshop, registry)
    const mark = registry.requests.length
    const error = await workshop
      .publish(wanted(registry, { 'on-existing-tag': 'fail', 'dry-run': String(dryRun) }))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TAG_EXISTS', hint: expect.stringContaining('on-existing-tag') as string })
    expect(messageOf(error)).toContain(
      `${registry.host}/${REPOSITORY}:latest is ${before}; this publication is sha256:`,
    )
    expect(messageOf(error)).not.toContain(':v1')
    expect(writes(registry, mark)).toEqual([])
  })

  test('an unchanged image is published again without a word', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    workshop.put({ 'site/index.html': 'one' })
    const first = await workshop.publish(wanted(registry, { 'on-existing-tag': 'fail' }))
    const mark = registry.requests.length
    const second = await workshop.publish(wanted(registry, { 'on-existing-tag': 'fail' }))
    expect(second.report.digest).toBe(first.report.digest)
    expect(writes(registry, mark)).toEqual([])
  })

  test('a tag that is taken in one registry keeps all the others from getting anything', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    await publishedBefore(workshop, registry)
    const images = [`${registry.host}/${REPOSITORY}`, `${other.host}/${REPOSITORY}`]
    await expect(workshop.publish(wanted(registry, { images, 'on-existing-tag': 'fail' }))).rejects.toMatchObject({
      code: 'TAG_EXISTS',
    })
    expect(writes(other)).toEqual([])
  })
})

test('on-existing-tag: skip leaves what is there, moves the rest, and neither claims nor hides it', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const before = await publishedBefore(workshop, registry)
  const { report, events } = await workshop.publish(wanted(registry, { 'on-existing-tag': 'skip' }))
  expect(registry.tags(REPOSITORY)).toEqual(
    new Map([
      ['latest', before],
      ['v1', report.digest],
    ]),
  )
  expect(report.tags).toEqual([`${registry.host}/${REPOSITORY}:v1`])
  expect(report.targets).toMatchObject([{ tags: ['v1'] }])
  expect(events).toContainEqual({
    type: 'notice',
    text: `${registry.host}/${REPOSITORY}:latest is ${before} and stays so (on-existing-tag: skip)`,
  })
})

test('where every tag is skipped, the content is there by its digest all the same', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  const before = await publishedBefore(workshop, registry)
  const { report } = await workshop.publish(wanted(registry, { tags: ['latest'], 'on-existing-tag': 'skip' }))
  expect(registry.tags(REPOSITORY)).toEqual(new Map([['latest', before]]))
  expect(report.refs).toEqual([`${registry.host}/${REPOSITORY}@${report.digest}`])
  expect(registry.manifest(REPOSITORY, report.digest)).toBeDefined()
})

test('by default a tag moves, as registries have it', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  await publishedBefore(workshop, registry)
  const { report } = await workshop.publish(wanted(registry))
  expect(registry.tags(REPOSITORY).get('latest')).toBe(report.digest)
})

describe('a dry run', () => {
  test.each([
    ['overwrite', 'move'],
    ['skip', 'leave'],
  ])('says which tags would be new, and of one that is taken what %s does: %s it', async (onExisting, what) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    const before = await publishedBefore(workshop, registry)
    const dry = { 'on-existing-tag': onExisting, 'dry-run': 'true' }
    const { report } = await workshop.publish(wanted(registry, dry))
    expect(report.targets[0]?.tagSteps).toEqual([
      { tag: 'v1', do: 'create' },
      { tag: 'latest', do: what, from: before },
    ])
    const real = await workshop.publish(wanted(registry, { 'on-existing-tag': onExisting }))
    expect(real.report.targets[0]).not.toHaveProperty('tagSteps')
    const again = await workshop.publish(wanted(registry, { tags: ['v1'], 'dry-run': 'true' }))
    expect(again.report.targets[0]?.tagSteps).toEqual([{ tag: 'v1', do: 'keep' }])
  })
})
