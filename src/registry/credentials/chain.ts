import type { CredentialSource } from './credential.ts'

/** Asks one source after the other; the first that has something wins, and everything looked at is remembered. */
export function credentialChain(sources: readonly CredentialSource[]): CredentialSource {
  return {
    async find(host, repository, { signal } = {}) {
      const lookedAt: string[] = []
      for (const source of sources) {
        signal?.throwIfAborted()
        const found = await source.find(host, repository, { signal })
        lookedAt.push(...found.lookedAt)
        if (found.credential) return { ...found, lookedAt }
      }
      return { credential: undefined, from: undefined, lookedAt }
    },
    forget(host) {
      for (const source of sources) source.forget?.(host)
    },
  }
}
