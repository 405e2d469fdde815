import { Edge } from '../../src/action/edge.ts'
import { readInputs } from '../../src/action/inputs.ts'
import { valuesOf } from '../../src/cli/flags.ts'
import { mayBeKey } from '../../src/sign/key-or-path.ts'
import { someKey } from './some-bundles.ts'
import { recorder } from '../action/recorder.ts'

const PEM = someKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const SHORT = Buffer.from('-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n').toString('base64')

test.each([
  ['a path', 'keys/cosign.key', false],
  ['a variable', 'env://COSIGN_PRIVATE_KEY', false],
  ['PEM', PEM, true],
  ['PEM in base64', Buffer.from(PEM).toString('base64'), true],
  ['short PEM in base64', SHORT, true],
  ['a part of a key', 'MIGHAgEAMBMG\nByqGSM49AgEG', true],
])('%s: whether it is to be kept secret', (_, text, secret) => {
  expect(mayBeKey(text)).toBe(secret)
  const { runner, calls } = recorder({ 'sign-key': text })
  readInputs(new Edge(runner))
  expect(calls.filter(call => call.startsWith('setSecret'))).toEqual(secret ? [`setSecret: ${text}`] : [])
  expect(valuesOf({ signKey: text }, {}).problems.map(({ input }) => input)).toEqual(secret ? ['sign-key'] : [])
})
