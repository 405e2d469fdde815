import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'
import { listsReferrers } from '../content/ports.ts'
import type { Untagged } from '../content/untagged.ts'
import { InputError, OciPublishError, type InputProblem } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { readKeyText } from '../sign/key-source.ts'
import { attachNotation } from '../sign/notation/attach.ts'
import { checkChain, readChain } from '../sign/notation/chain.ts'
import { readPrivateKey } from '../sign/private-key.ts'
import type { PublishDeps } from './deps.ts'
import type { NotationWords } from './parse-signing.ts'

/** What signatures of the Notary Project are made with. */
export interface Notation {
  readonly key: KeyObject
  readonly chain: readonly X509Certificate[]
}

export interface NotationReferrer {
  readonly place: string
  readonly subject: Digest
  readonly manifest: Digest
  readonly existed: boolean
}

/** @throws {InputError} for a key or a chain that cannot be read, or that verifiers would refuse */
export async function openNotation(
  words: NotationWords | undefined,
  { signing: { env, onSecret } }: Pick<PublishDeps, 'signing'>,
  io: Abortable,
): Promise<Notation | undefined> {
  if (!words) return undefined
  const problems: InputProblem[] = []
  const attempt = async <T>(input: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      if (error instanceof InputError) problems.push(...error.problems)
      else if (error instanceof OciPublishError) problems.push({ input, problem: error.message, hint: error.hint })
      else throw error
      return undefined
    }
  }
  const key = await attempt('notation-key', async () => {
    const text = await readKeyText(words.key, 'notation-key', { env, ...io })
    for (const secret of [text, words.password ?? '']) if (secret !== '') onSecret(secret)
    return readPrivateKey(text, 'the key', { passphrase: words.password, ...io })
  })
  const chain = await attempt('notation-chain', async () =>
    readChain(await readKeyText(words.chain, 'notation-chain', { env, ...io }), 'the chain'),
  )
  if (key && chain) {
    // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to be a problem of the input
    await attempt('notation-chain', async () => {
      checkChain(chain, key, seconds())
    })
  }
  if (!key || !chain || problems.length > 0) throw new InputError(problems)
  return { key, chain }
}

/** Signs the root and every platform, wherever they are. */
export async function signNotationEverywhere(
  { root, platforms, places }: Untagged,
  { key, chain, annotations }: Notation & { readonly annotations: Annotations },
  { onEvent, version }: Pick<PublishDeps, 'onEvent' | 'version'>,
  io: Abortable,
): Promise<readonly NotationReferrer[]> {
  onEvent({ type: 'step', step: 'sign', text: 'Signatures of the Notary Project' })
  const subjects = new Map([...platforms.map(({ descriptor }) => descriptor), root].map(one => [one.digest, one]))
  const signed: NotationReferrer[] = []
  for (const { target } of places) {
    if (!listsReferrers(target)) {
      onEvent({
        type: 'notice',
        text: `${target.place} gets no signatures of the Notary Project: it lists no referrers`,
      })
      continue
    }
    for (const [digest, subject] of subjects) {
      const options = { key, chain, annotations, now: seconds(), agent: `oci-publish/${version}` }
      const { descriptor, existed } = await attachNotation(target, subject, options, io)
      signed.push({ place: target.place, subject: digest, manifest: descriptor.digest, existed })
    }
  }
  return signed
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
