/** What is shorter is a syllable: hiding it would spell it out, and leave nothing to read. */
const MIN = 4
/** A secret that is shorter is a word like another, and hiding it in names would break them. */
const MIN_IN_NAMES = 8

/** Everything that must not be printed: what users gave as a secret, and what registries and services handed out. */
export class Secrets {
  /** The longest first: one may be a part of another. */
  #known: readonly string[] = []

  add(secret: string): void {
    const lines = secret.split(/\r?\n/).map(line => line.trim())
    // A key is printed line by line, if at all. Its first and last line are no secret.
    const parts = lines.length > 1 ? lines.filter(line => line.length >= MIN_IN_NAMES && !line.startsWith('-----')) : []
    const forms = [secret, secret.trim(), ...parts].flatMap(formsOf).filter(({ length }) => length >= MIN)
    this.#known = [...new Set([...this.#known, ...forms])].sort((a, b) => b.length - a.length)
  }

  /** For messages. */
  hide(text: string): string {
    return this.#known.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  }

  /** For results, which programs read: only what can be no part of a name by chance. */
  hideInNames(text: string): string {
    const long = this.#known.filter(({ length }) => length >= MIN_IN_NAMES)
    return long.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  }
}

/** As it is, and as it stands in addresses, in JSON, and in headers. */
function formsOf(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [secret, inJson, secret.isWellFormed() ? encodeURIComponent(secret) : secret, base64(secret)]
}

function base64(text: string): string {
  return text.length < MIN_IN_NAMES ? '' : Buffer.from(text).toString('base64')
}
