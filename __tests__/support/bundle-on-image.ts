import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import { messageOf } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { bundleReferrer } from '../support/bundle-referrer.ts'
import { parseBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { readPublicKey } from '../../src/sign/public-key.ts'
import { SIGNATURE_PREDICATE } from '../../src/sign/statement.ts'
import { openWorkshop } from '../publish/workshop.ts'
import type { RunningRegistry } from './registries.ts'
import { signWithUs, verifyWithUs, withDeps } from './signing.ts'

/** An image in a repository of its own. */
export interface Image {
  readonly host: string
  readonly repository: string
  readonly subject: Descriptor
}

let repositories = 0

/** Publishes an image of that content. */
export async function publishAt({ host }: RunningRegistry, content: string): Promise<Image> {
  using workshop = openWorkshop()
  workshop.put({ 'app/content': content })
  const repository = `team/app-${++repositories}`
  const { report } = await workshop.publish({ images: `${host}/${repository}:v1`, layers: 'app/:/app/' })
  const { digest, mediaType, size } = report
  return { host, repository, subject: { digest, mediaType, size } }
}

/** `host/repository@digest`. */
export function nameOf({ host, repository, subject }: Image): string {
  return `${host}/${repository}@${subject.digest}`
}

/** What a bundle is made of that `values` sign an image of that content with. */
export async function signedParts(registry: RunningRegistry, content: string, how: How): Promise<BundleParts> {
  const { values, env, publicKey } = how
  const file = join(how.directory, 'bundle')
  await signWithUs(nameOf(await publishAt(registry, content)), { ...values, 'bundle-file': file }, { env })
  const { envelope, certificate, logEntries, timestamps } = parseBundle(await readFile(file), file)
  if (certificate) return { envelope, by: { certificate, chain: [] }, logEntries, timestamps }
  if (publicKey === undefined) throw new Error('there is neither a certificate nor a key')
  return { envelope, by: { publicKey: readPublicKey(publicKey, 'key') }, logEntries, timestamps }
}

export interface How {
  readonly directory: string
  readonly values: FieldValues
  readonly env?: NodeJS.ProcessEnv
  /** PEM. */
  readonly publicKey?: string
}

/** Publishes an image, hangs nothing on it but this bundle, and gives its name. */
export async function withBundle(registry: RunningRegistry, content: string, bundle: Uint8Array): Promise<string> {
  const image = await publishAt(registry, content)
  const { host, repository, subject } = image
  await withDeps({}, async deps => {
    const target = deps.openTarget({ kind: 'registry', image: { kind: 'registry', host, repository }, tags: [] })
    await pushArtifact(target, bundleReferrer(bundle, SIGNATURE_PREDICATE, subject))
    await target.close?.({})
  })
  return nameOf(image)
}

export const NOT_REFUSED = 'it is not refused'

/** Why we refuse the only signature there is, without where it is. */
export async function refusalOf(name: string, policy: string): Promise<string> {
  const said = await verifyWithUs(name, policy).then(() => NOT_REFUSED, messageOf)
  return said.replace(
    /^.*: no signature of it is to be trusted: (?:bundle|signature) \S+(?: in the older form)?: /s,
    '',
  )
}
