import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { parse as parseYaml } from 'yaml'
import { outputsOf } from '../../src/action/outputs.ts'
import { flagsOf } from '../../src/cli/flags.ts'
import { FIELDS, type Field } from '../../src/publish/fields.ts'
import { sampleReport } from '../tell/sample-report.ts'

const root = new URL('../../', import.meta.url)
const said = v.object({ description: v.string(), default: v.exactOptional(v.string()) })
const actionYml = v.object({
  inputs: v.record(v.string(), said),
  outputs: v.record(v.string(), said),
  runs: v.unknown(),
})

async function readAction(): Promise<v.InferOutput<typeof actionYml>> {
  return v.parse(actionYml, parseYaml(await readFile(new URL('action.yml', root), 'utf8')))
}

test('action.yml offers every field, with its default and its sentence', async () => {
  const wanted = (FIELDS as readonly Field[]).map(({ name, sentence, default: byDefault }) => [
    name,
    { description: sentence, ...(byDefault !== undefined && { default: byDefault }) },
  ])
  // The token is the one default that only a workflow knows.
  const token = FIELDS.find(({ name }) => name === 'github-token')?.sentence
  const github = ['github-token', { description: token, default: '${{ github.token }}' }]
  const { inputs } = await readAction()
  expect(Object.entries(inputs)).toEqual(wanted.map(one => (one[0] === 'github-token' ? github : one)))
})

test('action.yml declares exactly the outputs that are set', async () => {
  const { outputs } = await readAction()
  expect(Object.keys(outputs)).toEqual(Object.keys(outputsOf(sampleReport())))
})

test('the runner finds the program, and runs it on a Node that it has', async () => {
  expect((await readAction()).runs).toEqual({ using: 'node24', main: 'dist/main.js' })
})

test('every field is a flag of the same name with the same sentence and default, secrets are hidden ones', () => {
  for (const field of FIELDS as readonly Field[]) {
    const [flag] = flagsOf(field)
    expect(flag).toMatchObject({ long: `--${field.name}`, hidden: field.secret === true })
    const text = flag?.description ?? ''
    expect(field.secret === true || text.startsWith(field.sentence)).toBe(true)
    expect(field.secret === true || field.default === undefined || text.includes(`default: ${field.default}`)).toBe(
      true,
    )
  }
})

test('docs/inputs.md and action.yml are generated from the fields', async () => {
  const tool = new URL('tools/inputs.js', root).pathname
  await expect(promisify(execFile)(process.execPath, [tool, '--check'])).resolves.toMatchObject({ stderr: '' })
})
