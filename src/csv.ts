/**
 * Parts one line at its commas. A value with commas is quoted, the whole field or what follows its `=`; a quote inside
 * quotes is doubled.
 *
 * @returns undefined when a quote is not closed, or text follows it
 */
export function csvFields(line: string): readonly string[] | undefined {
  const fields: string[] = []
  let rest = line
  for (;;) {
    const [quoted, key = '', value = '', more] = /^([^",=]*=)?"((?:[^"]|"")*)"(,|$)/s.exec(rest) ?? []
    const [bare, text = '', moreText] = /^(?!(?:[^",=]*=)?")([^,]*)(,|$)/s.exec(rest) ?? []
    const field = quoted ?? bare
    if (field === undefined) return undefined
    fields.push(quoted === undefined ? text : key + value.replaceAll('""', '"'))
    if ((more ?? moreText) === '') return fields
    rest = rest.slice(field.length)
  }
}
