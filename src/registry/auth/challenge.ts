/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[\t ]*(?:,|$))/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy
const GAP = /[\t ,]*/y
const BLANK = /[\t ]*/y

/**
 * Reads every challenge of every header, in order. What cannot be read ends its header: a strange scheme in front does
 * not hide the Bearer challenge of another header, and a broken header is no challenge.
 *
 * @see RFC 9110, 11.6.1
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap(challengesOf)
}

function challengesOf(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = []
  let at = 0
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at
    const match = form.exec(header)
    if (match) at = form.lastIndex
    return match
  }
  for (;;) {
    take(GAP)
    const name = take(TOKEN)?.[0]
    if (name === undefined) return found
    const blank = take(BLANK)?.[0] ?? ''
    const current = found.at(-1)
    if (header[at] === '=' && current) {
      at++
      take(BLANK)
      const quoted = take(QUOTED)
      const value = quoted ? (quoted[1] ?? '').replace(/\\(.)/gs, '$1') : take(TOKEN)?.[0]
      if (value === undefined) return found
      const key = name.toLowerCase()
      // The first one counts: a second `realm` must not be able to redirect credentials.
      if (!current.parameters.has(key)) current.parameters.set(key, value)
    } else {
      found.push({ scheme: name.toLowerCase(), parameters: new Map() })
      // `Negotiate YII…==` is a scheme with a token, not with parameters.
      if (blank !== '') take(TOKEN68)
    }
  }
}

/** What a registry asks for, as far as this client can give it. */
export type Demand =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      /** As sent; may be relative to the URL of the request. */
      readonly realm: string
      readonly service: string | undefined
      /** Space-separated, as sent. */
      readonly scope: string | undefined
    }

/** Bearer before Basic, because a token is narrower than a password; undefined when there is neither. */
export function demandOf(challenges: readonly Challenge[]): Demand | undefined {
  for (const { scheme, parameters } of challenges) {
    const realm = parameters.get('realm')
    if (scheme !== 'bearer' || realm === undefined || realm === '') continue
    return { scheme, realm, service: parameters.get('service'), scope: parameters.get('scope') }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}
