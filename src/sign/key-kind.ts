import type { KeyObject } from 'node:crypto'
import { GENERATE, invalidKey } from './invalid-key.ts'

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

const MIN_RSA_BITS = 2048

const USABLE = `usable are ECDSA on P-256, P-384 and P-521, Ed25519, and RSA of ${MIN_RSA_BITS} bits or more; ${GENERATE}`

/**
 * Gives a key back if it is of a kind that verifiers of images know.
 *
 * @throws {OciPublishError} INVALID_KEY, with the kind that it is of
 */
export function checkKeyKind(key: KeyObject, where: string): KeyObject {
  const problem = kindProblem(key)
  if (problem === undefined) return key
  throw invalidKey(where, problem, { hint: USABLE })
}

function kindProblem({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const type: string = asymmetricKeyType ?? 'unknown'
  const { namedCurve = 'a curve without a name', modulusLength = 0 } = asymmetricKeyDetails
  if (type === 'ed25519') return undefined
  if (type === 'rsa') {
    return modulusLength < MIN_RSA_BITS ? `is an RSA key of ${modulusLength} bits, which is too short` : undefined
  }
  if (type === 'ec') {
    return CURVES.has(namedCurve)
      ? undefined
      : `is an ECDSA key on ${namedCurve}, which verifiers of images do not know`
  }
  return OTHER_KINDS.get(type) ?? `is a key of kind ${type}, which verifiers of images do not know`
}

const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['rsa-pss', 'is a key for RSA-PSS only, and images are signed with RSA as in PKCS #1 v1.5'],
  ['x25519', 'is an X25519 key, which agrees on secrets and cannot sign'],
  ['x448', 'is an X448 key, which agrees on secrets and cannot sign'],
  ['ed448', 'is an Ed448 key, which verifiers of images do not know'],
  ['dsa', 'is a DSA key, which verifiers of images do not know'],
])
