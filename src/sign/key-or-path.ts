/** Longer than any path, shorter than most keys in base64; those that are not begin as PEM in base64 does. */
const MAX_PATH = 255
export const PEM_BEGIN = '-----BEGIN'
const PEM_BEGIN_BASE64 = 'LS0tLS1CRUdJT'

/** Whether a text begins as PEM in base64 does, or is too long for a path. */
export function mayBeBase64(text: string): boolean {
  return text.startsWith(PEM_BEGIN_BASE64) || text.length > MAX_PATH
}

/** Whether what stands where a key or its path may stand is no path: it may be a key, or half of one. */
export function mayBeKey(value: string): boolean {
  const text = value.trim()
  return text.includes(PEM_BEGIN) || text.includes('\n') || mayBeBase64(text)
}
