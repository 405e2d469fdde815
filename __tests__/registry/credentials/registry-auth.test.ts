import { parseRegistryAuth } from '../../../src/registry/credentials/registry-auth.ts'

async function read(typed: string): Promise<{ credentials: unknown; problems: readonly string[]; secrets: string[] }> {
  const secrets: string[] = []
  const { credentials, problems } = await parseRegistryAuth(typed, secret => secrets.push(secret))
  return { credentials, problems: problems.map(({ input, problem }) => `${input}: ${problem}`), secrets }
}

const nines = (name: string): string => `[${Array.from({ length: 9 }, () => `*${name}`).join(', ')}]`
const BOMB = `- &a [x]\n- &b ${nines('a')}\n- &c ${nines('b')}\n- &d ${nines('c')}\n- ${nines('d')}`

const from = 'input registry-auth'

test('every registry of the list gets its own credentials, without one it is Docker Hub', async () => {
  const typed = `
- registry: ghcr.io
  username: robot
  password: one
- registry: 127.0.0.1:5000
  username: "1"
  password: 'two: #'
- username: hub
  password: three
`
  expect(await read(typed)).toEqual({
    credentials: [
      { registry: 'ghcr.io', username: 'robot', password: 'one', from },
      { registry: '127.0.0.1:5000', username: '1', password: 'two: #', from },
      { registry: 'docker.io', username: 'hub', password: 'three', from },
    ],
    problems: [],
    secrets: ['one', 'two: #', 'three'],
  })
})

test('JSON is read too, and nothing is nothing', async () => {
  const { credentials } = await read('[{"registry":"quay.io","username":"u","password":"p"}]')
  expect(credentials).toEqual([{ registry: 'quay.io', username: 'u', password: 'p', from }])
  expect(await read(' \n')).toEqual({ credentials: [], problems: [], secrets: [] })
})

test('all that is wrong is told at once, passwords are told to be masked, and no problem repeats one', async () => {
  const typed = `
- registry: https://ghcr.io/team
  username: robot
  password: hidden-1
- registry: quay.io
  user: robot
  password: 12345678
- text
`
  const { credentials, problems, secrets } = await read(typed)
  expect(credentials).toEqual([])
  expect(problems).toEqual([
    'registry-auth: entry 1, registry is not a host, without https:// and path',
    'registry-auth: entry 2, username is missing',
    'registry-auth: entry 2, password is not text',
    'registry-auth: entry 2, user is not known',
    'registry-auth: entry 3 is no map',
  ])
  expect(secrets).toEqual(['hidden-1', '12345678'])
})

test.each([
  [
    'broken YAML, whose lines it names and does not show',
    '- registry: "ghcr.io\n  password: hidden',
    'is not YAML (line 2)',
  ],
  ['one map', 'registry: ghcr.io', 'it is no list'],
  ['a list that grows without end', BOMB, 'is not YAML (Excessive alias count indicates a resource exhaustion attack)'],
  [
    'a registry twice',
    '- {username: u, password: p}\n- {registry: index.docker.io, username: u, password: p}',
    'docker.io is there twice',
  ],
])('%s is refused', async (_name, typed, problem) => {
  const { problems } = await read(typed)
  expect(problems).toEqual([`registry-auth: ${problem}`])
})
