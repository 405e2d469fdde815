import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '../../../conformance/client.ts'
import { commandClient, readAdapter, type Adapter } from '../../../conformance/clients/command.ts'

const TARGET = { host: 'target:1', repository: 'team/app', tag: 'v1' }
const SOURCE = { host: 'source:2', repository: 'team/origin', tag: 'v2' }
const LAYOUT = { path: '/layout', tag: 'v3' }
const PUSH: Job = { do: 'push', layout: LAYOUT, target: TARGET }
const COPY: Job = { do: 'copy', source: SOURCE, target: TARGET }
const PULL: Job = { do: 'pull', source: SOURCE, layout: LAYOUT }

const SAY = 'console.log(process.argv.slice(1).join(" "), process.env.ASKED ?? "")'
const find = (program: string): string => program

function run(adapter: Omit<Adapter, 'name'>, job: Job, signal: AbortSignal = AbortSignal.timeout(10_000)) {
  return commandClient({ name: 'fake', ...adapter }, { find }).run(job, { config: '/config', signal })
}

test.each([
  ['push', PUSH, ['{layout}:{tag}', '{target}', '{ref}'], '/layout:v3 target:1/team/app:v1 target:1/team/app:v1'],
  [
    'copy',
    COPY,
    ['{source}', '{target}', '--to={targetHost}'],
    'source:2/team/origin:v2 target:1/team/app:v1 --to=target:1',
  ],
  ['pull', PULL, ['{source}', '{sourceHost}', '{config}'], 'source:2/team/origin:v2 source:2 /config'],
  ['push, with words that nobody knows', PUSH, ['{who}', '{"a":1}'], '{who} {"a":1}'],
  ['push, with words that a shell would read', PUSH, ['$HOME', '*', 'a b'], '$HOME * a b'],
])('%s: a program gets its words', async (_name, job, words, output) => {
  const ended = await run({ [job.do]: ['{node}', '-e', SAY, ...words] }, job)
  expect(ended).toEqual({ exitCode: 0, output: `${output} \n` })
})

test.each<[string, Job, readonly string[], string]>([
  [
    'copyReferrers',
    { ...COPY, referrers: true },
    ['{source}', '{target}'],
    'source:2/team/origin:v2 target:1/team/app:v1',
  ],
  [
    'attach',
    { do: 'attach', target: TARGET, file: '/note.txt' },
    ['{file}', '{target}'],
    '/note.txt target:1/team/app:v1',
  ],
  ['sign', { do: 'sign', target: TARGET, key: '/key.pem' }, ['{key}', '{targetHost}'], '/key.pem target:1'],
])('%s has a command of its own, and is not done by another', async (name, job, words, output) => {
  expect(await run({ [name]: ['{node}', '-e', SAY, ...words] }, job)).toEqual({ exitCode: 0, output: `${output} \n` })
  expect(await run({ copy: ['false'], push: ['false'] }, job)).toBeUndefined()
})

test('a program gets its environment', async () => {
  const ended = await run({ push: ['{node}', '-e', SAY], env: { ASKED: 'in {config}' } }, PUSH)
  expect(ended?.output.trim()).toBe('in /config')
})

test('what cannot be done is left out, and not failed', async () => {
  expect(await run({ push: ['false'] }, PULL)).toBeUndefined()
})

test('a program that fails is heard out', async () => {
  const ended = await run({ push: ['{node}', '-e', 'console.error("no"); process.exitCode = 3'] }, PUSH)
  expect(ended).toEqual({ exitCode: 3, output: 'no\n' })
})

test('a program that does not end is stopped', async () => {
  const ended = await run({ push: ['{node}', '-e', 'setInterval(() => 0, 1000)'] }, PUSH, AbortSignal.timeout(300))
  expect(ended?.exitCode).toBeUndefined()
})

test('a program that there is not is not taken for one that failed', async () => {
  await expect(run({ push: ['there-is-no-such-program'] }, PUSH)).rejects.toThrow('ENOENT')
})

describe('readAdapter()', () => {
  const read = async (value: unknown): Promise<Adapter> => {
    const directory = await mkdtemp(join(tmpdir(), 'adapter-'))
    try {
      await writeFile(join(directory, 'one.json'), JSON.stringify(value))
      return await readAdapter(join(directory, 'one.json'))
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  test('an adapter is data', async () => {
    const adapter = { name: 'mine', push: ['mine', 'push', '{layout}', '{target}'], env: { HOME: '{config}' } }
    expect(await read(adapter)).toEqual(adapter)
  })

  test.each([
    ['nothing', null],
    ['without a name', { push: ['a'] }],
    ['without a command', { name: 'mine' }],
    ['with a line for a shell', { name: 'mine', push: 'mine push {layout}' }],
    ['with an empty command', { name: 'mine', pull: [] }],
    ['with words that are no text', { name: 'mine', copy: ['a', 1] }],
  ])('one %s is refused', async (_name, value) => {
    await expect(read(value)).rejects.toThrow(
      'is no adapter: it needs a name, and a list of words for push, copy, copyReferrers, pull, attach or sign',
    )
  })
})
