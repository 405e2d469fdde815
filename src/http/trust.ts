import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { messageOf } from '../errors.ts'
import type { ClientCertificate } from './certs-d.ts'
import { invalid, readCertificates } from './certs-d.ts'
import type { ProxyEnv } from './proxy.ts'

/** Whom to trust, and who we are. */
export interface TlsOptions {
  /** PEM certificates to trust besides those that Node trusts. */
  readonly ca?: string | undefined
  /** PEM, by the host (and port, if it is not 443) that may see them: nobody else is shown who we are. */
  readonly clientCertificates?: Readonly<Record<string, ClientCertificate>>
  /** Folders with certificates by host, as docker keeps them. Read when the host is first connected to. */
  readonly folders?: readonly string[] | undefined
}

/** The TLS of a run: one context a host that has something of its own, one for all others. */
export class Trust {
  readonly #options: TlsOptions
  readonly #env: ProxyEnv
  #shared: tls.SecureContext | undefined

  constructor(options: TlsOptions, env: ProxyEnv) {
    this.#options = options
    this.#env = env
  }

  /** @throws {OciPublishError} INVALID_CERTIFICATE, naming the file's host */
  contextFor(url: URL): tls.SecureContext {
    const { clientCertificates = {}, folders = [] } = this.#options
    const kept = readCertificates(folders, url)
    const own = clientCertificates[url.host]
    const shown = own ? [own] : kept.client
    // One for all who have nothing of their own: parsing 150 roots takes longer than a request.
    if (shown.length === 0 && kept.ca.length === 0) return (this.#shared ??= this.#context([], []))
    try {
      return this.#context(kept.ca, shown)
    } catch (cause) {
      throw invalid(url.host, messageOf(cause), cause)
    }
  }

  #context(more: readonly string[], shown: readonly ClientCertificate[]): tls.SecureContext {
    const { ca } = this.#options
    const added = [...(ca === undefined ? [] : [ca]), ...more]
    return tls.createSecureContext({
      ...(added.length > 0 && { ca: [...defaultRoots(this.#env), ...added] }),
      ...(shown.length > 0 && { cert: shown.map(({ cert }) => cert), key: shown.map(({ key }) => key) }),
    })
  }
}

/** What Node trusts by itself. Before 22.15 it does not tell what NODE_EXTRA_CA_CERTS added. */
function defaultRoots(env: ProxyEnv): readonly string[] {
  const { getCACertificates } = tls as Partial<typeof tls>
  if (getCACertificates) return getCACertificates('default')
  const extra = env['NODE_EXTRA_CA_CERTS'] ?? ''
  return extra === '' ? tls.rootCertificates : [...tls.rootCertificates, readFileSync(extra, 'utf8')]
}
