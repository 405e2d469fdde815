import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { OciPublishError, messageOf } from '../errors.ts'
import type { ProxyEnv } from './proxy.ts'

/** What to trust and to show at one host, besides what holds for all. PEM. */
export interface HostCertificates {
  readonly ca: readonly string[]
  readonly client: readonly ClientCertificate[]
}

export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/**
 * Where docker, podman and their kin keep certificates by host, the user's own folders first: `HOST:PORT/*.crt` is an
 * authority, `HOST:PORT/NAME.cert` with `NAME.key` a client certificate.
 */
export function certificateFolders(env: ProxyEnv): readonly string[] {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? ''
  const config = env['XDG_CONFIG_HOME'] ?? (home === '' ? '' : join(home, '.config'))
  return [
    ...(home === '' ? [] : [join(home, '.docker', 'certs.d')]),
    ...(config === '' ? [] : [join(config, 'docker', 'certs.d'), join(config, 'containers', 'certs.d')]),
    join('/etc', 'docker', 'certs.d'),
    join('/etc', 'containers', 'certs.d'),
  ]
}

/**
 * Reads what is kept for a host. All authorities that are found are trusted; the client certificate of the first folder
 * that has one is shown.
 *
 * @param url of the host; its folder may name the port even where it is that of https
 * @throws {OciPublishError} INVALID_CERTIFICATE when a certificate lacks its key, or cannot be read
 */
export function readCertificates(folders: readonly string[], url: URL): HostCertificates {
  const names = url.port === '' ? [url.host, `${url.host}:443`] : [url.host]
  const found = folders.flatMap(folder => names.map(name => readFolder(join(folder, name))))
  return {
    ca: found.flatMap(({ ca }) => ca),
    client: found.find(({ client }) => client.length > 0)?.client ?? [],
  }
}

/** Names that say there is nothing to be read for us: not there, not a folder, somebody else's. */
const NOT_OURS = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']

function readFolder(folder: string): HostCertificates {
  const names = list(folder)
  const read = (name: string): string => readPem(join(folder, name))
  return {
    ca: names.filter(name => name.endsWith('.crt')).map(read),
    client: names
      .filter(name => name.endsWith('.cert'))
      .map(name => {
        const key = name.replace(/cert$/, 'key')
        if (!names.includes(key)) {
          throw invalid(join(folder, name), `it has no ${key} beside it; a file of an authority ends in .crt`)
        }
        return { cert: read(name), key: read(key) }
      }),
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (isNotOurs(error)) return []
    throw invalid(folder, messageOf(error), error)
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw invalid(path, messageOf(error), error)
  }
}

function isNotOurs(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && NOT_OURS.includes(code)
}

/** The error for a certificate that cannot be used. */
export function invalid(where: string, problem: string, cause?: unknown): OciPublishError {
  return new OciPublishError('INVALID_CERTIFICATE', `${where}: this certificate cannot be used: ${problem}`, {
    ...(cause !== undefined && { cause }),
  })
}
