import type { Annotations } from '../oci/descriptor.ts'
import { samePlatform, type Platform } from '../oci/platform.ts'

/** Documents that annotations can stand on. `manifest-descriptor`: on the entry of the index that points at a manifest. */
export const LEVELS = ['index', 'manifest', 'manifest-descriptor'] as const
export type AnnotationLevel = (typeof LEVELS)[number]

export interface AnnotationRule {
  readonly levels: readonly AnnotationLevel[]
  /** Only for this platform; undefined is every one. */
  readonly platform: Platform | undefined
  readonly key: string
  readonly value: string
}

/** The annotations of one document; a later rule of the same key wins. */
export function annotationsFor(
  rules: readonly AnnotationRule[],
  level: AnnotationLevel,
  platform?: Platform,
): Annotations {
  return Object.fromEntries(
    rules
      .filter(rule => rule.levels.includes(level))
      .filter(rule => rule.platform === undefined || (platform !== undefined && samePlatform(rule.platform, platform)))
      .map(({ key, value }) => [key, value]),
  )
}
