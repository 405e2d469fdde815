import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'
import { ask, below, type ServiceIo } from './ask.ts'

export interface AttestationToStore {
  /** Of GitHub's API: `https://api.github.com`. */
  readonly apiUrl: string
  /** Of GitHub's pages: `https://github.com`. */
  readonly serverUrl: string
  /** `acme/app`. */
  readonly repository: string
  readonly token: string
  /** A sigstore bundle with an envelope, in JSON. */
  readonly bundle: Uint8Array
}

export interface StoredAttestation {
  readonly id: string
  /** Where people look at it. */
  readonly url: string
}

const CODE = 'ATTESTATION_FAILED'
const MAX_ANSWER_BYTES = 64 << 10
const answer = v.object({ id: v.union([v.string(), v.number()], 'is neither number nor text') }, 'is not an object')

/**
 * Stores a bundle with the repository that it was made in, where `gh attestation verify` and people find it.
 *
 * @throws {ServiceError} ATTESTATION_FAILED
 * @see GitHub REST API, "Create an attestation"
 */
export async function storeAttestation(
  { apiUrl, serverUrl, repository, token, bundle }: AttestationToStore,
  io: ServiceIo,
): Promise<StoredAttestation> {
  const name = repository.split('/').map(encodeURIComponent).join('/')
  const response = await ask(
    {
      method: 'POST',
      url: below(apiUrl, `repos/${name}/attestations`),
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-github-api-version': '2022-11-28',
      },
      body: Buffer.concat([Buffer.from('{"bundle":'), bundle, Buffer.from('}')]),
      operation: `store the attestation with ${repository}`,
      code: CODE,
      accepts: [200, 201],
      maxBytes: MAX_ANSWER_BYTES,
      hint: hintFor,
      secret: token,
    },
    io,
  )
  const where = `attestation of ${repository}`
  const text = await response.text(MAX_ANSWER_BYTES)
  try {
    const { id } = parse(answer, parseJson(text, where), where)
    return { id: `${id}`, url: below(serverUrl, `${name}/attestations/${encodeURIComponent(id)}`).href }
  } catch (cause) {
    throw new OciPublishError(CODE, `${where}: the answer cannot be read`, { cause })
  }
}

/** YAML on one line, as messages are. */
const PERMISSION =
  'give the job "permissions: { attestations: write, id-token: write, contents: read }", with what else it needs'

function hintFor(status: number, detail: string): string | undefined {
  if (/\bnot available\b|make this repository public|\bupgrade\b/i.test(detail)) {
    return 'GitHub keeps attestations of private repositories for organisations with Enterprise Cloud only: leave out "github-attestation"; those in the registry are not touched by this'
  }
  if (status === 401) return 'the input "github-token" is not valid: ${{ github.token }} is the one of the job'
  if (status === 403 || status === 404) return PERMISSION
  return undefined
}
