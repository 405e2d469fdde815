import { RegistryError } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepository } from '../../src/oci/repository.ts'
import { Access } from '../../src/registry/access.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { watchQuiet, type Quiet } from '../../src/registry/quiet.ts'
import { handClock } from './hand-clock.ts'
import { scripted } from './scripted.ts'

const MINUTE_MS = 60_000
const digest = digestOf(new Uint8Array())
const transfer = {
  ...{ operation: `push blob ${digest}`, method: 'PUT', path: '/v2/team/app/blobs/uploads/', hint: 'try again later' },
}

function watches() {
  const clock = handClock()
  const hosts = new RegistryHosts({ transport: scripted(() => ({ status: 200 })), credentials: credentialChain([]) })
  const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')
  const watch = (failure?: unknown, signal?: AbortSignal): Quiet =>
    watchQuiet(access, transfer, { failure: () => failure, clock, signal })
  return { clock, watch }
}

test('a blob that moves may take hours', () => {
  const { clock, watch } = watches()
  const quiet = watch()
  for (let i = 0; i < 100; i++) {
    clock.goOn(14 * MINUTE_MS)
    quiet.moved()
  }
  expect(quiet.signal.aborted).toBe(false)
  clock.goOn(15 * MINUTE_MS)
  expect(quiet.signal.reason).toMatchObject({
    code: 'UNREACHABLE',
    message: /reg[.]example[.]com\/team\/app: could not push blob sha256:e3b0.*no byte of it has moved for 15 minutes/,
    hint: /try again later/,
  })
})

test('a blob whose turn has not come, while others of its registry move, is not stuck', () => {
  const { clock, watch } = watches()
  const [moving, waiting] = [watch(), watch()]
  clock.goOn(14 * MINUTE_MS)
  moving.moved()
  clock.goOn(14 * MINUTE_MS)
  expect(waiting.signal.aborted).toBe(false)
  clock.goOn(MINUTE_MS)
  expect(waiting.signal.aborted).toBe(true)
})

test('whoever is busy with the bytes that came may take hours, too', () => {
  const { clock, watch } = watches()
  const quiet = watch()
  quiet.pause()
  clock.goOn(100 * MINUTE_MS)
  quiet.goOn()
  clock.goOn(14 * MINUTE_MS)
  expect(quiet.signal.aborted).toBe(false)
  clock.goOn(15 * MINUTE_MS)
  expect(quiet.signal.aborted).toBe(true)
})

test('what the registry said all the time is told', () => {
  const { clock, watch } = watches()
  const failure = new RegistryError({
    ...{ side: 'target', host: 'reg.example.com', repository: 'a', operation: 'push', method: 'PUT', url: '' },
    ...{ status: 429, codes: ['TOOMANYREQUESTS'], detail: 'later', requestId: undefined, retriable: true },
  })
  const quiet = watch(failure)
  clock.goOn(15 * MINUTE_MS)
  expect(quiet.signal.reason).toMatchObject({
    cause: failure,
    message: /429 TOOMANYREQUESTS later; no byte of it has moved for 15 minutes/,
  })
})

test('an abort keeps its own reason, and nothing is left behind at the end', () => {
  const { clock, watch } = watches()
  const controller = new AbortController()
  const quiet = watch(undefined, controller.signal)
  const reason = new Error('stop')
  controller.abort(reason)
  expect(quiet.signal.reason).toBe(reason)
  quiet.end()
  expect(clock.waiting()).toBe(0)
})
