import * as v from 'valibot'
import { parse, parseJson } from '../../parse.ts'
import { HUB_KEY, normaliseHost, passwordCredential, type Credential } from './credential.ts'
import { withoutTrailing } from '../../trim.ts'

/** What is read of docker's `config.json` and of podman's `auth.json`; everything else in them is left alone. */
export interface AuthFile {
  readonly auths: Readonly<Record<string, AuthEntry>>
  readonly credHelpers: Readonly<Record<string, string>>
  readonly credsStore: string | undefined
}

interface AuthEntry {
  readonly auth?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly identitytoken?: string | undefined
  readonly registrytoken?: string | undefined
}

const text = v.optional(v.string('is not text'))
const entry = v.object({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text })
const authFile = v.object({
  auths: v.nullish(v.record(v.string(), entry, 'is not a map of hosts')),
  credHelpers: v.nullish(v.record(v.string(), v.string('is not text'), 'is not a map of hosts')),
  credsStore: text,
})

/** @throws {OciPublishError} INVALID_DOCUMENT */
export function parseAuthFile(bytes: Uint8Array | string, where: string): AuthFile {
  const { auths, credHelpers, credsStore } = parse(authFile, parseJson(bytes, where), where)
  return {
    auths: auths ?? {},
    credHelpers: credHelpers ?? {},
    credsStore: credsStore === '' ? undefined : credsStore,
  }
}

/**
 * The entry for a repository: the longest key that is a prefix of `host/repository` by whole parts, as podman has it;
 * docker's keys are hosts, with or without a scheme. The host has to be equal, port included.
 */
export function entryFor(file: AuthFile, host: string, repository: string): Credential | undefined {
  const wanted = `${normaliseHost(host)}/${repository}`
  const keys = Object.entries(file.auths)
    .map(([key, value]) => ({ scope: scopeOf(key), value }))
    .filter(({ scope }) => wanted === scope || wanted.startsWith(`${scope}/`))
    .sort((a, b) => b.scope.length - a.scope.length)
  for (const { value } of keys) {
    const credential = credentialOf(value)
    if (credential) return credential
  }
  return undefined
}

/** `https://index.docker.io/v1/` -> `docker.io`; `https://host/v2/` -> `host`; `Host/team` -> `host/team`. */
function scopeOf(key: string): string {
  if (key === HUB_KEY) return 'docker.io'
  const url = /^https?:\/\/([^/]+)/i.exec(key)
  if (url?.[1]) return normaliseHost(url[1])
  const [host = '', ...path] = key.split('/').filter(Boolean)
  const parts = path.length === 1 && /^v[12]$/.test(path[0] ?? '') ? [] : path
  return [normaliseHost(host), ...parts].join('/')
}

function credentialOf({ auth, username, password, identitytoken, registrytoken }: AuthEntry): Credential | undefined {
  if (registrytoken) return { kind: 'bearer', token: registrytoken }
  if (identitytoken) return { kind: 'identity', token: identitytoken }
  if (auth) {
    // The password may hold colons, the name may not.
    const decoded = withoutTrailing(Buffer.from(auth, 'base64').toString('utf8'), '\0')
    const colon = decoded.indexOf(':')
    if (colon > 0) return passwordCredential(decoded.slice(0, colon), decoded.slice(colon + 1))
  }
  if (username && password !== undefined) return passwordCredential(username, password)
  return undefined
}

/** The helper program for a host, without its `docker-credential-` prefix. */
export function helperFor({ credHelpers, credsStore }: AuthFile, host: string): string | undefined {
  for (const [key, helper] of Object.entries(credHelpers)) if (scopeOf(key) === normaliseHost(host)) return helper
  return credsStore
}
