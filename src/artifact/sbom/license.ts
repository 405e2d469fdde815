/** What a license text is to a BOM. */
export type LicenseForm = 'id' | 'expression' | 'name'

/** No expression is longer; one of a hundred thousand parentheses is no expression. */
const MAX_EXPRESSION = 2000

/**
 * Whether a text is the identifier of a license, an expression of several, or only words.
 *
 * @param isId which identifiers there are
 * @see SPDX specification 2.3, annex D, "SPDX license expressions"
 */
export function licenseForm(text: string, isId: (word: string) => boolean): LicenseForm {
  if (isId(text)) return 'id'
  if (text.length > MAX_EXPRESSION) return 'name'
  const words = text.replace(/[()]/g, ' $& ').trim().split(/\s+/)
  let at = 0
  const simple = (): boolean => {
    const word = words[at++] ?? ''
    if (word === '(') return all() && words[at++] === ')'
    if (!isId(word) && !isId(word.replace(/[+]$/, '')) && !/^(?:DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+$/.test(word))
      return false
    if (words[at] !== 'WITH') return true
    at += 2
    return isId(words[at - 1] ?? '')
  }
  const all = (): boolean => {
    do if (!simple()) return false
    while (['AND', 'OR'].includes(words[at] ?? '') && ++at > 0)
    return true
  }
  return all() && at === words.length ? 'expression' : 'name'
}
