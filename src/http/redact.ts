/** Parameters of the registry and token protocols that name things. All others may be signatures or sessions. */
const HARMLESS = new Set(['ns', 'digest', 'mount', 'from', 'n', 'last', 'artifactType', 'service', 'scope'])

/** A URL for messages: no credentials, no fragment, and `…` for every query value that might be a secret. */
export function redactUrl(url: URL): string {
  const query = url.search.slice(1)
  const shown = query === '' ? '' : `?${query.split('&').map(redactParameter).join('&')}`
  return `${url.protocol}//${url.host}${url.pathname}${shown}`
}

function redactParameter(parameter: string): string {
  const [name = '', value] = parameter.split(/=(.*)/s)
  if (value === undefined) return '…' // a bare word may be the secret itself
  return HARMLESS.has(name) ? parameter : `${name}=…`
}
