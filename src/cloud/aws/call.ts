import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError } from '../../errors.ts'
import type { EcrToken } from '../ecr-api.ts'

/** Whether the environment says where an API is: then there is no choice between AWS's own endpoints. */
export function hasEndpoint(env: NodeJS.ProcessEnv, service: 'ECR' | 'ECR_PUBLIC'): boolean {
  return [`AWS_ENDPOINT_URL_${service}`, 'AWS_ENDPOINT_URL'].some(name => Boolean(env[name]))
}

/** As AWS's clients are told of the signal. */
export function sendOptions({ signal }: Abortable): { readonly abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {}
}

interface AuthorizationData {
  readonly authorizationToken?: string | undefined
  readonly expiresAt?: Date | undefined
}

/** What AWS documents, for an answer that does not say. */
const LIFETIME_MS = 12 * 3_600_000

export function tokenOf(data: AuthorizationData | undefined, host: string): EcrToken {
  const authorization = data?.authorizationToken ?? ''
  if (authorization === '') throw new OciPublishError('INVALID_DOCUMENT', `the answer of AWS has no token for ${host}`)
  return { authorization, expiresAt: data?.expiresAt?.getTime() ?? Date.now() + LIFETIME_MS }
}

/** Whether a call succeeded, or failed with the one error that is an answer. */
export async function unless(answer: string, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call()
    return true
  } catch (error) {
    if ((error as { readonly name?: unknown } | null)?.name === answer) return false
    throw error
  }
}
