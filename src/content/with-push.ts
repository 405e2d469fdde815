import type { Target } from './ports.ts'

/** The same target, pushed to in another way. */
export function withPush(target: Target, push: Target['push']): Target {
  return {
    place: target.place,
    mountDomain: target.mountDomain,
    resolve: (name, options) => target.resolve(name, options),
    open: (descriptor, options) => target.open(descriptor, options),
    has: (descriptor, options) => target.has(descriptor, options),
    push,
    tag: (manifest, names, options) => target.tag(manifest, names, options),
    close: async options => target.close?.(options),
  }
}
