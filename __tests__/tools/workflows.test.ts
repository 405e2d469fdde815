import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import yaml from 'yaml'

const workflows = join(import.meta.dirname, '../../.github/workflows')

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly uses?: string }[] }>>
}

test.each(readdirSync(workflows))('every action of %s is pinned to a commit, which nobody can move', file => {
  const { jobs } = yaml.parse(readFileSync(join(workflows, file), 'utf8')) as Workflow
  const used = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []))
  expect(used).not.toEqual([])
  for (const action of used) expect(action).toMatch(/^\.\/$|@[0-9a-f]{40}$/)
})
