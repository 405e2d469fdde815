import type { Evidence, Rule, Witness } from './evidence.ts'

/** Shorter ones are found in texts by chance. */
const LEAST_SECRET = 8

interface Scope {
  readonly repository: string
  readonly actions: readonly string[]
}

/** Actions that are asked for and not needed. */
function undue({ repository, actions }: Scope, { reads, writes }: Witness): readonly string[] {
  const due = [
    ...(reads.includes(repository) || writes.includes(repository) ? ['pull'] : []),
    ...(writes.includes(repository) ? ['push'] : []),
  ]
  return actions.filter(action => !due.includes(action))
}

/** Scopes with undue actions, each once. */
function undueScopes(witness: Witness, isBad: (action: string) => boolean): readonly string[] {
  const asked = new Set(witness.registry.askedTokens.flatMap(({ scopes }) => scopes))
  return [...asked]
    .filter(scope => {
      const [, repository = '', actions = ''] = /^repository:(.+):([^:]+)$/.exec(scope) ?? []
      return undue({ repository, actions: actions.split(',') }, witness).some(isBad)
    })
    .map(scope => `it asked for ${scope}`)
}

const perWitness =
  (find: (witness: Witness) => readonly string[]) =>
  ({ witnesses }: Evidence): readonly string[] =>
    witnesses.flatMap(find)

/** What is shown to whom. */
export const CREDENTIAL_RULES: readonly Rule[] = [
  {
    name: 'shows credentials to no other origin',
    level: 'must',
    find: perWitness(({ registry }) =>
      registry.elsewhere.requests
        .filter(({ credentials }) => credentials.length > 0)
        .map(({ method, target, credentials }) => {
          const names = credentials.map(one => one.slice(0, one.indexOf(' ', one.indexOf(':') + 2)))
          return `${method} ${target.split('?', 1)[0] ?? ''} at another origin with ${names.join(', ')}`
        })
        .slice(0, 1),
    ),
  },
  {
    name: 'asks for no right to write that it does not need',
    level: 'must',
    find: perWitness(witness => undueScopes(witness, action => action !== 'pull')),
  },
  {
    // A source at another registry, as cross-registry mounts have it: useless there, and refused by some.
    name: 'asks for no right to read that it does not need',
    level: 'should',
    find: perWitness(witness => undueScopes(witness, action => action === 'pull')),
  },
  {
    name: 'prints no secret',
    level: 'must',
    find: ({ witnesses, ended: { output } }) =>
      witnesses
        .flatMap(({ registry }) => registry.secrets)
        .some(secret => secret.length >= LEAST_SECRET && output.includes(secret))
        ? ['a password or token is in what it wrote']
        : [],
  },
]
