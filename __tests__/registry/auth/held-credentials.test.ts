import { HeldCredentials } from '../../../src/registry/auth/held-credentials.ts'
import { credentialChain } from '../../../src/registry/credentials/chain.ts'
import type { Credential, CredentialSource } from '../../../src/registry/credentials/credential.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const named = (password: string): Credential => ({ kind: 'password', username: 'AWS', password })

interface World {
  readonly held: HeldCredentials
  readonly forgotten: string[]
  asked: number
  nowMs: number
  /** What the source says when it is asked; without it, another password each time. */
  answer: (() => string) | undefined
}

/** @param lastsMs how long a password is valid */
function world(lastsMs?: number): World {
  const forgotten: string[] = []
  const source: CredentialSource = {
    find() {
      const credential = named(self.answer?.() ?? `secret-${self.asked + 1}`)
      self.asked++
      return Promise.resolve({ credential, from: 'the test', lookedAt: ['the test'], lastsMs })
    },
    forget(host) {
      forgotten.push(host)
    },
  }
  const nobody: CredentialSource = {
    find: () => Promise.resolve({ credential: undefined, from: undefined, lookedAt: [] }),
  }
  const self: World = {
    held: new HeldCredentials({
      host: 'reg.example.com',
      credentials: credentialChain([nobody, source]),
      now: () => self.nowMs,
    }),
    forgotten,
    asked: 0,
    nowMs: 0,
    answer: undefined,
  }
  return self
}

const shown = async ({ held }: World, repository = 'team/app'): Promise<string | undefined> => {
  const { credential } = await held.get(repository)
  return credential?.kind === 'password' ? credential.password : undefined
}

describe('a credential that ends', () => {
  test('is kept until a quarter of an hour before', async () => {
    const one = world(12 * HOUR_MS)
    expect(await shown(one)).toBe('secret-1')
    one.nowMs = 12 * HOUR_MS - 16 * MINUTE_MS
    expect(await shown(one)).toBe('secret-1')
    one.nowMs += 2 * MINUTE_MS
    expect(await shown(one)).toBe('secret-2')
    one.nowMs += 11 * HOUR_MS
    expect(await shown(one)).toBe('secret-2')
  })

  test('does so by half of its time where that is short', async () => {
    const one = world(10 * MINUTE_MS)
    await shown(one)
    one.nowMs = 4 * MINUTE_MS
    expect(await shown(one)).toBe('secret-1')
    one.nowMs = 6 * MINUTE_MS
    expect(await shown(one)).toBe('secret-2')
  })

  test('is used to its end when no other is to be had, and not asked for with every request', async () => {
    const one = world(12 * HOUR_MS)
    await shown(one)
    let tries = 0
    one.answer = (): string => {
      tries++
      throw new Error('AWS is down')
    }
    one.nowMs = 12 * HOUR_MS - 10 * MINUTE_MS
    expect(await shown(one)).toBe('secret-1')
    expect(await shown(one)).toBe('secret-1')
    expect(tries).toBe(1)
    one.nowMs += 6 * MINUTE_MS
    expect(await shown(one)).toBe('secret-1')
    expect(tries).toBe(2)
    one.nowMs = 12 * HOUR_MS
    await expect(shown(one)).rejects.toThrow('AWS is down')
    one.answer = undefined
    expect(await shown(one)).toBe('secret-2')
  })

  test('is not used in the place of an abort', async () => {
    const one = world(12 * HOUR_MS)
    await shown(one)
    const controller = new AbortController()
    one.answer = (): string => {
      controller.abort(new Error('stop'))
      throw new Error('AWS is down')
    }
    one.nowMs = 12 * HOUR_MS - 10 * MINUTE_MS
    await expect(one.held.get('team/app', { signal: controller.signal })).rejects.toThrow('stop')
  })

  test('that has ended as it comes is shown, for the clock may be wrong, and not asked for for ever', async () => {
    const one = world(-1)
    await shown(one)
    one.nowMs = HOUR_MS
    expect(await shown(one)).toBe('secret-1')
  })

  test('of which nobody knows when is kept', async () => {
    const one = world()
    await shown(one)
    one.nowMs = 1_000 * HOUR_MS
    expect(await shown(one)).toBe('secret-1')
  })
})

describe('a credential that is refused', () => {
  test('is replaced once, however many requests showed it, for all repositories', async () => {
    const one = world()
    await Promise.all([shown(one, 'a'), shown(one, 'b')])
    one.answer = (): string => 'new'
    const refused = named('secret-1')
    expect(await Promise.all(['a', 'a', 'a'].map(repository => one.held.renew(repository, refused)))).toEqual([
      ...[true, true, true],
    ])
    expect(one.forgotten).toEqual(['reg.example.com'])
    expect(await shown(one, 'b')).toBe('new')
    expect(await one.held.renew('b', refused)).toBe(true)
    expect(one.forgotten).toHaveLength(1)
    expect(one.asked).toBe(4)
  })

  test('is final when there is no other, without looking again for every request', async () => {
    const one = world()
    one.answer = (): string => 'wrong'
    await shown(one)
    expect(await one.held.renew('team/app', named('wrong'))).toBe(false)
    expect(await one.held.renew('team/app', named('wrong'))).toBe(false)
    expect(one.asked).toBe(2)
  })

  test('is final when it had just replaced another, and is replaced when that is long ago', async () => {
    const one = world()
    await shown(one)
    expect(await one.held.renew('team/app', named('secret-1'))).toBe(true)
    expect(await one.held.renew('team/app', named('secret-2'))).toBe(false)
    expect(one.asked).toBe(2)
    one.nowMs = 12 * HOUR_MS
    expect(await one.held.renew('team/app', named('secret-2'))).toBe(true)
    expect(await shown(one)).toBe('secret-3')
  })

  test('counts as just replaced from its replacement on, not from the last late request that showed the old one', async () => {
    const one = world()
    await shown(one)
    await one.held.renew('team/app', named('secret-1'))
    one.nowMs = 50_000
    expect(await one.held.renew('team/app', named('secret-1'))).toBe(true)
    one.nowMs = 70_000
    expect(await one.held.renew('team/app', named('secret-2'))).toBe(true)
    expect(await shown(one)).toBe('secret-3')
  })

  test('does not cost one that has replaced it for its age', async () => {
    const one = world(HOUR_MS)
    await shown(one)
    one.nowMs = 50 * MINUTE_MS
    await shown(one)
    expect(await one.held.renew('team/app', named('secret-1'))).toBe(true)
    expect(one.forgotten).toEqual([])
    expect(await shown(one)).toBe('secret-2')
  })
})
