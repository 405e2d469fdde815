import { generateKeyPairSync, sign, verify } from 'node:crypto'
import type { AwsOptions } from '../../src/cloud/aws/options.ts'
import { awsKmsSigner } from '../../src/cloud/kms-signer.ts'
import { kmsApis } from '../../src/cloud/open-kms-api.ts'
import { createTransport } from '../../src/http/client.ts'
import type { Signer } from '../../src/sign/signer.ts'
import { restoreEnv, setAwsEnv } from '../cloud/aws-env.ts'
import { startMoto, type Moto } from '../cloud/moto.ts'
import { startStandIn, type SeenCall } from '../cloud/stand-in.ts'
import { scripted } from '../registry/scripted.ts'
import { tempDir } from '../layer/temp-dir.ts'

const REGION = 'eu-west-1'
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'key' }
const PAE = new TextEncoder().encode('DSSEv1 28 application/vnd.in-toto+json 2 {}')

let moto: Moto
beforeAll(async () => {
  moto = await startMoto()
})
afterEach(restoreEnv)
afterAll(() => moto[Symbol.asyncDispose]())

/** One call of KMS's API, by whoever may do everything. */
async function ask(operation: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=A/20260101/${REGION}/kms/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

interface Made {
  readonly id: string
  readonly arn: string
  readonly alias: string
}

let made = 0

async function makeKey(spec: string, usage = 'SIGN_VERIFY'): Promise<Made> {
  const { KeyMetadata } = await ask('CreateKey', { KeySpec: spec, KeyUsage: usage })
  const { KeyId: id, Arn: arn } = KeyMetadata as { readonly KeyId: string; readonly Arn: string }
  const alias = `alias/release-${(made += 1)}`
  await ask('CreateAlias', { AliasName: alias, TargetKeyId: id })
  return { id, arn, alias }
}

interface Opened extends AsyncDisposable {
  readonly signer: Signer
}

async function open(uri: string, more: Partial<AwsOptions> = {}): Promise<Opened> {
  const transport = createTransport({ version: '0' })
  const options = { transport, env: process.env, onSecret: () => undefined, ...more }
  try {
    const signer = await awsKmsSigner(uri, { open: kmsApis(options), region: more.region, env: options.env })
    return { signer, [Symbol.asyncDispose]: () => transport.close() }
  } catch (error) {
    await transport.close()
    throw error
  }
}

/** The host of an address, as the URI of a key has it. */
function hostOf(url: string): string {
  return new URL(url).host
}

async function signsWell({ signer }: Opened): Promise<boolean> {
  return verify('sha256', PAE, signer.publicKey, await signer.sign(PAE))
}

describe('a key of KMS signs, however it is named', () => {
  test.each(['ECC_NIST_P256', 'RSA_2048'])('%s', async spec => {
    const { id, arn, alias } = await makeKey(spec)
    setAwsEnv({ ...KEYS, AWS_REGION: REGION, AWS_ENDPOINT_URL_KMS: moto.url })
    for (const name of [id, arn, alias, arn.replace(/key[/].*$/, alias)]) {
      await using opened = await open(`awskms:///${name}`)
      expect(await signsWell(opened)).toBe(true)
    }
  })

  test('with the endpoint in the URI, before that of the environment', async () => {
    const { alias } = await makeKey('ECC_NIST_P256')
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })
    await using opened = await open(`awskms://${hostOf(moto.url)}/${alias}`, { region: REGION })
    expect(await signsWell(opened)).toBe(true)
  })

  test('by a role that is taken on', async () => {
    const { arn } = await makeKey('ECC_NIST_P256')
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using opened = await open(`awskms:///${arn}`, { roleToAssume: 'arn:aws:iam::123456789012:role/sign' })
    expect(await signsWell(opened)).toBe(true)
  })
})

