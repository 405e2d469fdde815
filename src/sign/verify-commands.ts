import { BlockList, isIP } from 'node:net'
import type { Digest } from '../oci/digest.ts'
import { formatReference, type RegistryReference } from '../oci/reference.ts'
import { PREDICATE_NAMES, predicateTypeOf } from './predicate-type.ts'

/** Whom a user of an image has to name to believe in it. */
export type VerifiedBy =
  /** The path of a public key, or where a cloud keeps it: `cosign.pub`, `awskms:///alias/release`. */
  { readonly key: string } | { readonly san: string; readonly issuer: string }

/** What was signed, and how. */
export interface SignedImage {
  /** Tags are left out: what was signed is what the digest stands for. */
  readonly image: RegistryReference
  readonly digest: Digest
  readonly by: VerifiedBy
  /** Whether the signatures are in a transparency log. */
  readonly log: 'none' | 'rekor'
  /** Where certificates and logs are not those of the public good instance of sigstore: the file that tells whose. */
  readonly trustedRoot?: string | undefined
  /** Whether there is a signature, in whatever form, and not only attestations. */
  readonly isSigned: boolean
  /** What was attested besides. */
  readonly predicateTypes: readonly string[]
  /** Whether the registry was spoken to without TLS. */
  readonly plainHttp?: boolean | undefined
}

/**
 * Command lines that verify with cosign 3 what was signed, whole and quoted for a POSIX shell. They do for both forms of
 * signatures: cosign looks for bundles first.
 */
export function verifyCommands(signed: SignedImage): readonly string[] {
  const { image, digest, isSigned, predicateTypes } = signed
  const { kind, host, repository } = image
  const words = [...trustOf(signed), formatReference({ kind, host, repository, digest })]
  return [
    ...(isSigned ? [['cosign', 'verify', ...words]] : []),
    ...[...new Set(predicateTypes)].map(type => ['cosign', 'verify-attestation', '--type', nameOf(type), ...words]),
  ].map(command => command.map(quoted).join(' '))
}

function trustOf({ image, by, log, trustedRoot, plainHttp = false }: SignedImage): readonly string[] {
  const isBare = 'key' in by && log === 'none' // nobody's word is taken but the key's
  return [
    ...('key' in by ? ['--key', by.key] : ['--certificate-identity', by.san, '--certificate-oidc-issuer', by.issuer]),
    ...(log === 'none' ? ['--insecure-ignore-tlog'] : []),
    ...(trustedRoot !== undefined && !isBare ? ['--trusted-root', trustedRoot] : []),
    ...(plainHttp && !isPlainByItself(image.host) ? ['--allow-http-registry'] : []),
  ]
}

/** The name that cosign knows it by, else itself. */
function nameOf(predicateType: string): string {
  // The last one: `spdxjson` tells more than `spdx`.
  return PREDICATE_NAMES.findLast(name => predicateTypeOf(name) === predicateType) ?? predicateType
}

const PRIVATE = new BlockList()
PRIVATE.addSubnet('127.0.0.0', 8)
PRIVATE.addSubnet('10.0.0.0', 8)
PRIVATE.addSubnet('172.16.0.0', 12)
PRIVATE.addSubnet('192.168.0.0', 16)

/** Hosts to which cosign's registry client speaks plain HTTP without being told to. */
function isPlainByItself(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  if (isIP(name) === 4) return PRIVATE.check(name)
  return name === '[::1]' || name === 'localhost' || /\.local(?:host)?$/.test(name)
}

const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/

function quoted(word: string): string {
  return SAFE.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
