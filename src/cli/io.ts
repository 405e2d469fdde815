import { harmless, harmlessDocument, harmlessJson } from '../tell/harmless.ts'
import { Secrets } from '../tell/secrets.ts'

/** Streams as a process has them. Only this file writes to them. */
export interface Streams {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: Output
  readonly stderr: Output
}

/** A stream to write to, as far as it is needed. */
interface Output {
  write(content: string | Uint8Array): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  /** Whether colours are wanted there: knows the terminal, NO_COLOR and FORCE_COLOR. */
  hasColors?(env: NodeJS.ProcessEnv): boolean
}

/** A line of a display that is drawn over. */
export interface DrawnLine {
  readonly text: string
  readonly bold?: boolean
}

/** Standard error: for people. Whatever the lines hold, they are lines, harmless ones, and without secrets. */
export interface Messages {
  readonly isTTY: boolean
  /** Cells of a line; undefined where that is not known. */
  readonly columns: number | undefined
  hasColors(env: NodeJS.ProcessEnv): boolean
  say(lines: readonly string[]): void
  /** Takes the last `erase` lines away, says `lines`, and draws others below them, each at most as wide as the terminal. */
  draw(erase: number, lines: readonly string[], drawn: readonly DrawnLine[]): void
}

/** Standard output: for machines and pipes. */
export interface Results {
  readonly columns: number | undefined
  /** One result a line, whatever is in it: no result can pass for two. */
  lines(results: readonly string[]): void
  /** A text of our own of several lines, such as a help. */
  text(text: string): void
  json(value: unknown): void
  /** Bytes that were asked for as they are. On a terminal, what could steer it is shown escaped. */
  document(bytes: Uint8Array): void
}

/** The edge of the command line: everything that leaves goes through here, because there is no other way to write. */
export interface Io {
  readonly stdin: Streams['stdin']
  readonly stdout: Results
  readonly stderr: Messages
  /** What is never printed; may grow. */
  readonly secrets: Secrets
}

const ESC = '\u001b['

export function openIo({ stdin, stdout, stderr }: Streams): Io {
  const secrets = new Secrets()
  // Secrets first: escaped they would not be known any more.
  const message = (line: string): string => harmless(secrets.hide(line))
  const result = (line: string): string => harmless(secrets.hideInNames(line))
  const cells = (): number => Math.max(1, (stderr.columns ?? 80) - 1) // a terminal that wraps needs one line more
  const drawnText = ({ text, bold = false }: DrawnLine): string => {
    const shown = cut(message(text), cells())
    return bold ? `${ESC}1m${shown}${ESC}22m` : shown
  }
  return {
    stdin,
    secrets,
    stdout: {
      get columns() {
        return stdout.columns
      },
      lines(results) {
        if (results.length > 0) stdout.write(results.map(line => `${result(line)}\n`).join(''))
      },
      text(text) {
        stdout.write(text.split('\n').map(result).join('\n'))
      },
      json(value) {
        stdout.write(`${harmlessJson(withoutSecrets(value, secrets))}\n`)
      },
      document(bytes) {
        stdout.write(stdout.isTTY === true ? harmlessDocument(new TextDecoder().decode(bytes)) : bytes)
      },
    },
    stderr: {
      isTTY: stderr.isTTY === true,
      get columns() {
        return stderr.columns
      },
      hasColors: env => stderr.hasColors?.(env) ?? false,
      say(lines) {
        if (lines.length > 0) stderr.write(lines.map(line => `${message(line)}\n`).join(''))
      },
      draw(erase, lines, drawn) {
        const start = erase === 0 ? '' : `${ESC}${erase}A\r${ESC}J`
        const all = [...lines.map(message), ...drawn.map(drawnText)]
        stderr.write(`${start}${all.map(line => `${line}\n`).join('')}`)
      },
    },
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** A document without secrets in its texts; names of fields are ours, those of annotations are not. */
function withoutSecrets(value: unknown, secrets: Secrets): unknown {
  return JSON.parse(JSON.stringify(value), (_key, one: unknown) => {
    if (typeof one === 'string') return secrets.hideInNames(one)
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [secrets.hideInNames(key), inner]))
  }) as unknown
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
