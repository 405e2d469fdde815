import { listsReferrers, type ReferrerLister, type Target } from './ports.ts'

/** The same target, pushed to in another way. It lists referrers where the other does. */
export function withPush(target: Target, push: Target['push']): Target & Partial<ReferrerLister> {
  return {
    place: target.place,
    mountDomain: target.mountDomain,
    resolve: (name, options) => target.resolve(name, options),
    open: (descriptor, options) => target.open(descriptor, options),
    has: (descriptor, options) => target.has(descriptor, options),
    ...(target.isComplete && { isComplete: manifest => target.isComplete?.(manifest) ?? false }),
    push,
    tag: (manifest, names, options) => target.tag(manifest, names, options),
    ...(listsReferrers(target) && {
      referrers: (subject, options) => target.referrers(subject, options),
    }),
    close: async options => target.close?.(options),
  }
}
