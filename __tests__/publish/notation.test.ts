import { writeFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { InputError, type InputProblem } from '../../src/errors.ts'
import { createTransport } from '../../src/http/client.ts'
import { parseSigning, type NotationWords } from '../../src/publish/parse-signing.ts'
import { openNotation } from '../../src/publish/notation.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { findNotation } from '../../src/sign/notation/find.ts'
import { parseNotation } from '../../src/sign/notation/parse.ts'
import { chainOf, ecKey, rsaKey } from '../sign/notation/chains.ts'
import { SERVER_AUTH } from '../support/certificates.ts'
import { writes } from './project.ts'
import { added, byKey, image, putApp, putKey, referrersOf, refusal } from './signed-projects.ts'
import { openWorkshop } from './workshop.ts'
import { noSigning } from '../support/no-signing.ts'

const pemOf = (chain: readonly X509Certificate[]): string => chain.map(String).join('\n')
const keyOf = (key: ReturnType<typeof ecKey>): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

function opened(words: NotationWords, env: NodeJS.ProcessEnv = {}): ReturnType<typeof openNotation> {
  return openNotation(words, { signing: { ...noSigning, env } }, {})
}

async function problemsOf(promise: Promise<unknown>): Promise<readonly InputProblem[]> {
  const error = await refusal(promise)
  if (!(error instanceof InputError)) throw error
  return error.problems
}

const NOTATION = 'application/vnd.cncf.notary.signature'

test.each(['signed by it alone', 'and by a key of cosign besides'])(
  'an image %s has its signatures before the tag moves',
  async besides => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putApp(workshop)
    const { key, chain } = chainOf()
    writeFileSync(workshop.at('chain.pem'), pemOf(chain))
    const own = besides.startsWith('and') ? byKey(putKey(workshop)) : {}
    const values = {
      ...image(registry),
      ...own,
      'notation-key': keyOf(key),
      'notation-chain': workshop.at('chain.pem'),
    }
    const { report } = await workshop.publish(values)
    const signatures = added(report.signed).filter(({ form }) => form === 'notation')
    expect(signatures.map(({ subject }) => subject).toSorted()).toEqual(
      [report.digest, ...report.platforms.map(({ digest }) => digest)].toSorted(),
    )
    expect(signatures.map(({ by }) => by)).toEqual(Array(3).fill('notation-key'))
    for (const { subject } of signatures) {
      const types = (await referrersOf(registry, subject)).map(({ artifactType }) => artifactType)
      expect(types.filter(one => one === NOTATION)).toHaveLength(1)
    }
    expect(writes(registry).findLast(one => one.includes('/manifests/'))).toBe('PUT /v2/team/app/manifests/v1')
  },
)

test('what sign-annotations say is signed, for verifiers to ask for, without another signature', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putApp(workshop)
  const { key, chain } = chainOf()
  const { report } = await workshop.publish({
    ...image(registry),
    'notation-key': keyOf(key),
    'notation-chain': `${pemOf(chain)}\n`,
    'sign-annotations': 'env=prod',
  })
  const transport = createTransport({ version: '0' })
  const hosts = new RegistryHosts({ transport, credentials: givenCredentials([]) })
  const source = openRepository({ host: registry.host, repository: 'team/app' }, { hosts, side: 'source' })
  const said: unknown[] = []
  for await (const { jws } of findNotation(source, await source.resolve(report.digest))) {
    said.push(parseNotation(jws, 'signature').subject.annotations)
  }
  await transport.close()
  expect(said).toEqual([{ env: 'prod' }])
})

test('annotations that the Notary Project keeps for itself are refused before anything is signed', () => {
  const chain = pemOf(chainOf().chain)
  const { problems } = parseSigning({
    'notation-key': 'k',
    'notation-chain': chain,
    'sign-annotations': 'io.cncf.notary.verificationPlugin=x',
  })
  expect(problems).toEqual([
    { input: 'sign-annotations', problem: 'io.cncf.notary.verificationPlugin belongs to the Notary Project' },
  ])
})

