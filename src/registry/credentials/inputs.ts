import { normaliseHost, passwordCredential, type CredentialSource } from './credential.ts'

/** Credentials that the user wrote down for one registry. */
export interface GivenCredential {
  /** Host, with its port if it has one. */
  readonly registry: string
  readonly username: string
  readonly password: string
  /** For messages: `inputs username and password`. */
  readonly from: string
}

/** Credentials given explicitly; the host has to be equal, never merely similar. */
export function givenCredentials(given: readonly GivenCredential[]): CredentialSource {
  return {
    find(host) {
      const found = given.find(({ registry }) => normaliseHost(registry) === normaliseHost(host))
      return Promise.resolve({
        credential: found && passwordCredential(found.username, found.password),
        from: found?.from,
        lookedAt: [found?.from ?? 'inputs'],
      })
    },
  }
}

/** The token of a GitHub workflow, for GitHub's own registry and nobody else's. */
export function githubToken(token: string, actor = 'github-actions'): CredentialSource {
  return {
    find(host) {
      if (normaliseHost(host) !== 'ghcr.io' || token === '') {
        return Promise.resolve({ credential: undefined, from: undefined, lookedAt: [] })
      }
      return Promise.resolve({
        credential: passwordCredential(actor, token),
        from: 'github-token',
        lookedAt: ['github-token'],
        implied: true,
      })
    },
  }
}
