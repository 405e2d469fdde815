import { realpathSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { OciPublishError } from '../errors.ts'

export interface SourceOptions {
  /** Directory that sources are relative to. */
  readonly context: string
  /** Take symlinks that lead out. Off by default: who may change a file of the context could publish any other. */
  readonly followLinks?: boolean | undefined
}

/**
 * The real path of what a user typed, undefined where nothing is there. What is typed may name any place, `../shared` and
 * `/opt/tool` too; a symlink that is met on the way may not lead out of it again.
 *
 * @throws {OciPublishError} OUTSIDE_CONTEXT for a symlink that leads out; what the system says, as it is
 */
export function resolveSource(typed: string, options: SourceOptions): string | undefined {
  const path = resolve(options.context, typed)
  const real = realPathOf(path)
  if (real !== undefined && !options.followLinks) {
    const boundary = boundaryOf(typed, options.context)
    if (!isInside(real, boundary)) throw leavingSource(typed, real, boundary)
  }
  return real
}

/**
 * The directory that symlinks on the way to a path may not leave: the closest that holds both the context and the path. It
 * is the context for all that is in it, its parent for `../shared`, and as a rule `/` for `/opt/tool`.
 */
export function boundaryOf(typed: string, context: string): string {
  const path = resolve(context, typed)
  const real = realPathOf(resolve(context)) ?? resolve(context)
  const [closest = resolve(path, sep)] = [real, resolve(context)]
    .map(base => ({ base, up: stepsUp(base, path) }))
    .filter(({ up }) => Number.isFinite(up))
    .sort((a, b) => a.up - b.up)
    .map(({ base, up }) => join(base, '../'.repeat(up)))
  return realPathOf(closest) ?? closest
}

/** Whether a path is a directory or in it; both real. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`)
}

export function leavingSource(typed: string, real: string, boundary: string): OciPublishError {
  const message = `"${typed}" leads out of ${boundary}: it is or passes a symlink to ${real}`
  const hint = 'name the file itself, or set "follow-links: true"'
  return new OciPublishError('OUTSIDE_CONTEXT', message, { hint })
}

/** How many directories above `base` the path branches off; none that would do on another drive of Windows. */
function stepsUp(base: string, path: string): number {
  const way = relative(base, path)
  return isAbsolute(way) ? Infinity : way.split(sep).filter(part => part === '..').length
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