test('keys and chains are read from the environment and from files, encrypted ones with their password', async () => {
  const { key, chain } = chainOf()
  const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString()
  const words = { key: 'env://NOTATION_KEY', chain: 'env://NOTATION_CHAIN', password: 'secret' }
  const notation = await opened(words, { NOTATION_KEY: pem, NOTATION_CHAIN: pemOf(chain) })
  expect(notation?.chain).toHaveLength(3)
  expect(notation?.key.equals(key)).toBe(true)
})

test('nothing is opened where nothing is asked for', async () => {
  expect(await openNotation(undefined, { signing: noSigning }, {})).toBeUndefined()
})

const right = chainOf()
const [leaf, middle, root] = right.chain
const rightKey = keyOf(right.key)
const encrypted = right.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()

test.each<[what: string, words: Omit<NotationWords, 'password'> & { password?: string }, says: readonly RegExp[]]>([
  [
    'a chain that is of another key',
    { key: keyOf(ecKey()), chain: pemOf(right.chain) },
    [/^notation-chain: .*certificate 1 .* is not that of the key, and neither is any other/],
  ],
  [
    'a chain in the wrong order',
    { key: rightKey, chain: pemOf([root, middle, leaf]) },
    [/^notation-chain: .* is that of the key: it has to come first/],
  ],
  [
    'a chain without its root',
    { key: rightKey, chain: pemOf([leaf, middle]) },
    [/^notation-chain: .*end with the root/],
  ],
  [
    'a key in the place of the chain',
    { key: rightKey, chain: rightKey },
    [/^notation-chain: .*has no certificate, but PRIVATE KEY/],
  ],
  ['a chain that is not there', { key: rightKey, chain: 'none.pem' }, [/^notation-chain: .*ENOENT/]],
  ['a key that is too short', { key: keyOf(rsaKey(1024)), chain: pemOf(right.chain) }, [/^notation-key: .*1024 bits/]],
  ['a wrong password', { key: encrypted, chain: pemOf(right.chain), password: 'mistyped' }, [/^notation-key: .*pass/]],
  ['no password', { key: encrypted, chain: pemOf(right.chain) }, [/^notation-key: .*(?:pass|encrypted)/]],
  [
    'both that are none, told together',
    { key: 'none.key', chain: 'none.pem' },
    [/^notation-key: .*ENOENT/, /^notation-chain: .*ENOENT/],
  ],
])('%s is refused before anything is signed', async (_what, { password, ...words }, says) => {
  const problems = (await problemsOf(opened({ password, ...words }))).map(
    ({ input, problem }) => `${input}: ${problem}`,
  )
  expect(problems).toEqual(says.map(one => expect.stringMatching(one) as string))
  expect(problems.join('\n')).not.toContain('mistyped')
})

test('a certificate for servers is refused with the extension that it needs', async () => {
  const { key, chain } = chainOf({ leaf: { purposes: [SERVER_AUTH] } })
  const problems = await problemsOf(opened({ key: keyOf(key), chain: pemOf(chain), password: undefined }))
  expect(problems).toEqual([
    expect.objectContaining({
      input: 'notation-chain',
      hint: expect.stringContaining('"codeSigning"') as string,
    }) as unknown,
  ])
})

test('the key and its password are masked before the key is read, wherever it comes from', async () => {
  const secrets: string[] = []
  const signing = {
    ...noSigning,
    env: { NOTATION_KEY: rightKey },
    onSecret: (secret: string): void => void secrets.push(secret),
  }
  const words = { key: 'env://NOTATION_KEY', chain: pemOf(right.chain), password: 'hunter2' }
  await openNotation(words, { signing }, {})
  expect(secrets).toEqual([rightKey.trim(), 'hunter2'])
})
