import { basename, isAbsolute, relative, resolve, sep } from 'node:path'
import type { LayerSpec } from '../layer/line.ts'

/**
 * What `history` says of a layer. Where the files were on the machine that made it must not show: the same request in
 * another directory is the same image.
 */
export function createdBy(spec: LayerSpec, context: string): string {
  if (spec.kind === 'tar') return `ADD ${asTyped(spec.file, context)} /`
  const { src, dest, owner, mode } = spec
  const chown =
    owner === undefined ? '' : ` --chown=${[owner.user, owner.group].filter(id => id !== undefined).join(':')}`
  const chmod = mode === undefined ? '' : ` --chmod=${mode.toString(8).padStart(4, '0')}`
  return `COPY${chown}${chmod} ${asTyped(src, context)} ${dest}`
}

function asTyped(path: string, context: string): string {
  if (!isAbsolute(path)) return path.replaceAll('\\', '/')
  const inside = relative(resolve(context), path)
  const shown = inside === '' ? '.' : inside.startsWith('..') || isAbsolute(inside) ? basename(path) : inside
  return shown.replaceAll(sep, '/')
}
