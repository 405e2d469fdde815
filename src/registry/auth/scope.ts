export type Action = 'pull' | 'push' | 'delete'

// Some token servers compare texts: one order of actions everywhere.
const ORDER = ['pull', 'push', 'delete', '*']

/** distribution, "Token scope": `repository:team/app:pull,push`. */
export function repositoryScope(repository: string, ...actions: readonly Action[]): string {
  return `repository:${repository}:${ordered(actions).join(',')}`
}

function ordered(actions: readonly string[]): readonly string[] {
  const rank = (action: string): number => (ORDER.includes(action) ? ORDER.indexOf(action) : ORDER.length)
  return [...new Set(actions)].sort((a, b) => rank(a) - rank(b))
}

/**
 * Adds what a challenge asks for to what was asked for before. One scope a resource, with the actions of both.
 *
 * The order is kept, since some registries look at the first scope only; a resource that was not asked for comes first,
 * because this very request failed for want of it.
 */
export function mergeScopes(asked: readonly string[], challenged: string | undefined): readonly string[] {
  const actionsOf = new Map<string, readonly string[]>()
  const missing: string[] = []
  const add = (scope: string): boolean => {
    const { resource, actions } = splitScope(scope)
    const known = actionsOf.get(resource)
    actionsOf.set(resource, ordered([...(known ?? []), ...actions]))
    return known === undefined
  }
  const order: string[] = []
  for (const scope of asked) if (add(scope)) order.push(splitScope(scope).resource)
  for (const scope of (challenged ?? '').split(/\s+/).filter(Boolean)) {
    if (add(scope)) missing.push(splitScope(scope).resource)
  }
  return [...missing, ...order].map(resource => {
    const actions = actionsOf.get(resource) ?? []
    return actions.length === 0 ? resource : `${resource}:${actions.join(',')}`
  })
}

/** The last colon parts the actions off: a resource name may hold a port. */
function splitScope(scope: string): { readonly resource: string; readonly actions: readonly string[] } {
  const colon = scope.lastIndexOf(':')
  if (colon < 0) return { resource: scope, actions: [] }
  return {
    resource: scope.slice(0, colon),
    actions: scope
      .slice(colon + 1)
      .split(',')
      .filter(Boolean),
  }
}

/** The same for the same scopes in any order. */
export function scopeKey(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ')
}
