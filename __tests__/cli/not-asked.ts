import type { CliParts } from '../../src/cli/publish.ts'

const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for'))

/** Use cases of other commands than the one that a test runs. */
export const ARTIFACT_PARTS: Pick<
  CliParts<unknown>,
  'copyTags' | 'attach' | 'discover' | 'pull' | 'generateSbom' | 'attachSboms' | 'sign' | 'verify'
> = {
  copyTags: notAsked,
  attach: notAsked,
  discover: notAsked,
  pull: notAsked,
  generateSbom: notAsked,
  attachSboms: notAsked,
  sign: notAsked,
  verify: notAsked,
}
