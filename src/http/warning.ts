const MISCELLANEOUS = /(?:^|,)\s*299\s+\S+\s+"((?:[^"\\]|\\.)*)"/g

/** What the Warning headers of an answer want people to read (distribution-spec, "Warnings": code 299 only). */
export function warningsOf(values: readonly string[]): readonly string[] {
  return values.flatMap(value =>
    [...value.matchAll(MISCELLANEOUS)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  )
}
