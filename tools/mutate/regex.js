// Mutants of a regular expression: without an anchor, with another quantifier, with a negated class.

/** @param {string} literal with slashes and flags @returns {string[]} valid regular expressions only */
export function regexMutants(literal) {
  const [body, flags] = [literal.slice(1, literal.lastIndexOf('/')), literal.slice(literal.lastIndexOf('/') + 1)]
  const changed = []
  const put = (at, length, text, withFlags = flags) => {
    const next = body.slice(0, at) + text + body.slice(at + length)
    if (isRegex(next, withFlags)) changed.push(`/${next}/${withFlags}`)
  }
  for (const { at, token, inClass } of tokensOf(body)) {
    if (inClass) continue
    if (token === '^' || token === '$') put(at, 1, '')
    else if (token === '+') put(at, 1, '*')
    else if (token === '*') put(at, 1, '+')
    else if (token === '?') put(at, 1, '')
    else if (token === '[') put(at, body[at + 1] === '^' ? 2 : 1, body[at + 1] === '^' ? '[' : '[^')
    else if (token === '{') put(at, body.indexOf('}', at) + 1 - at, '')
    else if (/^\\[dDwWsSbB]$/.test(token)) put(at, 2, `\\${swapCase(token[1])}`)
  }
  if (flags.includes('i')) put(0, 0, '', flags.replace('i', ''))
  return [...new Set(changed)].filter(one => one !== literal)
}

function* tokensOf(body) {
  let inClass = false
  for (let at = 0; at < body.length;) {
    const token = body[at] === '\\' ? body.slice(at, at + 2) : body[at]
    // In `(?:` the `?` is not a quantifier.
    const isGroup = token === '?' && body[at - 1] === '(' && body[at - 2] !== '\\'
    if (!isGroup) yield { at, token, inClass }
    if (token === '[') inClass = true
    if (token === ']') inClass = false
    at += token.length
  }
}

function swapCase(letter) {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
}

function isRegex(body, flags) {
  try {
    return body !== '' && new RegExp(body, flags) instanceof RegExp
  } catch {
    return false
  }
}
