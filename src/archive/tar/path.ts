import { OciPublishError } from '../../errors.ts'

/**
 * The one name of a path of an archive, where `./usr//bin/`, `/usr/bin` and `usr/bin` are one: without `.`, empty parts and
 * slashes at the ends. The root is `.`. Links are not followed.
 *
 * @throws {OciPublishError} INVALID_ARCHIVE for a path with a `..` in it, which may lead out of the archive
 */
export function cleanPath(path: string): string {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..')) {
    throw new OciPublishError(
      'INVALID_ARCHIVE',
      `${JSON.stringify(path)} may lead out of the archive: it has ".." in it`,
    )
  }
  return parts.length === 0 ? '.' : parts.join('/')
}
