import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parse, parseJson } from '../parse.ts'

/** Something that a statement is about. */
export interface Subject {
  readonly digest: Digest
  readonly name?: string
  readonly annotations?: Annotations
}

/** An in-toto statement (in-toto attestation framework v1, statement.md). */
export interface Statement {
  readonly subjects: readonly Subject[]
  readonly predicateType: string
  /** A JSON object, or what an older tool has put there. */
  readonly predicate: unknown
}

/** What cosign 3 states when it signs: that the subjects are signed, and no more. */
export const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

const V1 = 'https://in-toto.io/Statement/v1'
const TYPES: readonly string[] = [V1, 'https://in-toto.io/Statement/v0.1']

/** A statement that these manifests are signed, with annotations that the verifier may ask for. */
export function signatureStatement(digests: readonly Digest[], annotations: Annotations = {}): Statement {
  const subjects = digests.map(digest => ({ digest, annotations }))
  return { subjects, predicateType: SIGNATURE_PREDICATE, predicate: {} }
}

/** The bytes that are signed. */
export function serializeStatement({ subjects, predicateType, predicate }: Statement): Uint8Array {
  const subject = subjects.map(({ digest, name, annotations }) => {
    const at = digest.indexOf(':')
    return {
      ...(name !== undefined && { name }),
      digest: { [digest.slice(0, at)]: digest.slice(at + 1) },
      ...(annotations && { annotations }),
    }
  })
  return new TextEncoder().encode(JSON.stringify({ _type: V1, subject, predicateType, predicate }))
}

const text = v.string('is not text')
const schema = v.object(
  {
    _type: text,
    subject: v.array(
      v.object({
        name: v.exactOptional(text),
        digest: v.record(text, text),
        annotations: v.nullish(v.record(text, v.unknown())),
      }),
      'is not a list',
    ),
    predicateType: text,
    predicate: v.optional(v.unknown()),
  },
  'is not an object',
)

/**
 * Reads a statement of any tool. Subjects without a digest that registries use are left out.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseStatement(bytes: Uint8Array, where: string): Statement {
  const { _type, subject, predicateType, predicate } = parse(schema, parseJson(bytes, where), where)
  if (!TYPES.includes(_type)) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: is a "${_type}", not an in-toto statement`)
  }
  const subjects = subject.flatMap(({ name, digest, annotations }) =>
    Object.entries(digest).flatMap(([algorithm, hex]): Subject[] => {
      const one = `${algorithm}:${hex}`
      if (!isDigest(one)) return []
      const texts = Object.entries(annotations ?? {}).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      )
      return [{ digest: one, ...(name !== undefined && { name }), annotations: Object.fromEntries(texts) }]
    }),
  )
  return { subjects, predicateType, predicate }
}
