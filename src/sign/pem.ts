import { invalidKey } from './invalid-key.ts'

/** What stands between a BEGIN and its END line (RFC 7468). */
export interface PemBlock {
  /** `PRIVATE KEY` */
  readonly label: string
  /** The block alone, with its lines as they should be. */
  readonly text: string
  /** Base64 without white space; undefined where the block has header lines of its own (RFC 1421). */
  readonly body: string | undefined
}

const LINE_LENGTH = 64
const BEGIN = /-----BEGIN ([A-Z0-9 ]+)-----/
const BLOCK = new RegExp(`${BEGIN.source}(.*?)-----END \\1-----`, 'gs')

/**
 * The PEM blocks in a text, whatever stands around them. Lines that CI systems have joined on the way, with spaces or with a
 * written `\n`, are parted again.
 *
 * @throws {OciPublishError} INVALID_KEY for a block without an end
 */
export function pemBlocks(text: string, where: string): readonly PemBlock[] {
  const lines = text.replaceAll('\\r', '').replaceAll('\\n', '\n').replaceAll('\r\n', '\n')
  const blocks = [...lines.matchAll(BLOCK)].map(([block, label = '', content = '']): PemBlock => {
    if (content.includes(':')) return { label, text: `${block}\n`, body: undefined }
    const body = content.replace(/\s+/g, '')
    return { label, text: formatPem(label, body), body }
  })
  const begun = BEGIN.exec(lines.replace(BLOCK, ''))?.[1]
  if (begun !== undefined) {
    const hint = 'give the whole text, with its first and last line and all between them'
    throw invalidKey(where, `is cut off: "-----END ${begun}-----" is missing`, { hint })
  }
  return blocks
}

/** @param body in base64 */
export function formatPem(label: string, body: string): string {
  const lines = body.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
