import type { Case } from '../case.ts'
import type { Fault, Match } from '../server/fault.ts'

const MOUNT: Match = { method: 'POST', path: 'mount=' }

function mount(name: string, fault: Fault | undefined, more: Partial<Case> = {}): Case {
  const troubles = fault && [{ match: { ...MOUNT, times: Infinity }, fault }]
  return { name, personality: 'spec', job: 'mount', troubles, expect: 'done', ...more }
}

const refusal = (status: number, code: string): Fault => ({
  status,
  body: JSON.stringify({ errors: [{ code, message: 'no mount' }] }),
})

/** A mount is a shortcut: whatever comes of it, the copy must be made. */
export const MOUNTS: readonly Case[] = [
  mount('a mount that opens a session instead', undefined, { options: { mount: false } }),
  mount('a mount refused with 400', refusal(400, 'NAME_INVALID')),
  mount('a mount refused with 401', refusal(401, 'UNAUTHORIZED')),
  mount('a mount refused with 403', refusal(403, 'DENIED')),
  mount('a mount refused with 404', refusal(404, 'BLOB_UNKNOWN')),
  mount('a mount refused with 405', refusal(405, 'UNSUPPORTED')),
  mount('a mount whose answer is lost', undefined, {
    troubles: [{ match: MOUNT, fault: { lostAnswer: true } }],
  }),
  mount('a mount at a registry that looks at one scope of a token', undefined, { auth: { onlyFirstScope: true } }),
]
