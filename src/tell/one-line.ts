/**
 * Text from elsewhere (a registry's words, a file's name) as one line of a log: without control characters, so that it
 * can neither steer a terminal nor begin a line of its own.
 */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
}
