import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FieldValues } from '../../src/publish/fields.ts'
import { generateCosignKeyPair } from '../../src/sign/generate-key-pair.ts'
import { findPeer, run, type TemporaryDirectory, temporaryDirectory } from './peers.ts'

/** The two generations that users have: 2 writes the older form, 3 bundles. Both read both. */
export const COSIGNS = ['cosign2', 'cosign3'] as const
export type Cosign = (typeof COSIGNS)[number]

/** Whom a user trusts: a public key, or whoever the certificates of a sigstore name. Paths of files. */
export type Trust =
  { readonly key: string } | { readonly identity: string; readonly issuer: string; readonly trustedRoot: string }

/** cosign as a user has it who is alone with it: no logins, no roots from the network, and `cosign` is cosign 3. */
export interface CosignBench extends AsyncDisposable {
  readonly path: string
  /** @throws {Error} with what cosign says */
  readonly run: (cosign: Cosign, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>
  /** Gives what was verified, as cosign prints it. @throws {Error} where nothing was */
  readonly verify: (cosign: Cosign, reference: string, trust: Trust, ...more: readonly string[]) => Promise<Verified[]>
  /** Gives the statements. @throws {Error} where there are none of the type, or none is to be trusted */
  readonly verifyAttestation: (
    cosign: Cosign,
    reference: string,
    type: string,
    trust: Trust,
    ...more: readonly string[]
  ) => Promise<Stated[]>
  /** Runs a command line as it was printed. */
  readonly paste: (command: string) => Promise<string>
}

export interface Verified {
  readonly critical: { readonly image: { readonly 'docker-manifest-digest': string }; readonly type: string }
  readonly optional: Readonly<Record<string, unknown>> | null
}

export interface Stated {
  readonly predicateType: string
  readonly subject: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicate: unknown
}

/** Trusts nobody. cosign 2 asks for a root where there is a bundle, even if only the key counts. */
const NOBODY = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }

export async function openCosign(): Promise<CosignBench> {
  const { path, [Symbol.asyncDispose]: dispose }: TemporaryDirectory = await temporaryDirectory()
  await symlink(findPeer('cosign3'), join(path, 'cosign'))
  const nobody = join(path, 'nobody.json')
  await writeFile(nobody, JSON.stringify(NOBODY))
  const alone = { HOME: path, DOCKER_CONFIG: path, TUF_ROOT: join(path, 'tuf') }
  const start: CosignBench['run'] = (cosign, args, env = {}) =>
    run(cosign, args, { cwd: path, env: { ...alone, ...env } })
  const wordsOf = (trust: Trust): readonly string[] => {
    if ('key' in trust) return ['--key', trust.key, '--insecure-ignore-tlog', '--trusted-root', nobody]
    const { identity, issuer, trustedRoot } = trust
    return ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer, '--trusted-root', trustedRoot]
  }
  return {
    path,
    run: start,
    verify: async (cosign, reference, trust, ...more) =>
      JSON.parse(await start(cosign, ['verify', ...wordsOf(trust), ...more, reference])) as Verified[],
    verifyAttestation: async (cosign, reference, type, trust, ...more) => {
      const args = ['verify-attestation', ...wordsOf(trust), '--type', type, ...more, reference]
      const lines = (await start(cosign, args)).trim().split('\n')
      return lines.map(line => {
        const { payload } = JSON.parse(line) as { readonly payload: string }
        return JSON.parse(Buffer.from(payload, 'base64').toString()) as Stated
      })
    },
    paste: command => {
      const env = { ...alone, PATH: `${path}:${process.env['PATH'] ?? ''}` }
      return run('sh', ['-c', command], { cwd: path, env })
    },
    [Symbol.asyncDispose]: dispose,
  }
}

export interface KeyPair {
  /** Paths. */
  readonly key: string
  readonly pub: string
  /** What is asked for to sign with it. */
  readonly signs: FieldValues
}

export const PASSPHRASE = 'correct horse ü'

/** A key pair of ours in cosign's form. */
export async function newKeyPair(directory: string, name = 'cosign'): Promise<KeyPair> {
  const pair = await generateCosignKeyPair({ passphrase: PASSPHRASE })
  const [key, pub] = [join(directory, `${name}.key`), join(directory, `${name}.pub`)]
  await writeFile(key, pair.privateKey)
  await writeFile(pub, pair.publicKey)
  return { key, pub, signs: { sign: 'key', 'sign-key': key, 'sign-password': PASSPHRASE } }
}
