/** What is known of a registry before it is asked, as far as it changes what is asked. */
export interface Profile {
  /** Whether a blob may be mounted from another repository; `false` saves the question. */
  readonly mount: boolean
}

const PLAIN: Profile = { mount: true }

/** First match wins. */
const PROFILES: readonly (readonly [host: RegExp, profile: Profile])[] = [
  // Mounting an existing blob fails there now and then, and never helps across registries of one account.
  [/^public[.]ecr[.]aws$/, { mount: false }],
]

export function profileOf(host: string): Profile {
  return PROFILES.find(([pattern]) => pattern.test(host))?.[1] ?? PLAIN
}