test('the region of an ARN is where its key is asked for, at the endpoint that AWS has there', async () => {
  setAwsEnv({ ...KEYS, AWS_REGION: 'us-east-1' })
  const asked: string[] = []
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const transport = scripted(({ url }) => {
    asked.push(url)
    return {
      status: 200,
      body: JSON.stringify({ PublicKey: spki, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    }
  })
  await using opened = await open('awskms:///arn:aws:kms:eu-west-1:123456789012:alias/x', { transport })
  expect(opened.signer.publicKey.equals(publicKey)).toBe(true)
  expect(asked).toEqual(['https://kms.eu-west-1.amazonaws.com/'])
})

describe('what cannot sign says so before anything is published', () => {
  const NAME = `arn:aws:kms:${REGION}:123456789012:alias/gone`

  test('a key that is not there', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await expect(open(`awskms:///${NAME}`)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
      message: expect.stringMatching(
        /^awskms:\/\/\/.*alias\/gone: could not read the public key: NotFoundException: Alias .* not found/,
      ) as string,
      hint: expect.stringContaining(`aws kms describe-key --key-id ${NAME} --region ${REGION}`) as string,
    })
  })

  test.each([
    ['ECC_NIST_P384', 'SIGN_VERIFY', /\(ECC_NIST_P384, SIGN_VERIFY\) cannot sign images: .* expect SHA-256$/],
    ['ECC_SECG_P256K1', 'SIGN_VERIFY', /\(ECC_SECG_P256K1, SIGN_VERIFY\) cannot sign images: .*secp256k1$/],
    ['RSA_2048', 'ENCRYPT_DECRYPT', /\(RSA_2048, ENCRYPT_DECRYPT\) cannot sign images: /],
  ])('%s for %s', async (spec, usage, message) => {
    const { arn } = await makeKey(spec, usage)
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await expect(open(`awskms:///${arn}`)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(message) as string,
    })
  })

  test('nobody: what to add is said', async () => {
    using dir = tempDir()
    setAwsEnv({ HOME: dir.path, AWS_ENDPOINT_URL: moto.url })
    await expect(open(`awskms:///${NAME}`)).rejects.toMatchObject({
      message: expect.stringContaining('CredentialsProviderError: Could not load credentials') as string,
      hint: expect.stringContaining('permissions: id-token: write') as string,
    })
  })
})

describe('what moto does not play', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const shown = {
    PublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
  }
  const signed = ({ body }: SeenCall): object => {
    const { Message } = JSON.parse(body) as { readonly Message: string }
    return { Signature: sign('sha256', Buffer.from(Message, 'base64'), privateKey).toString('base64') }
  }
  const operationOf = ({ headers }: SeenCall): string => String(headers['x-amz-target']).replace(/^.*[.]/, '')

  test.each([
    ['DisabledException', 'arn:aws:kms:eu-west-1:1:key/k is disabled.', /^enable it: aws kms enable-key /],
    ['KMSInvalidStateException', 'arn:aws:kms:eu-west-1:1:key/k is pending deletion.', /describe-key/],
    [
      'AccessDeniedException',
      'User: x is not authorized to perform: kms:Sign on resource: arn:aws:kms:eu-west-1:1:key/k',
      /^allow kms:Sign to the role that signs/,
    ],
  ])('%s when it signs', async (name, text, hint) => {
    await using api = await startStandIn(call =>
      operationOf(call) === 'GetPublicKey' ? [200, shown] : [400, { __type: name, message: text }],
    )
    setAwsEnv(KEYS)
    await using opened = await open(`awskms://${hostOf(api.url)}/alias/x`, { region: REGION })
    await expect(opened.signer.sign(PAE)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
      message: `awskms://${hostOf(api.url)}/alias/x: could not sign: ${name}: ${text}`,
      hint: expect.stringMatching(hint) as string,
    })
    expect(api.calls.map(operationOf)).toEqual(['GetPublicKey', 'Sign'])
  })

  test('AWS that is asked too often is asked again', async () => {
    const throttled = new Set(['GetPublicKey', 'Sign'])
    await using api = await startStandIn(call => {
      const operation = operationOf(call)
      if (throttled.delete(operation)) return [400, { __type: 'ThrottlingException', message: 'Rate exceeded' }]
      return [200, operation === 'Sign' ? signed(call) : shown]
    })
    setAwsEnv(KEYS)
    await using opened = await open(`awskms://${hostOf(api.url)}/alias/x`, { region: REGION })
    expect(await signsWell(opened)).toBe(true)
    expect(api.calls.map(operationOf)).toEqual(['GetPublicKey', 'GetPublicKey', 'Sign', 'Sign'])
  })
})

test('a signature over something else than was asked for is not used: moto hashes a digest once more', async () => {
  const { arn } = await makeKey('ECC_NIST_P256')
  setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
  await using opened = await open(`awskms:///${arn}`)
  await expect(opened.signer.sign(new Uint8Array(4097))).rejects.toMatchObject({ code: 'WRONG_SIGNATURE' })
  const longest = new Uint8Array(4096).fill(1)
  expect(verify('sha256', longest, opened.signer.publicKey, await opened.signer.sign(longest))).toBe(true)
})
