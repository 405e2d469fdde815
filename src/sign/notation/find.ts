import type { Abortable } from '../../async/abortable.ts'
import type { ReferrerLister, Source } from '../../content/ports.ts'
import { readAll } from '../../content/verify.ts'
import { isNotFound } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../../oci/manifest.ts'
import { OCI_MANIFEST } from '../../oci/media-type.ts'
import { JWS_TYPE, NOTATION_TYPE } from '../media-types.ts'

/** A signature that hangs on a manifest. */
export interface FoundNotation {
  /** Of the manifest that carries it. */
  readonly descriptor: Descriptor
  /** The envelope. Nothing in it is known to be true. */
  readonly jws: Uint8Array
}

const MAX_ENVELOPE_BYTES = 4 << 20

/** Every signature in JWS on a subject. What is listed and is not there, or is no such thing, is left out. */
export async function* findNotation(
  source: Source & ReferrerLister,
  subject: Descriptor,
  { signal }: Abortable = {},
): AsyncGenerator<FoundNotation> {
  for await (const descriptor of source.referrers(subject, { artifactType: NOTATION_TYPE, signal })) {
    if (descriptor.mediaType !== OCI_MANIFEST) continue
    const jws = await readEnvelope(source, descriptor, { signal })
    if (jws) yield { descriptor, jws }
  }
}

async function readEnvelope(
  source: Source,
  descriptor: Descriptor,
  { signal }: Abortable,
): Promise<Uint8Array | undefined> {
  const where = `${source.place}@${descriptor.digest}`
  try {
    const from = source.open(descriptor, { signal })
    const manifest = parseManifest(await readAll(from, { maxBytes: MAX_MANIFEST_BYTES, what: where, signal }), where)
    const [layer, ...others] = manifest.layers
    if (!layer || others.length > 0 || layer.mediaType !== JWS_TYPE || layer.size > MAX_ENVELOPE_BYTES) return undefined
    const what = `${where}, its envelope`
    return await readAll(source.open(layer, { signal }), { maxBytes: MAX_ENVELOPE_BYTES, what, signal })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
