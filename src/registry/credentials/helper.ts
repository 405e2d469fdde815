import * as v from 'valibot'
import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError } from '../../errors.ts'
import type { Exec } from '../../exec.ts'
import { parse, parseJson } from '../../parse.ts'
import { HUB_KEY, normaliseHost, passwordCredential, type Credential } from './credential.ts'

const answer = v.object({ Username: v.string('is not text'), Secret: v.string('is not text') }, 'is not an object')

const MAX_ANSWER_BYTES = 1 << 20
const NAME = /^[A-Za-z0-9._-]+$/

/**
 * Asks `docker-credential-<name> get`.
 *
 * @returns undefined when the helper has nothing for the host
 * @throws {OciPublishError} CREDENTIAL_HELPER_FAILED
 * @see the protocol of docker-credential-helpers
 */
export async function askHelper(
  name: string,
  host: string,
  { exec, signal }: Abortable & { readonly exec: Exec },
): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`
  // The name comes from a file: it must not become a path to something else.
  if (!NAME.test(name)) throw failed(program, 'not the name of a helper')
  const server = normaliseHost(host) === 'docker.io' ? HUB_KEY : host
  const { exitCode, stdout, stderr } = await exec(program, ['get'], {
    input: server,
    maxOutputBytes: MAX_ANSWER_BYTES,
    signal,
  })
  if (exitCode !== 0) {
    // Helpers say on standard output what went wrong.
    const said = [stdout, stderr].map(text => text.trim()).find(text => text !== '') ?? 'no message'
    if (/credentials not found/i.test(said)) return undefined
    throw failed(program, `exit code ${exitCode}: ${said.slice(0, 200)}`)
  }
  const { Username: username, Secret: secret } = parse(answer, parseJson(stdout, program), program)
  return secret === '' ? undefined : passwordCredential(username, secret)
}

function failed(program: string, because: string): OciPublishError {
  return new OciPublishError('CREDENTIAL_HELPER_FAILED', `${program}: ${because}`)
}
