import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Abortable } from '../../async/abortable.ts'
import { messageOf } from '../../errors.ts'
import type { Exec } from '../../exec.ts'
import { entryFor, helperFor, parseAuthFile, type AuthFile } from './auth-file.ts'
import type { CredentialSource, FoundCredential } from './credential.ts'
import { credentialChain } from './chain.ts'
import { askHelper } from './helper.ts'

export interface AuthFileDeps {
  readonly env: NodeJS.ProcessEnv
  /** Runs credential helpers. */
  readonly exec: Exec
  /** User id, by which podman keeps its file where there is no XDG_RUNTIME_DIR; by default that of the process. */
  readonly uid?: number | undefined
}

/**
 * Where other tools keep the credentials of `login`, in this order: `DOCKER_AUTH_CONFIG` (the text itself, as GitLab has
 * it), podman's `REGISTRY_AUTH_FILE`, docker's config, podman's other files. A file that is not there is looked at and
 * named, not an error; one that cannot be read is named with the reason.
 */
export function authFiles({ env, exec, uid = process.getuid?.() }: AuthFileDeps): CredentialSource {
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const home = given(process.platform === 'win32' ? 'USERPROFILE' : 'HOME') ?? homedir()
  const file = (name: string, ...path: readonly string[]): CredentialSource =>
    authSource(`${name} ${join(...path)}`, () => readFile(join(...path)), exec)
  const inline = given('DOCKER_AUTH_CONFIG')
  const explicit = given('REGISTRY_AUTH_FILE')
  const runtime = given('XDG_RUNTIME_DIR')
  return credentialChain([
    ...(inline === undefined ? [] : [authSource('DOCKER_AUTH_CONFIG', () => Promise.resolve(inline), exec)]),
    ...(explicit === undefined ? [] : [file('REGISTRY_AUTH_FILE', explicit)]),
    file('docker config', given('DOCKER_CONFIG') ?? join(home, '.docker'), 'config.json'),
    ...(runtime === undefined ? [] : [file('podman auth file', runtime, 'containers', 'auth.json')]),
    ...(runtime === undefined && uid !== undefined
      ? [file('podman auth file', `/run/containers/${uid}/auth.json`)]
      : []),
    file('podman auth file', given('XDG_CONFIG_HOME') ?? join(home, '.config'), 'containers', 'auth.json'),
  ])
}

/** One auth file; read once, when the first credential is asked for, and again when what it holds was refused. */
function authSource(from: string, read: () => Promise<Uint8Array | string>, exec: Exec): CredentialSource {
  let opened: Promise<AuthFile | string> | undefined
  const open = async (): Promise<AuthFile | string> => {
    try {
      return parseAuthFile(await read(), from)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not there' : messageOf(error)
    }
  }
  return {
    async find(host, repository, { signal } = {}) {
      const file = await (opened ??= open())
      if (typeof file === 'string') return nothing(file.startsWith(from) ? file : `${from} (${file})`)
      return search(file, { from, host, repository, exec, signal })
    },
    forget() {
      opened = undefined
    },
  }
}

interface Search extends Abortable {
  readonly from: string
  readonly host: string
  readonly repository: string
  readonly exec: Exec
}

async function search(file: AuthFile, { from, host, repository, exec, signal }: Search): Promise<FoundCredential> {
  const lookedAt: string[] = []
  const helper = helperFor(file, host)
  if (helper !== undefined) {
    const place = `docker-credential-${helper} of ${from}`
    try {
      const credential = await askHelper(helper, host, { exec, signal })
      if (credential) return { credential, from: place, lookedAt: [place] }
      lookedAt.push(place)
    } catch (error) {
      signal?.throwIfAborted()
      // A helper that is not installed must not keep anybody from reading a public image.
      lookedAt.push(`${place} (${messageOf(error)})`)
    }
  }
  const credential = entryFor(file, host, repository)
  lookedAt.push(from)
  return { credential, from: credential && from, lookedAt }
}

function nothing(place: string): FoundCredential {
  return { credential: undefined, from: undefined, lookedAt: [place] }
}
