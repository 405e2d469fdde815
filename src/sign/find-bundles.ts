import { EMPTY_CONFIG } from '../artifact/artifact.ts'
import type { Abortable } from '../async/abortable.ts'
import type { ReferrerLister, Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../oci/manifest.ts'
import { OCI_MANIFEST } from '../oci/media-type.ts'
import { BUNDLE_PREDICATE_TYPE, BUNDLE_TYPE_PREFIX } from './media-types.ts'
import { MAX_BUNDLE_BYTES, parseBundle, type ParsedBundle } from './bundle.ts'
import { IN_TOTO } from './envelope.ts'
import { parseStatement, type Statement } from './statement.ts'
import { isUnreadable } from './unreadable.ts'

/** A bundle that refers to a manifest. Nothing of it is verified. */
export interface FoundBundle {
  /** Of its manifest, as the list of referrers has it. */
  readonly descriptor: Descriptor
  /** Of the bundle. */
  readonly bytes: Uint8Array
  readonly bundle: ParsedBundle
  readonly statement: Statement
}

export interface FindBundlesOptions extends Abortable {
  /** Only those that state this. */
  readonly predicateType?: string | undefined
  /** Told of everything that is there as a bundle and cannot be read, in words. */
  readonly onUnreadable?: ((text: string) => void) | undefined
}

/** Referrers that are fetched for one subject: more is an attack or a mistake. */
const MAX_FETCHED = 200
/** And bytes of bundles, for the same reason. */
const MAX_FETCHED_BYTES = 96 << 20

/** Types that lists of referrers kept by clients have where the manifest has another: its config's, or none. */
const UNTOLD: ReadonlySet<string> = new Set(['', EMPTY_CONFIG])

/**
 * Finds the bundles that refer to a manifest, in the order of the list of referrers. What other tools would not count as a
 * bundle either is told and left out: one broken referrer must not hide the others.
 *
 * @throws {OciPublishError} what the registry says to a list of referrers or to a fetch that fails
 */
export async function* findBundles(
  source: Source & ReferrerLister,
  subject: Descriptor,
  { predicateType, signal, onUnreadable = (): void => undefined }: FindBundlesOptions = {},
): AsyncGenerator<FoundBundle> {
  let fetched = 0
  let bytes = 0
  for await (const descriptor of source.referrers(subject, { signal })) {
    if (!mayBeBundle(descriptor) || isOther(descriptor.annotations?.[BUNDLE_PREDICATE_TYPE], predicateType)) continue
    if (fetched >= MAX_FETCHED || bytes >= MAX_FETCHED_BYTES) {
      const place = `${source.place}@${subject.digest}`
      const many = bytes >= MAX_FETCHED_BYTES ? `${MAX_FETCHED_BYTES} bytes of bundles` : `${MAX_FETCHED} manifests`
      onUnreadable(`${place}: more than ${many} refer to it as bundles; the rest was not looked at`)
      return
    }
    fetched++
    try {
      const found = await readBundle(source, descriptor, { subject, predicateType, signal })
      bytes += found?.bytes.byteLength ?? 0
      if (found && !isOther(found.statement.predicateType, predicateType)) yield found
    } catch (error) {
      if (!isUnreadable(error)) throw error
      onUnreadable(messageOf(error))
    }
  }
}

function mayBeBundle({ mediaType, artifactType = '' }: Descriptor): boolean {
  return mediaType === OCI_MANIFEST && (artifactType.startsWith(BUNDLE_TYPE_PREFIX) || UNTOLD.has(artifactType))
}

/** What is not told may be what is wanted. */
function isOther(told: string | undefined, wanted: string | undefined): boolean {
  return told !== undefined && wanted !== undefined && told !== wanted
}

/** Undefined for what is no bundle, and for one that says of itself that it states something else. */
async function readBundle(
  source: Source,
  descriptor: Descriptor,
  { subject, predicateType, signal }: Abortable & { readonly subject: Descriptor; predicateType: string | undefined },
): Promise<FoundBundle | undefined> {
  const where = `${source.place}@${descriptor.digest}`
  const manifest = parseManifest(await read(source, descriptor, MAX_MANIFEST_BYTES, signal), where)
  const [layer, ...more] = manifest.layers
  const types = [manifest.artifactType, manifest.config.mediaType, layer?.mediaType]
  if (!types.some(type => type?.startsWith(BUNDLE_TYPE_PREFIX))) return undefined
  if (isOther(manifest.annotations?.[BUNDLE_PREDICATE_TYPE], predicateType)) return undefined
  if (manifest.subject && manifest.subject.digest !== subject.digest) {
    throw unreadable(where, `is listed as a referrer of ${subject.digest}, but refers to ${manifest.subject.digest}`)
  }
  if (!layer?.mediaType.startsWith(BUNDLE_TYPE_PREFIX) || more.length > 0) {
    const has = manifest.layers.map(({ mediaType }) => mediaType).join(', ')
    throw unreadable(where, `a bundle is the only layer of its manifest; this one has ${has || 'no layer'}`)
  }
  const bytes = await read(source, layer, MAX_BUNDLE_BYTES, signal)
  const bundle = parseBundle(bytes, where)
  const { payloadType, payload } = bundle.envelope
  if (payloadType !== IN_TOTO) throw unreadable(where, `holds a "${payloadType}", and statements are "${IN_TOTO}"`)
  return { descriptor, bytes, bundle, statement: parseStatement(payload, `${where}, statement`) }
}

function read(
  source: Source,
  descriptor: Descriptor,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const what = `${source.place}@${descriptor.digest}`
  // Before the first byte of it is asked for.
  if (descriptor.size > maxBytes) throw new OciPublishError('TOO_LARGE', `${what} has more than ${maxBytes} bytes`)
  return readAll(source.open(descriptor, { signal }), { maxBytes, what, signal })
}

function unreadable(where: string, because: string): OciPublishError {
  return new OciPublishError('INVALID_DOCUMENT', `${where}: ${because}`)
}
