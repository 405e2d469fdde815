import { chartArtifact, type ChartArtifact } from '../../../src/artifact/helm/chart-manifest.ts'
import type { Chart } from '../../../src/artifact/helm/chart.ts'
import { holdsSameChart } from '../../../src/artifact/helm/existing-chart.ts'
import { packageChart } from '../../../src/artifact/helm/package-chart.ts'
import { pushArtifact } from '../../../src/artifact/push-artifact.ts'
import { composeArtifact } from '../../../src/artifact/artifact.ts'
import { MemoryStore } from '../../../src/content/memory.ts'

const utf8 = new TextEncoder()

interface Variant {
  readonly text?: string
  readonly description?: string
  readonly signature?: string
  readonly created?: number
}

async function artifactOf({ text = 'a: 1\n', description, signature, created }: Variant): Promise<ChartArtifact> {
  const metadata = {
    name: 'web',
    version: '1.0.0',
    apiVersion: 'v2',
    ...(description !== undefined && { description }),
  }
  const files = [{ path: 'values.yaml', bytes: utf8.encode(text) }]
  const chart: Chart = { metadata, files, archive: undefined, provenance: undefined, warnings: [] }
  const provenance = signature === undefined ? undefined : utf8.encode(signature)
  return chartArtifact(chart, await packageChart(chart), { created, provenance })
}

const LOOSELY = { signed: false, exactly: false }
const SIGNED = { signed: true, exactly: false }
const EXACTLY = { signed: true, exactly: true }

test.each<[string, Variant, Variant, typeof LOOSELY, boolean]>([
  ['the same', {}, {}, LOOSELY, true],
  ['the same of another day', { created: 1 }, { created: 2 }, LOOSELY, true],
  ['other files', {}, { text: 'a: 2\n' }, LOOSELY, false],
  ['a signed one, where none signs', { signature: 'x' }, {}, LOOSELY, true],
  ['the one that was given with the same .prov', { signature: 'x', created: 1 }, { signature: 'x' }, LOOSELY, true],
  ['the one that was given with another .prov', { signature: 'x' }, { signature: 'y' }, LOOSELY, false],
  ['one without a signature, where one signs', {}, { signature: 'x' }, SIGNED, false],
  ['one that was signed at another time', { signature: 'x' }, { signature: 'y' }, SIGNED, true],
  ['the same, exactly', { created: 1 }, { created: 2 }, EXACTLY, true],
  ['another signature, exactly', { signature: 'x' }, { signature: 'y' }, EXACTLY, false],
  ['one signature too many, exactly', { signature: 'x' }, {}, EXACTLY, false],
  ['another config, exactly', { description: 'a' }, { description: 'b' }, EXACTLY, false],
])('holdsSameChart() tells %s', async (_name, there, ours, options, isSame) => {
  const store = new MemoryStore()
  const first = await artifactOf(there)
  await pushArtifact(store, first, { tags: [first.tag] })
  const found = await holdsSameChart(store, await artifactOf(ours), options)
  expect(found).toMatchObject({ root: { digest: first.manifest.descriptor.digest }, isSame })
})

test('nothing under the tag is no chart, and files under it are another thing', async () => {
  const store = new MemoryStore()
  const ours = await artifactOf({})
  await expect(holdsSameChart(store, ours, LOOSELY)).resolves.toBeUndefined()
  await pushArtifact(store, composeArtifact({ layers: [] }), { tags: [ours.tag] })
  await expect(holdsSameChart(store, ours, LOOSELY)).resolves.toMatchObject({ isSame: false })
})
