import * as v from 'valibot'
import { messageOf, type InputProblem } from '../../errors.ts'
import { normaliseHost } from './credential.ts'
import type { GivenCredential } from './inputs.ts'

export interface RegistryAuth {
  /** Those without problems. */
  readonly credentials: readonly GivenCredential[]
  readonly problems: readonly InputProblem[]
}

const INPUT = 'registry-auth'
const EXAMPLE = 'a list of registry, username and password: "- registry: ghcr.io", "  username: robot", …'
const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?$|^\[[0-9a-f:.]+\](?::\d+)?$/i

const text = v.pipe(v.string('is not text'), v.nonEmpty('is empty'))
const list = v.array(
  v.strictObject(
    {
      registry: v.exactOptional(v.pipe(text, v.regex(HOST, 'is not a host, without https:// and path')), 'docker.io'),
      username: text,
      password: text,
    },
    issue =>
      issue.expected === 'never' ? 'is not known' : issue.received === 'undefined' ? 'is missing' : 'is no map',
  ),
  'is no list',
)

/**
 * Reads `registry-auth`, a YAML or JSON list of `{registry, username, password}`; without `registry` it is Docker Hub's.
 * Every problem is found, and none of them repeats what was typed: it may be a secret.
 *
 * @param typed as it was typed: without its indentation a list of maps is another document
 * @param onSecret told every password, also where there are problems
 */
export async function parseRegistryAuth(typed: string, onSecret: (secret: string) => void): Promise<RegistryAuth> {
  if (typed.trim() === '') return { credentials: [], problems: [] }
  // A tenth of a megabyte that few runs need. By its default, the only name that a bundled CommonJS module keeps.
  const { default: yaml } = await import('yaml')
  const document = yaml.parseDocument(typed, { prettyErrors: false, logLevel: 'silent' })
  if (document.errors.length > 0) {
    const lines = document.errors.map(({ pos }) => `line ${typed.slice(0, pos[0]).split('\n').length}`)
    return refused([`is not YAML (${[...new Set(lines)].join(', ')})`])
  }
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    return refused([`is not YAML (${messageOf(error)})`]) // aliases that lead nowhere, or grow without end
  }
  for (const secret of passwordsOf(value)) onSecret(secret)
  const { success, output, issues = [] } = v.safeParse(list, value)
  if (!success) return refused(issues.map(issue => `${pathOf(issue)} ${issue.message}`))
  const hosts = output.map(({ registry }) => normaliseHost(registry))
  const twice = new Set(hosts.filter((host, i) => hosts.indexOf(host) !== i))
  return {
    credentials: output.map(one => ({ ...one, from: `input ${INPUT}` })),
    problems: [...twice].map(host => ({ input: INPUT, problem: `${host} is there twice` })),
  }
}

function refused(problems: readonly string[]): RegistryAuth {
  const told = problems.map((problem, i) => ({ input: INPUT, problem, hint: i === 0 ? EXAMPLE : undefined }))
  return { credentials: [], problems: told }
}

function passwordsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: unknown) => {
    const { password } = (typeof entry === 'object' && entry !== null ? entry : {}) as { readonly password?: unknown }
    // Digits alone are a number in YAML; what the user meant is a secret all the same.
    return typeof password === 'string' || typeof password === 'number' ? [`${password}`] : []
  })
}

/** `entry 2, username`; counted as people count. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  const [entry, key] = (v.getDotPath(issue) ?? '').split('.')
  if (entry === undefined || entry === '') return 'it'
  return [`entry ${Number(entry) + 1}`, ...(key === undefined ? [] : [key])].join(', ')
}
