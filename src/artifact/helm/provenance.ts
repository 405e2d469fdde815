import type * as OpenPgp from 'openpgp'
import { stringify } from 'yaml'
import { messageOf, OciPublishError } from '../../errors.ts'
import { hexOf, type Digest } from '../../oci/digest.ts'
import { chartFileName, type ChartMetadata } from './chart.ts'
import { chartConfig } from './chart-config.ts'
import { parseGoYaml } from './go-yaml.ts'
import { invalidKey, loadOpenPgp, readPublicKeys, unlockedKey, usableFrom } from './pgp-key.ts'

/** What stands between the metadata and the digests of a .prov file. */
const SEPARATOR = '\n...\n'

export interface SigningKey {
  /** As `gpg --export-secret-keys` writes it, armored or not; text without armor is base64. */
  readonly privateKey: string | Uint8Array
  readonly passphrase?: string | undefined
}

export interface SignChartOptions {
  /**
   * Seconds since 1970 that the signature is from; the key's own time where that is later, or where nothing is given. So
   * the same chart gets the same signature, unless the key is one of NIST's curves, whose signatures are always new.
   */
  readonly created?: number | undefined
}

/**
 * Makes the .prov file of a package, which `helm verify` and `helm pull --verify` read.
 *
 * @param digest of the package
 * @throws {OciPublishError} INVALID_KEY
 * @see helm, "Helm Provenance and Integrity"
 */
export async function signChart(
  metadata: ChartMetadata,
  digest: Digest,
  { privateKey, passphrase }: SigningKey,
  { created }: SignChartOptions = {},
): Promise<Uint8Array> {
  const openpgp = await loadOpenPgp()
  const key = await unlockedKey(openpgp, privateKey, passphrase)
  const message = await openpgp.createCleartextMessage({ text: signedText(metadata, digest) })
  try {
    const signed = await openpgp.sign({
      message,
      signingKeys: key,
      date: new Date(Math.max((created ?? 0) * 1000, usableFrom(key))),
      config: { nonDeterministicSignaturesViaNotation: false, showVersion: false, showComment: false },
    })
    return new TextEncoder().encode(signed.replaceAll('\r\n', '\n'))
  } catch (error) {
    throw invalidKey(`cannot sign (${messageOf(error)})`, error)
  }
}

export interface ProvenanceSubject {
  /** `<name>-<version>.tgz`, whatever the package is called on disk. */
  readonly fileName: string
  readonly digest: Digest
  /** Names the .prov file in errors. */
  readonly where: string
}

/**
 * Checks that a .prov file is of this package. Who signed it is another question: see `verifyProvenance`.
 *
 * @throws {OciPublishError} INVALID_PROVENANCE
 */
export async function checkProvenance(bytes: Uint8Array, subject: ProvenanceSubject): Promise<void> {
  const { fileName, digest, where } = subject
  const openpgp = await loadOpenPgp()
  const message = await cleartext(openpgp, bytes, where)
  const said = filesOf(message.getText().replaceAll('\r\n', '\n'), where)
  const wanted = `sha256:${hexOf(digest)}`
  const signed = said.get(fileName)
  if (signed === wanted) return
  const hint = 'sign the package again, or take the .prov file away'
  if (signed === undefined)
    throw invalid(where, `says nothing of ${fileName}, but of ${[...said.keys()].join(', ')}`, hint)
  throw invalid(where, `was made for another package: it says ${signed}, ${fileName} is ${wanted}`, hint)
}

/**
 * Verifies the signature of a .prov file.
 *
 * @param publicKeys armored or not; one of them has to have signed
 * @returns the id of the key that has, 16 hexadecimal digits
 * @throws {OciPublishError} INVALID_PROVENANCE, INVALID_KEY
 */
export async function verifyProvenance(
  bytes: Uint8Array,
  publicKeys: readonly (string | Uint8Array)[],
  where: string,
): Promise<string> {
  const openpgp = await loadOpenPgp()
  const keys = (await Promise.all(publicKeys.map(key => readPublicKeys(openpgp, key)))).flat()
  const message = await cleartext(openpgp, bytes, where)
  const { signatures } = await openpgp.verify({ message, verificationKeys: keys })
  const reasons: string[] = []
  for (const { keyID, verified } of signatures) {
    try {
      await verified
      return keyID.toHex()
    } catch (error) {
      reasons.push(`${keyID.toHex()}: ${messageOf(error)}`)
    }
  }
  throw invalid(where, `is not signed by one of the given keys (${reasons.join('; ') || 'there is no signature'})`)
}

function signedText(metadata: ChartMetadata, digest: Digest): string {
  const fields = JSON.parse(Buffer.from(chartConfig(metadata).bytes).toString()) as unknown
  // Quoted, so that no reader takes `1.10` for a number.
  const yaml = stringify(fields, {
    ...{ sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false },
    ...{ defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', version: '1.1' },
  })
  const files = `files:\n  ${JSON.stringify(chartFileName(metadata))}: sha256:${hexOf(digest)}\n`
  return `${yaml}${SEPARATOR}${files}`
}

function filesOf(text: string, where: string): ReadonlyMap<string, string> {
  const end = text.indexOf(SEPARATOR)
  const problems: string[] = []
  const value = parseGoYaml(Buffer.from(end < 0 ? '' : text.slice(end + SEPARATOR.length)), where, problems)
  const files = value.kind === 'map' ? value.entries.get('files') : undefined
  if (problems.length > 0 || files?.kind !== 'map') throw invalid(where, 'has no list of files: it is not made by helm')
  return new Map([...files.entries].map(([name, item]) => [name, item.kind === 'string' ? item.value : '']))
}

async function cleartext(openpgp: typeof OpenPgp, bytes: Uint8Array, where: string): Promise<OpenPgp.CleartextMessage> {
  try {
    return await openpgp.readCleartextMessage({ cleartextMessage: Buffer.from(bytes).toString() })
  } catch (error) {
    throw invalid(where, `is no clear-signed message (${messageOf(error)})`)
  }
}

function invalid(where: string, why: string, hint?: string): OciPublishError {
  return new OciPublishError('INVALID_PROVENANCE', `${where} ${why}`, { hint })
}
