import { readFile, readdir } from 'node:fs/promises'
import * as v from 'valibot'
import { parse as parseYaml } from 'yaml'
import { outputsOf } from '../../src/action/outputs.ts'
import { FIELDS, type FieldValues } from '../../src/publish/fields.ts'
import { parseRequest } from '../../src/publish/parse-request.ts'
import { sampleReport } from '../tell/sample-report.ts'

const step = v.object({
  id: v.exactOptional(v.string()),
  uses: v.exactOptional(v.string()),
  with: v.exactOptional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
})
const permissions = v.record(v.string(), v.string())
const workflow = v.object({
  permissions,
  jobs: v.record(v.string(), v.object({ steps: v.array(step) })),
})

const root = new URL('../../', import.meta.url)
const folders = ['examples/', '.github/workflows/']
const names = (
  await Promise.all(folders.map(async folder => (await readdir(new URL(folder, root))).map(name => folder + name)))
)
  .flat()
  .filter(name => name.endsWith('.yml'))

describe.each(names)('%s', name => {
  const read = async () => {
    const text = await readFile(new URL(name, root), 'utf8')
    const { jobs, permissions } = v.parse(workflow, parseYaml(text))
    const steps = Object.values(jobs).flatMap(job => job.steps)
    return { text, permissions, ours: steps.filter(({ uses = '' }) => /^(?:org\/oci-publish@v1|\.\/)$/.test(uses)) }
  }

  test('asks for nothing that the action does not offer', async () => {
    const { ours, text } = await read()
    const inputs = FIELDS.map(field => field.name as string)
    expect(ours.flatMap(one => Object.keys(one.with ?? {})).filter(input => !inputs.includes(input))).toEqual([])
    const ids = ours.flatMap(({ id }) => (id === undefined ? [] : [id]))
    const outputs = Object.keys(outputsOf(sampleReport()))
    const used = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].filter(([, id = '']) => ids.includes(id))
    expect(used.map(([, , output = '']) => output).filter(output => !outputs.includes(output))).toEqual([])
  })

  test('is understood once the runner has filled it in', async () => {
    const { ours } = await read()
    for (const { with: typed = {} } of ours) {
      const values = Object.entries(typed).map(([input, value]) => [input, filledIn(String(value))])
      const { problems } = parseRequest(Object.fromEntries(values) as FieldValues, {
        ...{ sourceDateEpoch: undefined, defaultLayout: 'out' },
      })
      expect(problems).toEqual([])
    }
  })

  test('may do no more than it needs', async () => {
    const { permissions, text } = await read()
    expect(permissions['contents']).toBe('read')
    expect('packages' in permissions).toBe(text.includes('ghcr.io/${{ github.repository }}'))
  })
})

function filledIn(text: string): string {
  return text
    .replaceAll('${{ github.repository }}', 'Team/App')
    .replaceAll("${{ github.event_name != 'pull_request' }}", 'true')
    .replaceAll('${{ env.REGISTRY }}', '123456789012.dkr.ecr.eu-central-1.amazonaws.com')
    .replaceAll(/\$\{\{.*?\}\}/g, 'x')
}
