/** A stream to write to, as far as a command needs it. */
export interface Output {
  write(content: string | Uint8Array): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  /** Whether colours are wanted there: knows the terminal, NO_COLOR and FORCE_COLOR. */
  hasColors?(env: NodeJS.ProcessEnv): boolean
}

/** Standard output is for machines, standard error for people. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: Output
  readonly stderr: Output
}

const MAX_PASSWORD_BYTES = 1 << 16

/** The password on standard input, without the newline that `echo` adds; undefined when it is too long to be one. */
export async function readPassword(stdin: Io['stdin']): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array))
    size += chunk.length
    if (size > MAX_PASSWORD_BYTES) return undefined
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
