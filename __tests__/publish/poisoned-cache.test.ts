import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { frame, unframe } from '../../src/cache/frame.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { collect, layerBlob } from '../layer/layer-blob.ts'
import { pushOs } from './project.ts'
import { byKey, putKey } from './signed-projects.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

/** Files that have been there for a while, so that what is remembered of their times counts. */
function project({ host }: SpecRegistry, more: FieldValues = {}): FieldValues {
  return {
    context: process.cwd(),
    images: `${host}/team/app`,
    tags: 'v1',
    platforms: 'linux/amd64',
    'base-image': `${host}/base/os:1`,
    layers: ['LICENSE:/bin/tool', 'package.json:/etc/app.json'],
    ...more,
  }
}

type Json = Readonly<Record<string, unknown>>

/** Rewrites what a folder remembers, as somebody may who can write caches. */
function rewrite(workshop: Workshop, change: (value: unknown) => unknown): number {
  let changed = 0
  for (const name of readdirSync(workshop.at('cache'))) {
    const path = join(workshop.at('cache'), name)
    const before = Buffer.from(unframe(readFileSync(path)) ?? []).toString()
    const after = JSON.stringify(change(JSON.parse(before)))
    if (after === before) continue
    writeFileSync(path, frame(Buffer.from(after)))
    changed++
  }
  return changed
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

type Poison = (workshop: Workshop, registry: SpecRegistry) => Promise<number>

const POISONS: readonly (readonly [what: string, poison: Poison])[] = [
  [
    'which layers the repository has',
    async (workshop, registry) => {
      const layer = await layerBlob([{ path: 'usr/bin/tool', text: 'planted' }])
      const { descriptor } = layer
      const blobs = new Map([[descriptor.digest, await collect(layer.open())]])
      registry.seed('team/app', { blobs, manifests: [], tags: new Map() })
      return rewrite(workshop, value =>
        Array.isArray(value)
          ? (value as readonly (readonly unknown[])[]).map(([diffID]) => [diffID, descriptor])
          : value,
      )
    },
  ],
  [
    'where the links of the base lead',
    workshop =>
      Promise.resolve(
        rewrite(workshop, value => {
          if (!isRecord(value) || !Array.isArray(value['entries'])) return value
          const entries = (value['entries'] as readonly (readonly unknown[])[]).map(row =>
            row[0] === 'bin' ? [...row.slice(0, 5), 'usr/elsewhere'] : row,
          )
          return { ...value, entries }
        }),
      ),
  ],
  [
    'what was in files that look as they did',
    workshop => {
      const diffIDs: unknown[] = []
      rewrite(workshop, value => {
        if (isRecord(value) && 'exact' in value) diffIDs.push(value['diffID'])
        return value
      })
      const [first, second] = diffIDs
      const changed = rewrite(workshop, value =>
        isRecord(value) && 'exact' in value ? { ...value, diffID: value['diffID'] === first ? second : first } : value,
      )
      return Promise.resolve(changed)
    },
  ],
]

type Way = (workshop: Workshop) => FieldValues

const WAYS: readonly (readonly [what: string, way: Way])[] = [
  ['a signature', workshop => byKey(putKey(workshop))],
  ['provenance', workshop => byKey(putKey(workshop), { provenance: 'true' })],
  ['an SBOM', () => ({ sbom: 'true' })],
  ['a base that has to be signed', workshop => ({ 'verify-base': `key=${workshop.at('base.pub')}` })],
]

describe.each(POISONS)('of a cache that tells wrongly %s', (_what, poison) => {
  async function attacked(way: Way, tags: string): Promise<{ readonly honest: string; readonly made: string }> {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    await pushOs(registry)
    await workshop.sign({ reference: `${registry.host}/base/os:1` }, byKey(putKey(workshop, 'base')))
    const honest = await workshop.publish(project(registry))
    expect(await poison(workshop, registry)).toBeGreaterThan(0)
    const { report } = await workshop.publish(project(registry, { tags, ...way(workshop) }))
    return { honest: honest.report.digest, made: report.digest }
  }

  test.each(WAYS)('nothing is believed for an image with %s', async (_way, way) => {
    for (const tags of ['v1', 'v2']) {
      const { honest, made } = await attacked(way, tags)
      expect(made).toBe(honest)
    }
  })

  test('it would make another image otherwise: without them who may write caches is trusted', async () => {
    const made = [await attacked(() => ({}), 'v1'), await attacked(() => ({}), 'v2')]
    expect(made.some(one => one.made !== one.honest)).toBe(true)
  })
})

test('a run that signs writes nothing into the cache either', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  await pushOs(registry)
  await workshop.publish(project(registry, byKey(putKey(workshop))))
  expect(() => readdirSync(workshop.at('cache'))).toThrow('ENOENT')
})
