/** Why a path cannot be a destination in an image; undefined when it can. */
export function destinationProblem(dest: string): string | undefined {
  if (!dest.startsWith('/')) return `dest "${dest}" is not an absolute path`
  if (dest.includes('\0')) return 'dest has a NUL character'
  let depth = 0
  for (const segment of segmentsOf(dest)) {
    depth += segment === '..' ? -1 : 1
    if (depth < 0) return `dest "${dest}" leads out of the image`
    if (segment.startsWith('.wh.')) return `dest "${dest}": names that begin with ".wh." stand for deletions in a layer`
  }
  return undefined
}

/** One spelling: no `.`, `..` or double slash. A slash at the end stays, it says "directory". */
export function normaliseDestination(dest: string): string {
  const kept: string[] = []
  for (const segment of segmentsOf(dest)) {
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  const directory = kept.length > 0 && /(?:^|\/)[.]{0,2}$/.test(dest)
  return `/${kept.join('/')}${directory ? '/' : ''}`
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter(segment => segment !== '' && segment !== '.')
}
