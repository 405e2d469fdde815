import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPairCommand } from '../../src/cli/generate-key-pair.ts'
import type { Flags } from '../../src/cli/flags.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import { readPrivateKey } from '../../src/sign/private-key.ts'
import { readPublicKey } from '../../src/sign/public-key.ts'
import { temporaryDirectory } from '../support/peers.ts'
import { openIo } from '../../src/cli/io.ts'
import { fakeIo } from './fake-io.ts'

async function run(flags: Flags, env: NodeJS.ProcessEnv = { COSIGN_PASSWORD: 'secret' }, signal?: AbortSignal) {
  const { io, out, err } = fakeIo()
  const parts = { env, signal: signal ?? new AbortController().signal }
  const exitCode = await generateKeyPairCommand(flags, openIo(io), parts)
  return { exitCode, out: out(), err: err() }
}

test.each(['secret', ''])(
  'a pair that fits together is written, the private key for nobody else (passphrase "%s")',
  async passphrase => {
    await using work = await temporaryDirectory()
    const outputKeyPrefix = join(work.path, 'release')
    const [key, pub] = [`${outputKeyPrefix}.key`, `${outputKeyPrefix}.pub`]
    expect(await run({ outputKeyPrefix }, { COSIGN_PASSWORD: passphrase })).toEqual({
      exitCode: 0,
      out: `${key}\n${pub}\n`,
      err: '',
    })
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    const text = await readFile(key, 'utf8')
    expect(text).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    const signer = keySigner(await readPrivateKey(text, key, { passphrase }))
    expect(signer.publicKey.equals(readPublicKey(await readFile(pub, 'utf8'), pub))).toBe(true)
  },
)

describe('nothing is overwritten', () => {
  test.each(['cosign.key', 'cosign.pub'])('when %s is there, it stays, and no other file appears', async name => {
    await using work = await temporaryDirectory()
    const path = join(work.path, name)
    await writeFile(path, 'precious')
    const { exitCode, out, err } = await run({ outputKeyPrefix: join(work.path, 'cosign') })
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain(`  --output-key-prefix: ${path} is there already, and a key is never overwritten`)
    expect(await readdir(work.path)).toEqual([name])
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  test('a link is not followed', async () => {
    await using work = await temporaryDirectory()
    await symlink(join(work.path, 'elsewhere'), join(work.path, 'cosign.key'))
    expect(await run({ outputKeyPrefix: join(work.path, 'cosign') })).toMatchObject({ exitCode: 2 })
    expect(await readdir(work.path)).toEqual(['cosign.key'])
  })
})

test('without COSIGN_PASSWORD nothing is written, for there is nobody to ask', async () => {
  await using work = await temporaryDirectory()
  expect(await run({ outputKeyPrefix: join(work.path, 'cosign') }, {})).toEqual({
    exitCode: 2,
    out: '',
    err:
      'error: the request is wrong: 1 problem\n' +
      '  COSIGN_PASSWORD: is not set; the passphrase that encrypts the private key is taken from there and is not asked ' +
      'for (set it in the environment; an empty one is allowed)\n',
  })
  expect(await readdir(work.path)).toEqual([])
  expect((await run({ outputKeyPrefix: '' }, {})).err).toContain(
    '2 problems\n  --output-key-prefix: is empty\n  COSIGN_PASSWORD: ',
  )
})

test('a folder that is not there is a failure, with its name', async () => {
  await using work = await temporaryDirectory()
  const { exitCode, err } = await run({ outputKeyPrefix: join(work.path, 'none/cosign') })
  expect(exitCode).toBe(1)
  expect(err).toContain(`error: ${join(work.path, 'none/cosign.key')} could not be written: ENOENT`)
})

test('when it is stopped, no key is left', async () => {
  await using work = await temporaryDirectory()
  await mkdir(join(work.path, 'keys'))
  const outputKeyPrefix = join(work.path, 'keys/cosign')
  const stopped = await run(
    { outputKeyPrefix },
    { COSIGN_PASSWORD: '' },
    AbortSignal.abort(new Error('stopped by SIGINT')),
  )
  expect(stopped).toEqual({ exitCode: 130, out: '', err: 'stopped by SIGINT: no key was written\n' })
  expect(await readdir(join(work.path, 'keys'))).toEqual([])
})
