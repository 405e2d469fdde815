import { failuresOf } from '../../src/tell/failure.ts'
import { readKeyText } from '../../src/sign/key-source.ts'
import { tempDir } from '../layer/temp-dir.ts'
import { pem, someKeys } from './some-keys.ts'

const KEYS = someKeys().flatMap(({ name, privateKey, publicKey }) => [
  { name: `private ${name}`, text: pem(privateKey) },
  { name: `public ${name}`, text: pem(publicKey) },
])
const GIVE = 'give PEM text, base64 of it, env://NAME, or the path of a file'

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

async function read(text: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  return (await readKeyText(text, 'sign-key', { env })).trim()
}

test.each(KEYS)('a key ($name) is found wherever the user has it', async ({ text }) => {
  using dir = tempDir()
  dir.put({ 'cosign.key': text, 'cosign.key.base64': `${base64(text)}\n` })
  const wrapped = base64(text).replace(/.{76}/g, '$&\n')
  for (const given of [text, ` ${text}\n`, base64(text), wrapped]) {
    expect(await read(given)).toBe(text.trim())
    expect(await read('env://SIGNING_KEY', { SIGNING_KEY: given })).toBe(text.trim())
  }
  for (const path of ['cosign.key', 'cosign.key.base64']) expect(await read(`${dir.path}/${path}\n`)).toBe(text.trim())
})

test('a file that is no PEM comes as it is: who reads the key tells what it is', async () => {
  using dir = tempDir()
  dir.put({ 'id.pub': 'ssh-ed25519 AAAA me' })
  expect(await read(`${dir.path}/id.pub`)).toBe('ssh-ed25519 AAAA me')
})

describe('what is none of these is refused, without repeating what may be half a key', () => {
  const NOT_SET = 'set it in the step: env: { KEY: ${{ secrets.SIGNING_KEY }} }'
  test.each([
    ['', 'is empty', GIVE],
    ['half-a-key', 'is neither a key nor a file that can be read (ENOENT)', GIVE],
    ['/', 'is neither a key nor a file that can be read (EISDIR)', GIVE],
    ['half-a-key\nand-more', 'is neither PEM nor base64 of PEM, and no path either', GIVE],
    [`half-a-key${'A'.repeat(300)}`, 'is neither PEM nor base64 of PEM, and no path either', GIVE],
    ['gcpkms://half-a-key', 'begins with "gcpkms://", and no key is read from there', GIVE],
    ['env://KEY', 'the environment variable KEY is not set, or empty', NOT_SET],
    ['env://EMPTY', 'the environment variable EMPTY is not set, or empty', NOT_SET.replace('KEY:', 'EMPTY:')],
    [
      'env://LS0halfAkey',
      'the environment variable of that name is not set, or empty',
      NOT_SET.replace('KEY:', 'NAME:'),
    ],
    ['env://half-a-key', 'has something after "env://" that is no name of a variable', GIVE],
    ['env://OTHER', 'the environment variable OTHER has neither PEM nor base64 of PEM', 'put the key itself there'],
  ])('%#', async (given, problem, hint) => {
    const error: unknown = await read(given, { EMPTY: ' ', OTHER: 'half-a-key' }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'INVALID_INPUT', problems: [{ input: 'sign-key', problem, hint }] })
    // Neither does anything that is told of the causes.
    expect(JSON.stringify(failuresOf(error).map(failure => ({ ...failure, stack: '' })))).not.toMatch(/half-?a-?key/i)
  })
})

test('nothing is read after the run was stopped', async () => {
  const signal = AbortSignal.abort(new Error('stopped'))
  await expect(readKeyText('/etc/hostname', 'sign-key', { env: {}, signal })).rejects.toThrow('stopped')
})
